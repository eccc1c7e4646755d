"""Further appliances on the rack, each in a namespace of its own, that follow the one of scripts/appliance."""

import os
import shutil
import signal
import subprocess
import urllib.request

from appliance import ROOT, Appliance, ApiError, wait_until, within

BIN = ROOT / "build" / "release" / "bin"


class Worker(Appliance):
    """Use it as a context. Number N is 10.77.0.N+1 on the rack, with its API on port 30205+N of the host."""

    def __init__(self, number, tmp_path):
        super().__init__()
        self.number, self.name = number, f"w{number}"
        self.namespace, self.port = f"rouse-{self.name}", f"{self.name}-br"
        self.address = f"10.77.0.{number + 1}"
        self.home = tmp_path / self.name
        self.run_dir = f"/dev/shm/rouse-{self.name}"
        self.processes = {}

    def __enter__(self):
        self.remove()
        try:
            self.join_rack()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.end(name, signal.SIGTERM)
        self.remove()
        for log in sorted(self.home.glob("*.log")):
            print(f"--- {self.name} {log.name} ---\n{log.read_text()[-3000:]}")

    def join_rack(self):
        self.home.mkdir()
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        for line in (f"link add rack0 netns {self.namespace} type veth peer name {self.port} netns rouse-client",
                     f"-n {self.namespace} link set lo up",
                     f"-n {self.namespace} address add {self.address}/16 brd + dev rack0"):
            subprocess.run(["ip", *line.split()], check=True)
        for namespace, link in ((self.namespace, "rack0"), ("rouse-client", self.port)):  # see scripts/rack
            within(namespace, "ethtool", "-K", link, *"tx off sg off tso off gso off gro off".split())
        subprocess.run(["ip", "-n", "rouse-client", "link", "set", self.port, "master", "br0", "up"], check=True)
        subprocess.run(["ip", "-n", self.namespace, "link", "set", "rack0", "up"], check=True)

    def remove(self):
        subprocess.run(["ip", "-n", "rouse-client", "link", "del", self.port], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", self.namespace], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.run_dir, ignore_errors=True)


    # -- life ---------------------------------------------------------------------------------------------------
    def start(self, enrolment=None):
        """Both processes, registered with the token ENROLMENT or as before; returns when the API answers."""
        if enrolment:
            (self.home / "enrolment").write_text(enrolment + "\n")
        for name in ("mgmt", "dataplane"):
            if name not in self.processes:
                self.launch(name)
        self.settings["ROUSE_URL"] = f"http://127.0.0.1:{30205 + self.number}"
        wait_until(f"{self.name} answers", self.log_in)

    def launch(self, name):
        # The API listens, and the centre is looked for, where this test runs.
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        command = [
            "ip", "netns", "exec", self.namespace, BIN / f"rouse-{name}", "--store.state_dir", self.home / "state",
            "--store.run_dir", self.run_dir, "--dataplane.port", "xdp:rack0",
            "--api.listen", f"127.0.0.1:{30205 + self.number}", "--api.netns", f"/proc/self/fd/{here}",
            "--api.access_token_seconds", "86400", "--worker.role", "worker", "--worker.id", self.name,
            "--worker.centre", self.settings.get("centre", "http://127.0.0.1:30205"),
            "--worker.enrolment_token_file", self.home / "enrolment"]
        try:
            with open(self.home / f"{name}.log", "ab") as log:
                self.processes[name] = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log,
                                                        stderr=subprocess.STDOUT, pass_fds=(here,))
        finally:
            os.close(here)

    def log_in(self):
        for name, process in self.processes.items():
            assert process.poll() is None, f"{self.name}'s {name} did not stay up:\n{self.log(name)[-2000:]}"
        try:
            password = (self.home / "state" / "admin-password").read_text().strip()
            self.settings.setdefault("ROUSE_TOKEN", "none")
            answer = self.post("/api/token/", {"username": "admin", "password": password})
        except (OSError, ApiError):
            return False
        self.settings["ROUSE_TOKEN"] = answer["access"]
        return self.serves()

    def serves(self):
        try:
            urllib.request.urlopen(self.settings["ROUSE_URL"] + "/health", timeout=5).close()
        except OSError:
            return False
        return True

    def end(self, name, number=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name):
        self.end(name)

    def log(self, name):
        return (self.home / f"{name}.log").read_text()
