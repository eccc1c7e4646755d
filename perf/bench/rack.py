"""The virtual rack that everything is measured in, and programs that run there."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
SERVER = "10.77.0.1"
CLIENT_MAC = "02:00:5e:10:00:01"  # of client0, see scripts/rack
CLIENT = "10.77.250.1"  # of client0, for clients that need an address before they lease one
TICKS = os.sysconf("SC_CLK_TCK")


def script(name, *arguments, check=True, timeout=300):
    return subprocess.run([ROOT / "scripts" / name, *map(str, arguments)], check=check, timeout=timeout,
                          capture_output=True, text=True)


def in_rack(host, *command):
    """The command line that runs COMMAND on "appliance" or "client"."""
    return [str(ROOT / "scripts" / "rack"), "exec", host, *map(str, command)]


def cpu_seconds(pid):
    """Processor time, the kernel's included, of a process and its children so far; those that ended count, too."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0.0  # ended since it was listed
    return sum(map(int, fields[11:15])) / TICKS + sum(map(cpu_seconds, children))


class Account:
    """What a process and all its descendants spend, those included whose end nobody waits for: a control group of
    its own. Where there are none, the sum of those that are seen."""

    KINDS = {"cgroup2": ("cpu.stat", 1e-6), "cgroup": ("cpuacct.usage", 1e-9)}  # file, its unit in seconds

    def __init__(self, name):
        self._pid, self._group = None, None
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, place, kind, options = line.split()[:4]
            if self._group is None and (kind == "cgroup2" or kind == "cgroup" and "cpuacct" in options.split(",")):
                self._open(pathlib.Path(place) / f"rouse-bench-{os.getpid()}-{name.replace(' ', '-')}", *self.KINDS[kind])

    def _open(self, group, file, unit):
        with contextlib.suppress(OSError):
            group.mkdir(exist_ok=True)
            self._group, self._file, self._unit = group, group / file, unit
            self._file.read_text()
            return
        self._group = None

    def join(self):
        """For the process itself, before it becomes the program: no child of it is missed then."""
        if self._group:
            (self._group / "cgroup.procs").write_text("0")

    def watch(self, pid):
        self._pid = pid

    def seconds(self):
        if not self._group:
            return cpu_seconds(self._pid)
        return int(re.search(r"\d+", self._file.read_text())[0]) * self._unit

    def close(self):
        """Ends what is left of them."""
        deadline = time.monotonic() + 5
        while self._group and time.monotonic() < deadline:
            for pid in (self._group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(OSError):  # some are still ending
                self._group.rmdir()
                self._group = None
            time.sleep(0.01)


def prefer(pid):
    """What else runs here disturbs the measurement less: a higher share of the processor for PID and all that was
    started from the same terminal session (sched(7), autogroups). All servers and clients get it alike."""
    with contextlib.suppress(OSError):  # a kernel without autogroups
        pathlib.Path(f"/proc/{pid}/autogroup").write_text("-15")


class Program:
    """A program in the rack for as long as a `with` lasts. What it says is kept, for when it fails."""

    name = "program"
    host = "appliance"  # of the rack; None: this machine itself
    pause = 1.0  # seconds until it serves: few say when they are ready

    def command(self, directory):
        """Its command line; files of its own go into DIRECTORY."""
        raise NotImplementedError

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix=f"bench-{self.name}-")
        directory = pathlib.Path(self._directory.name)
        self._log = open(directory / "log", "w+")
        self._account = Account(self.name)
        command = [str(word) for word in self.command(directory)]
        self._process = subprocess.Popen(in_rack(self.host, *command) if self.host else command, stdout=self._log,
                                         stderr=subprocess.STDOUT, env={**os.environ, **self.environment(directory)},
                                         start_new_session=True, preexec_fn=self._account.join)
        self._account.watch(self._process.pid)
        prefer(self._process.pid)  # each has a share of the processor of its own, as the appliance's processes have
        time.sleep(self.pause)
        if self._process.poll() is not None:
            self._log.seek(0)
            said = self._log.read()
            self.__exit__()
            raise RuntimeError(f"{self.name} did not stay up:\n{said}")
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._account.close()
        self._log.close()
        self._directory.cleanup()

    def environment(self, _directory):
        return {}

    def cpu_seconds(self):
        return self._account.seconds()
