"""What a packet costs on the memory port: the micro benchmarks, one program each."""

import json
import pathlib
import subprocess
import tempfile

from rack import BIN
from results import Plot, Result


SIZES = (1_000, 100_000, 1_000_000)  # machines
CROWDS = (100, 1_000, 10_000, 100_000)  # transfers open
LIMIT = "two store lookups and two frames built"


def run(program, *options):
    """Runs a benchmark program; its measurements by name."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "out.json"
        subprocess.run([BIN / program, f"--benchmark_out={out}", "--benchmark_out_format=json", *options], check=True,
                       capture_output=True, timeout=300)
        return {b["name"].split("/iterations")[0]: b for b in json.loads(out.read_text())["benchmarks"]}


def dhcp(say):
    say("micro: DHCP")
    measured = run("rouse-micro-dhcp", "--benchmark_min_time=0.2",
                   "--benchmark_filter=^(store_lookup|frame_build|exchange|first_exchange/100000)(/|$)")
    build = measured["frame_build"]["ns_per_frame"]

    def exchange(name, machines):
        limit = 2 * (measured[f"store_lookup/{machines}"]["ns_per_lookup"] + build)
        return measured[f"{name}/{machines}"], (LIMIT, limit)

    served, limit = exchange("exchange", 100_000)
    first, first_limit = exchange("first_exchange", 100_000)
    growth = (measured["exchange/1000000"]["ns_per_exchange"] / measured["exchange/1000"]["ns_per_exchange"])
    per_second = served["exchanges_per_second"]
    return [
        Result("dhcp/memory/exchanges", per_second, "1/s per core", (limit[0], 1e9 / limit[1]),
               wanted="1 000 000", reached=per_second >= 1e6, note="100 000 machines, each served before"),
        Result("dhcp/memory/first_exchanges", first["exchanges_per_second"], "1/s per core",
               (first_limit[0], 1e9 / first_limit[1]), note="100 000 machines that the worker never saw"),
        Result("dhcp/memory/allocations", served["allocs_per_exchange"] + first["allocs_per_exchange"], "per exchange",
               wanted="0", reached=served["allocs_per_exchange"] + first["allocs_per_exchange"] == 0),
        Result("dhcp/memory/growth", growth, "x", wanted="at most 3", reached=growth <= 3,
               note="cost of an exchange with 1 000 000 machines against 1 000"),
        Plot("dhcp-growth", "DHCP: cost of an exchange against machines, memory port", "machines registered",
             "nanoseconds",
             {"rouse": [(n, measured[f"exchange/{n}"]["ns_per_exchange"]) for n in SIZES],
              LIMIT: [(n, 2 * (measured[f"store_lookup/{n}"]["ns_per_lookup"] + build)) for n in SIZES]},
             log_x=True, limits=(LIMIT,), note="DISCOVER to ACK, both messages; one core"),
    ]


def tftp(say):
    say("micro: TFTP")
    measured = run("rouse-micro-tftp", "--benchmark_min_time=0.2", "--benchmark_filter=^(copy|ack_to_data)/")

    def one(what, transfers, images):
        return measured[f"{what}/transfers:{transfers}/images:{images}"]

    def cost(what, transfers, images):
        return one(what, transfers, images)["ns_per_packet"]

    def block(name, images, at_most, note):
        took, copy = cost("ack_to_data", 64, images), cost("copy", 64, images)
        return Result(name, took, "ns", ("memcpy of the same block", copy), wanted=f"at most {at_most} x the copy",
                      reached=took <= at_most * copy, note=note)

    allocations = max(one("ack_to_data", 64, images)["allocs_per_packet"] for images in (1, 64))
    growth = cost("ack_to_data", 100_000, 1) / cost("ack_to_data", 100, 1)
    return [
        block("tftp/memory/ack_to_data_hot", 1, 2, "64 transfers of one image that is in the caches"),
        block("tftp/memory/ack_to_data_cold", 64, 1.5, "64 transfers of 64 images, 1 GiB together"),
        Result("tftp/memory/allocations", allocations, "per packet", wanted="0", reached=allocations == 0),
        Result("tftp/memory/growth", growth, "x", wanted="at most 2", reached=growth <= 2,
               note="cost of a packet with 100 000 transfers open against 100"),
        Plot("tftp-growth", "TFTP: cost of a block against open transfers, memory port", "transfers open",
             "nanoseconds",
             {"rouse": [(n, cost("ack_to_data", n, 1)) for n in CROWDS],
              "memcpy of the block": [(n, cost("copy", n, 1)) for n in CROWDS]},
             log_x=True, limits=("memcpy of the block",), note="ACK to the next 1428 bytes; one core"),
    ]


def leases(say):
    """Machines that nobody registered: every lease is on disk before its OFFER."""
    say("micro: leases")
    measured = run("rouse-micro-leases", "--benchmark_filter=lmdb_records|offers|leases")
    offers, whole, limit = (next(b["items_per_second"] for name, b in measured.items() if name.startswith(wanted))
                            for wanted in ("offers", "leases", "lmdb_records"))
    records = ("two bare records of each machine committed to LMDB", limit)
    return [
        Result("dhcp/new_clients/leases", offers, "1/s", records, wanted="20 000", reached=offers >= 20_000,
               note="durable, from the wish for a lease to what the OFFER says"),
        Result("dhcp/new_clients/exchanges", whole, "1/s", records,
               note="the whole exchange on record: DISCOVER, OFFER, REQUEST, ACK"),
    ]


def bench(say):
    figures = dhcp(say) + tftp(say)
    # Built with the management plane.
    return figures + leases(say) if (BIN / "rouse-micro-leases").exists() else figures
