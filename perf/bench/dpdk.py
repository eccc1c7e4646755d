"""DPDK in shared memory (memif): what a TFTP block and a DHCP exchange cost one worker, beside what DPDK's own program
takes for frames of the same sizes, and what removing a copy would bring."""

import micro
import testpmd
from results import Plot, Result

BLOCK, FRAME = 1428, 1474  # bytes; the frame with its headers
TFTP_LIMITS = (0.8, 0.5)  # of txonly and memcpy together, and of txonly alone
DHCP_LIMIT = 0.5  # of macswap


def gbit(ns):
    return BLOCK * 8 / ns


def tftp(seconds, quick, say):
    say("dpdk: TFTP on memif")
    measured = {name: one["ns_per_frame"]
                for name, one in micro.run("rouse-micro-dpdk", f"--benchmark_min_time={seconds}",
                                           f"--benchmark_filter={'copy|/0' if quick else '.'}").items()}
    say("dpdk: dpdk-testpmd txonly")
    alone = 1e9 / testpmd.frames_per_second("txonly", "rxonly", FRAME)
    took, copy, empty = measured["tftp/0"], measured["copy"], measured["transmit/0"]
    note = "1 000 transfers of one image of 1 GiB, windows of 16"
    figures = [
        Result("tftp/dpdk_memif/goodput", gbit(took), "Gb/s per core",
               ("dpdk-testpmd txonly, and memcpy of the block", gbit(alone + copy)),
               wanted=f"at least {TFTP_LIMITS[0]} of the limit", reached=(alone + copy) / took >= TFTP_LIMITS[0], note=note),
        Result("tftp/dpdk_memif/goodput_to_txonly", gbit(took), "Gb/s per core", ("dpdk-testpmd txonly alone", gbit(alone)),
               wanted=f"at least {TFTP_LIMITS[1]} of the limit", reached=alone / took >= TFTP_LIMITS[1], note=note),
        Result("tftp/dpdk_memif/goodput_to_own_port", gbit(took), "Gb/s per core",
               ("empty frames by the same port in the same process, and memcpy of the block", gbit(empty + copy)),
               note=f"{empty / took:.2f} of the empty frames alone"),
    ]
    if not quick:
        figures.append(zero_copy(took, measured["tftp/1"], measured["transmit/1"] + copy))
    return figures


def zero_copy(copied, took, limit):
    return Result("tftp/dpdk_memif/zero_copy", gbit(took), "Gb/s per core",
                  ("empty frames by the same port, zero copy, and memcpy of the block", gbit(limit)),
                  note=f"the same with zero-copy=yes: {copied / took:.2f} x as fast as with memif's own copy")


def dhcp(seconds, say):
    say("dpdk: DHCP on memif")
    measured = micro.run("rouse-micro-dpdk-dhcp", f"--benchmark_min_time={seconds}")
    exchange, swap = measured["exchange"], measured["macswap"]["ns_per_exchange"]
    size = round((exchange["question_bytes"] + exchange["answer_bytes"]) / 2)
    say("dpdk: dpdk-testpmd macswap")
    limit = testpmd.frames_per_second("macswap", "flowgen", size) / 2  # an exchange is two frames each way
    rate, own = 1e9 / exchange["ns_per_exchange"], 1e9 / swap
    note = f"1 000 machines; frames of {exchange['question_bytes']:.0f} and {exchange['answer_bytes']:.0f} bytes"
    return [
        Result("dhcp/dpdk_memif/exchanges", rate, "1/s per core", (f"dpdk-testpmd macswap, {size} bytes", limit),
               wanted=f"at least {DHCP_LIMIT} of the limit", reached=rate >= DHCP_LIMIT * limit, note=note),
        Result("dhcp/dpdk_memif/exchanges_to_own_port", rate, "1/s per core",
               ("frames sent back by the same port in the same process", own), note=note),
    ]


def blocks(seconds, say):
    """Ways to bring a block into a frame, with nothing of ours around it."""
    say("dpdk: ways into a frame")
    measured = {name: one["ns_per_frame"]
                for name, one in micro.run("rouse-micro-dpdk-blocks", f"--benchmark_min_time={seconds}").items()}
    names = {"empty": "nothing in it", "copied": "copied, as our port does it", "external": "two pieces, one the image's",
             "shared_empty": "zero copy, nothing in it", "shared": "zero copy, and copied there"}
    return [
        Result("tftp/dpdk_memif/block_external", measured["external"], "ns", ("a frame with nothing in it", measured["empty"]),
               {"copied": measured["copied"]}, note="the driver alone: a frame of two pieces, one of them the image itself"),
        Result("tftp/dpdk_memif/block_zero_copy", measured["shared"], "ns",
               ("zero copy, nothing in it", measured["shared_empty"]), {"copied": measured["copied"]},
               note="the driver alone: our copy into the memory that both ends share is the only one"),
        Plot("dpdk-blocks", "DPDK: ways to bring a block of 1428 bytes into a frame (memif)", "way", "nanoseconds",
             {"one frame": [(names[name], measured[name]) for name in names]}, kind="bars",
             note="the driver alone, one core; less is better"),
    ]


def bench(quick, say):
    seconds = 0.3 if quick else 2
    return tftp(seconds, quick, say) + dhcp(seconds, say) + blocks(seconds, say)
