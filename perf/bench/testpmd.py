"""dpdk-testpmd, DPDK's own program that moves frames and does nothing else: two of it on a memif, a core each."""

import contextlib
import os
import pathlib
import re
import subprocess
import time

SECONDS = 5
MEMORY_MIB = 48  # of each; the same kind of memory as ours: huge pages if there are any
HUGE_PAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")


def memory():
    free = int(HUGE_PAGES.read_text()) * 2 if HUGE_PAGES.exists() else 0
    return ["--in-memory"] if free >= 2 * MEMORY_MIB else ["--no-huge", "--no-shconf"]


def start(role, mode, core, socket, frame_bytes):
    # The other core is for its command line.
    return subprocess.Popen(
        ["dpdk-testpmd", *memory(), "--no-pci", "--no-telemetry", "-m", str(MEMORY_MIB), f"--file-prefix={socket}-{role}",
         "--lcores", f"0@{1 - core},1@{core}", f"--vdev=net_memif0,role={role},socket={socket}", "--", f"--forward-mode={mode}",
         f"--txpkts={frame_bytes}", "--total-num-mbufs=8192", "--stats-period", "1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(socket):
    deadline = time.monotonic() + 10
    while f"@{socket}" not in pathlib.Path("/proc/net/unix").read_text():
        if time.monotonic() > deadline:
            raise RuntimeError("dpdk-testpmd does not start: is the memory free that it needs?")
        time.sleep(0.05)


def end(process):
    """What it said until now."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.communicate(timeout=0.1)[0]
    process.terminate()
    try:
        return process.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def frames_per_second(mode, partner, frame_bytes):
    """Frames that one end in MODE sends each second, while the other does as PARTNER does."""
    if not {0, 1} <= os.sched_getaffinity(0):
        raise RuntimeError("dpdk-testpmd needs the cores 0 and 1")
    socket = f"rouse-bench-{os.getpid()}"
    ends = [start("server", mode, 0, socket, frame_bytes)]
    try:
        wait_for(socket)  # the client gives up where nobody listens
        ends.append(start("client", partner, 1, socket, frame_bytes))
        with contextlib.suppress(subprocess.TimeoutExpired):
            ends[0].wait(SECONDS)
    finally:
        said = [end(process) for process in ends]
    rates = [int(rate) for rate in re.findall(r"Tx-pps:\s+(\d+)", said[0]) if int(rate) > 0]
    if not rates:
        raise RuntimeError(f"dpdk-testpmd {mode} sent nothing: " + said[0][-300:])
    return max(rates)  # its best second: the others were also somebody else's
