"""DHCP over the rack's veth: rouse, its peers and the frame echo, with the same client."""

import dataclasses

import load
from results import Plot, Result, percentiles
from servers import Dnsmasq, Echo, Kea, Rouse, macs

PEERS = (Kea, Dnsmasq)


@dataclasses.dataclass
class How:
    machines: int
    seconds: float    # of each run
    precision: float  # of the highest rate: the next one tried is at least so much higher
    runs: int         # at the rate that is compared


def measure(server, how, bearable):
    """Its highest rate without loss; then how it does at the rate BEARABLE, or what it can bear itself."""
    with server:
        best, _ = load.highest_clean_rate(how.machines, server.first_rate, how.seconds, how.precision)
        rate = max(int(0.8 * min(best, bearable or best)), 1)
        management = getattr(server, "management_cpu_seconds", lambda: 0)
        before, management_before = server.cpu_seconds(), management()
        # The best of a few: what else the machine does is in all of them, but seldom all the time.
        reports = [load.at_rate(how.machines, rate, how.seconds) for _ in range(how.runs)]
        per_exchange = 1e6 / max(sum(report["exchanges"] for report in reports), 1)
        latency = min((report["exchange_us"] for report in reports), key=lambda us: us["p99"])
        spent = {"cpu_us": (server.cpu_seconds() - before) * per_exchange,
                 "management_cpu_us": (management() - management_before) * per_exchange}
        return {"best": best, "rate": rate, **latency, "exchange_us": latency, **spent,
                "alone": latency_alone(server, how, rate)}


def latency_alone(server, how, rate):
    """The same while what keeps the timelines stands still; None of a server that has nothing of the kind. Tells what
    is the server's own from what comes of too few cores for both and the client."""
    if not hasattr(server, "management_stopped"):
        return None
    with server.management_stopped():
        return min((load.at_rate(how.machines, rate, how.seconds)["exchange_us"] for _ in range(how.runs)),
                   key=lambda us: us["p99"])


def measure_all(how, say):
    """By server. Kea comes first: all are compared under the load that it can just bear."""
    measured = {}
    for server in (Kea(), Dnsmasq(), Echo(), Rouse(macs(load.FIRST_MAC, how.machines))):
        say(f"DHCP: {server.name}")
        one = measured[server.name] = measure(server, how, measured.get("Kea", {}).get("best"))
        say(f"      {one['best']} exchanges/s at no loss; p99 {one['p99']:.0f} us at {one['rate']}/s")
    return measured


def results_of(measured):
    rouse, kea, dnsmasq, echo = (measured[name] for name in ("rouse", "Kea", "dnsmasq", "frame echo"))

    def result(name, key, unit, **more):
        return Result(f"dhcp/veth/{name}", rouse[key], unit, ("frame echo over the same port", echo[key]),
                      {peer.name: measured[peer.name][key] for peer in PEERS}, **more)

    note = f"at {rouse['rate']} exchanges/s, 0.8 of what Kea bears; dnsmasq at {dnsmasq['rate']}/s"
    return [
        result("exchanges_at_no_loss", "best", "1/s", wanted="10 x Kea, 100 x dnsmasq",
               reached=rouse["best"] >= 10 * kea["best"] and rouse["best"] >= 100 * dnsmasq["best"]),
        result("exchange_p50", "p50", "us", note=note),
        result("exchange_p99", "p99", "us", wanted="a tenth of Kea's", reached=rouse["p99"] <= kea["p99"] / 10,
               note=f"{note}; {rouse['alone']['p99']:.0f} us while the management process, which takes a core's time of its "
                    f"own, stands still"),
        result("cpu_per_exchange", "cpu_us", "us",
               note=f"{note}; beside it {rouse['management_cpu_us']:.0f} us for the machines' timelines"),
        Plot("dhcp-latency", "DHCP: the whole exchange, under the load that Kea can bear", "percentile", "microseconds",
             percentiles({name: measured[name] for name in ("rouse", "Kea", "dnsmasq")}, "exchange_us"), kind="bars",
             log_y=True, note=f"{note}; less is better"),
    ]


def bench(quick, say):
    return results_of(measure_all(How(4000, 1, 0.3, 1) if quick else How(20_000, 5, 0.15, 3), say))
