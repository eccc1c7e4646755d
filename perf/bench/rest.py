"""The dataplane alone, on a store with 100 000 machines: how soon it answers after its start, what memory it takes, and
what a worker that rests between packets saves and costs."""

import contextlib
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import load
from rack import BIN, ROOT, SERVER, Program, in_rack
from results import Result

sys.path.append(str(ROOT / "tests" / "system"))
from wire import PXE, Message, Port  # noqa: E402  (the path comes first)

MACHINES, SESSIONS = 100_000, 10_000
MANY = f"{MACHINES:,} machines".replace(",", " ")
FILE_BYTES = 4 << 20
FIRST_ADDRESS = "10.1.0.0"  # of rouse-fill-store's machines
MAC = "52:54:00:00:00:07"  # one of them
PORTS = {"xdp": ("xdp:rack0", 1.0), "dpdk": ("dpdk:net_af_packet0,iface=rack0", 3.0)}  # seconds until the first answer
MEMORY_MIB = 256
AT_REST = 2  # seconds


class Dataplane(Program):
    name = "dataplane"
    pause = 0.0  # whoever starts it waits for its answer

    def __init__(self, state, port, rest="adaptive"):
        self._state, self._port, self._rest = state, port, rest

    def command(self, directory):
        alone = ("--dataplane.address", f"{SERVER}/16") if self._port.startswith("dpdk:") else ()
        return [BIN / "rouse-dataplane", "--store.state_dir", self._state, "--store.run_dir", f"/dev/shm/{directory.name}",
                "--dataplane.port", self._port, "--dataplane.rest", self._rest, *alone]

    def __exit__(self, *_):
        run_dir = pathlib.Path("/dev/shm") / pathlib.Path(self._directory.name).name
        super().__exit__()
        subprocess.run(["rm", "-rf", run_dir], check=True)

    def resident_mib(self):
        """Without what images take: those are in memory that is shared by its file."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        kib = {line.split()[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith("Rss")}
        return (kib["RssAnon:"] + kib["RssFile:"]) / 1024, kib["RssShmem:"] / 1024


@contextlib.contextmanager
def filled():
    with tempfile.TemporaryDirectory(prefix="bench-state-", dir="/dev/shm") as directory:
        subprocess.run([BIN / "rouse-fill-store", directory, str(MACHINES), str(FILE_BYTES)], check=True, timeout=60)
        # Beyond the rack's own network: the kernel answers ARP only to whom it has a way to.
        route = ("ip", "route", "replace", "10.1.0.0/16", "dev", "rack0")
        subprocess.run(in_rack("appliance", *route), check=True)
        try:
            yield directory
        finally:
            subprocess.run(in_rack("appliance", "ip", "route", "flush", "10.1.0.0/16"), check=True)


def first_answer(state, port, rounds):
    """Seconds from the start of the process to its first OFFER, the median of a few."""
    took = []
    for number in range(rounds):
        with Port() as wire:
            start = time.monotonic()
            with Dataplane(state, port):
                while not wire.ask(Message("discover", MAC, xid=number + 1, options=dict(PXE)), seconds=0.01):
                    if time.monotonic() - start > 20:
                        raise RuntimeError(f"the dataplane on {port} answers nothing")
                took.append(time.monotonic() - start)
    return statistics.median(took)


def wait_for_answer(mac=MAC):
    with Port() as wire:
        for number in range(500):
            if wire.ask(Message("discover", mac, xid=number + 1, options=dict(PXE)), seconds=0.02):
                return
    raise RuntimeError("the dataplane answers nothing")


def memory(state):
    """Most that was resident while SESSIONS transfers were under way; and the highest number of these."""
    seen = []
    with Dataplane(state, PORTS["xdp"][0]) as server:
        wait_for_answer()
        done = threading.Event()

        def watch():
            while not done.wait(0.05):
                seen.append(server.resident_mib())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            report = load.run(SESSIONS, "--address-base", FIRST_ADDRESS, "--server", SERVER, "--kind", "windowed",
                              "--block-size", load.BLOCK, "--file", "image", "--scenario", "closed", "--outstanding", SESSIONS,
                              "--seconds", 3, "--drain", 0, "--no-verify")
        finally:
            done.set()
            watcher.join()
    if report["bytes"] < SESSIONS * load.BLOCK:
        raise RuntimeError(f"only {report['bytes']} bytes were served to {SESSIONS} clients")
    return max(anonymous for anonymous, _ in seen), max(shared for _, shared in seen)


def at_rest(state, port, rest, latency):
    """Share of a core that it takes with nothing to do; and how long a lone exchange takes then, microseconds."""
    with Dataplane(state, port, rest) as server:
        wait_for_answer()
        before, start = server.cpu_seconds(), time.monotonic()
        time.sleep(AT_REST)
        share = (server.cpu_seconds() - before) / (time.monotonic() - start)
        if not latency:
            return share, None
        report = load.run(1000, "--scenario", "rate", "--rate", 50, "--seconds", 2, "--drain", 1)
        return share, report["exchange_us"]["p50"]


def bench(quick, say):
    with filled() as state:
        figures = []
        for name, (port, at_most) in PORTS.items():
            took = first_answer(state, port, 3 if quick else 9)
            say(f"start: {name} answers after {took:.2f} s")
            figures.append(Result(f"start/{name}/first_answer", took, "s", wanted=f"at most {at_most:g} s", reached=took <= at_most,
                                  note=f"from the start of the process to its first OFFER; {MANY}"))
        resident, shared = memory(state)
        say(f"memory: {resident:.0f} MiB")
        figures.append(Result("memory/dataplane/resident", resident, "MiB", wanted=f"at most {MEMORY_MIB}",
                              reached=resident <= MEMORY_MIB,
                              note=f"{MANY}, {SESSIONS} transfers under way; beside it {shared:.0f} MiB of images, "
                                   "counters and events"))
        for name, (port, _) in PORTS.items():
            share, answer = at_rest(state, port, "adaptive", latency=name == "xdp")
            polling, polling_answer = at_rest(state, port, "never", latency=name == "xdp")
            figures.append(Result(f"rest/{name}/cpu", share, "cores", peers={'rest = "never"': polling},
                                  note="a worker with nothing to do"))
            if answer:
                figures.append(Result(f"rest/{name}/exchange_p50", answer, "us", peers={'rest = "never"': polling_answer},
                                      note="lone exchanges, 50 a second: each wakes the worker twice"))
    return figures
