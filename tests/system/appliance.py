"""The appliance under test and the rack around it, as the scripts raise them; the API as a user's program sees it."""

import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "appliance"
PORT = os.environ.get("ROUSE_PORT")  # what carries the frames, such as dpdk:net_af_packet0,iface=rack0; none: the default
INTERFACE = "rouse0" if (PORT or "").startswith("dpdk:") else "rack0"  # the kernel's, with the appliance's address
CLIENT_MAC = "02:00:5e:10:00:01"  # of client0, see scripts/rack
SERVER, SERVER_MAC = "10.77.0.1", "02:00:5e:00:00:01"  # of rack0, likewise
POOL = {
    "cidr": "10.77.0.0/16",
    "gateway": "10.77.0.1",
    "range_start": "10.77.1.1",
    "range_end": "10.77.200.254",
    "lease_seconds": 3600,
    "dns_servers": ["10.77.0.1"],
}


def script(name, *arguments, check=True, timeout=120):
    return subprocess.run([ROOT / "scripts" / name, *arguments], check=check, timeout=timeout,
                          capture_output=True, text=True)


def within(namespace, *command, check=True, timeout=120, **more):
    """Runs a command in a network namespace of the rack."""
    return subprocess.run(["ip", "netns", "exec", namespace, *map(str, command)],
                          check=check, timeout=timeout, capture_output=True, text=True, **more)


def on_client(*command, **more):
    """Runs a command on the rack's client."""
    return within("rouse-client", *command, **more)


def on_appliance(*command, **more):
    """Runs a command beside the appliance."""
    return within("rouse-appliance", *command, **more)


def spawn(namespace, *command, log=os.devnull):
    """Starts a command in a network namespace of the rack. The process is the command's own: `ip` makes way for it."""
    with open(log, "ab") as output:
        return subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)


def wait_until(what, condition, timeout=30, every=0.1):
    """The condition's first true value; fails naming WHAT after TIMEOUT seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(every)


def in_order(events, *expected):
    """EXPECTED is a subsequence of EVENTS."""
    rest = iter(events)
    missing = [name for name in expected if name not in rest]
    assert not missing, f"{missing} not found in order in {events}"


def seconds_between(timeline, first, second):
    """From the first entry of one kind to the first of another."""
    times = {}
    for entry in timeline:
        times.setdefault(entry["event"], datetime.datetime.fromisoformat(entry["time"]))
    return (times[second] - times[first]).total_seconds()


class ApiError(AssertionError):
    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


class Appliance:
    def __init__(self):
        self.settings = {}
        self.options = ()

    # -- life ---------------------------------------------------------------------------------------------------
    def start(self, *options):
        """With OPTIONS; without, as it was started before, with what it remembers."""
        if options:
            self.options = tuple(option for option in options if option != "--fresh")
        else:
            options = self.options
        if PORT and "--port" not in options:
            options += ("--port", PORT)
        script("appliance", "start", *options)
        for word in shlex.split((HOME / "env").read_text()):
            name, separator, value = word.partition("=")
            if separator:
                self.settings[name] = value

    def stop(self):
        script("appliance", "stop", check=False)

    def pid(self, name):
        return int((HOME / f"{name}.pid").read_text())

    def kill(self, name):
        """kill -9 of `mgmt` or `dataplane`."""
        os.kill(self.pid(name), signal.SIGKILL)

    def log(self, name):
        return (HOME / f"{name}.log").read_text()

    # -- API ----------------------------------------------------------------------------------------------------
    def request(self, method, path, body=None, raw=None, headers=None, timeout=120):
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.settings["ROUSE_URL"] + path, data=data, method=method)
        request.add_header("Authorization", "Bearer " + self.settings["ROUSE_TOKEN"])
        if body is not None:
            request.add_header("Content-Type", "application/json")
        elif raw is not None:
            request.add_header("Content-Type", "application/octet-stream")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                content = response.read()
                is_json = "json" in response.headers.get("Content-Type", "")
                return json.loads(content) if is_json and content else content
        except urllib.error.HTTPError as error:
            content = error.read()
            try:
                problem = json.loads(content)
            except ValueError:
                problem = {"raw": content}
            raise ApiError(error.code, problem) from None

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body):
        return self.request("POST", path, body)

    def put_image(self, name, content):
        answer = self.request("PUT", f"/api/images/{name}", raw=content)
        assert answer["sha256"] == hashlib.sha256(content).hexdigest()
        assert answer["size"] == len(content)
        return answer

    def add_machine(self, hostname, mac, **more):
        return self.post("/api/machines/", {"hostname": hostname, "mac": mac, **more})

    def add_machines(self, macs):
        """Many at once: the writer commits in groups what comes side by side."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda mac: self.add_machine("node-" + mac.replace(":", ""), mac), macs))

    def timeline(self, machine):
        return self.get(f"/api/machines/{machine['id']}/timeline/?limit=1000")

    def events(self, machine):
        return [entry["event"] for entry in self.timeline(machine)]

    def machine(self, machine):
        return self.get(f"/api/machines/{machine['id']}/")

    def metric(self, name, **labels):
        """The sum of a metric's samples whose labels match."""
        total = 0.0
        text = self.request("GET", "/metrics").decode()
        for line in text.splitlines():
            match = re.match(rf"{name}(?:{{(.*)}})? ([0-9.e+-]+)$", line)
            if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
                total += float(match[2])
        return total

    def dropped(self, reason):
        return self.metric("rouse_drops_total", reason=reason)


def restart_dataplane(appliance):
    """Killed, and started again as it was."""
    pid = appliance.pid("dataplane")
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        command = [word.decode() for word in file.read().split(b"\0")[:-1]]
    appliance.kill("dataplane")
    process = spawn("rouse-appliance", *command, log=HOME / "dataplane.log")
    (HOME / "dataplane.pid").write_text(str(process.pid))  # for scripts/appliance stop
    return process


def console_text(path):
    """What a serial console's log says, without the sequences that move the cursor or set colours: a BIOS writes them in the
    middle of a line now and then."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", path.read_text(errors="replace"))


class VirtualMachine:
    """One QEMU machine on the rack (scripts/machine), its serial console in a file."""

    def __init__(self, name, mac, tmp_path, until="rouse: agent home", timeout=240, *options):
        self.serial = tmp_path / f"{name}.serial"
        self.process = subprocess.Popen(
            [ROOT / "scripts" / "machine", "--name", name, "--mac", mac, "--serial", self.serial,
             "--timeout", str(timeout), *(("--until", until) if until else ()), *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.timeout = timeout

    def console(self):
        return console_text(self.serial) if self.serial.exists() else ""

    def wait(self):
        output, _ = self.process.communicate(timeout=self.timeout + 30)
        assert self.process.returncode == 0, f"{output}\n--- console ---\n{self.console()[-3000:]}"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=30)
