"""DPDK in shared memory (memif): what a TFTP block costs one worker, beside the same frames with nothing in them."""

import os
import re
import subprocess

import micro
from results import Result

BLOCK, FRAME = 1428, 1474  # bytes; the frame with its headers
SECONDS = 10
LIMITS = (0.8, 0.5)  # of transmitting and copying together, and of transmitting alone


def testpmd(role, mode, core, socket):
    """One end of the cable, from a process of its own."""
    # Memory of its own, so that nothing need be reserved; the other core is for its command line.
    return subprocess.Popen(
        ["dpdk-testpmd", "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf", "-m", "256", f"--file-prefix={socket}-{role}",
         "--lcores", f"0@{1 - core},1@{core}", f"--vdev=net_memif0,role={role},socket={socket}", "--", f"--forward-mode={mode}",
         f"--txpkts={FRAME}", "--total-num-mbufs=8192", "--stats-period", "1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def frames_per_second():
    """What dpdk-testpmd's txonly sends to another that takes it, a core each."""
    if not {0, 1} <= os.sched_getaffinity(0):
        raise RuntimeError("dpdk-testpmd needs the cores 0 and 1")
    socket = f"rouse-bench-{os.getpid()}"
    ends = [testpmd("client", "rxonly", 1, socket), testpmd("server", "txonly", 0, socket)]
    said = []
    for end in reversed(ends):
        try:
            said.append(end.communicate(timeout=SECONDS)[0])
        except subprocess.TimeoutExpired:
            end.terminate()
            said.append(end.communicate(timeout=10)[0])
    rates = [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", said[0]) if int(rate) > 0]
    if not rates:
        raise RuntimeError("dpdk-testpmd sent nothing: " + said[0][-300:])
    return max(rates)  # its best second: the others were also somebody else's


def bench(quick, say):
    say("dpdk: a worker on memif")
    measured = micro.run("rouse-micro-dpdk", f"--benchmark_min_time={0.5 if quick else 2}")
    tftp, transmit, copy = (measured[name]["ns_per_frame"] for name in ("tftp", "transmit", "copy"))
    say("dpdk: dpdk-testpmd")
    peer = frames_per_second()

    def gbit(ns):
        return BLOCK * 8 / ns

    whole, alone = (transmit + copy) / tftp, transmit / tftp
    return [Result("tftp/dpdk_memif/goodput", gbit(tftp), "Gb/s per core",
                   ("the same frames with nothing in them, and memcpy of the block", gbit(transmit + copy)),
                   {"dpdk-testpmd txonly, two processes": peer * BLOCK * 8 / 1e9},
                   wanted=f"at least {LIMITS[0]} of the limit, and {LIMITS[1]} of the frames alone",
                   reached=whole >= LIMITS[0] and alone >= LIMITS[1],
                   note=f"1 000 transfers of one image of 1 GiB, windows of 16; {alone:.2f} of the frames alone")]
