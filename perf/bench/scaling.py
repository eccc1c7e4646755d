"""What more workers bring: the same transfers against an appliance with one, two, … queues and a worker for each. The
client stays one thread on one queue, so on a machine of few cores it is what ends the growth."""

import os
import subprocess

import load
import tftp
from rack import in_rack, script
from results import Plot, Result
from tftp_servers import RouseFiles

MOST = 4


def measure(workers, files, how):
    """On a rack of its own."""
    script("rack", "down")
    script("rack", "up", "--queues", workers)
    if workers > 1:  # the client has one port
        subprocess.run(in_rack("client", "ethtool", "-L", "client0", "rx", 1, "tx", 1), check=True)
    return tftp.best(RouseFiles(files, tftp.CLIENTS), tftp.CLIENTS, how)


def bench(quick, say):
    files = {tftp.FILE: os.urandom(3_000_000 if quick else 10_000_000)}
    content = load.keep(files[tftp.FILE])
    how = tftp.How((tftp.CLIENTS,), 1, 1, content) if quick else tftp.How((tftp.CLIENTS,), 5, 3, content)
    goodput = {}
    try:
        for workers in range(1, min(max(os.cpu_count(), 2), MOST) + 1):
            goodput[workers] = measure(workers, files, how)["gbit"]
            say(f"workers: {workers} with {goodput[workers]:.2f} Gbit/s")
    finally:
        content.unlink()
        script("rack", "down")
        script("rack", "up")
    most = max(goodput)
    note = f"{tftp.CLIENTS} clients, {os.cpu_count()} cores for the workers, the client and the kernel"
    return [
        Result("tftp/veth/scaling", goodput[most] / goodput[1], "x", note=f"goodput of {most} workers against one; {note}"),
        Plot("tftp-workers", "TFTP: goodput against workers", "workers, a queue each", "Gbit/s",
             {"rouse": [(str(workers), gbit) for workers, gbit in goodput.items()]}, kind="bars",
             note=f"{note}; more is better"),
    ]
