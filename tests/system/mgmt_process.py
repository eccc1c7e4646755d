"""rouse-mgmt alone, without rack and dataplane, on this machine's loopback address."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
PORT = 30297
POOL = {"cidr": "10.80.0.0/16", "gateway": "10.80.0.1", "range_start": "10.80.1.1", "range_end": "10.80.200.254"}
GONE = (http.client.HTTPException, OSError)  # what a client sees of a server that dies


class Refused(AssertionError):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Management:
    """HOME, a directory, is the caller's; it holds the state and the log. OPTIONS: further ones of rouse-mgmt."""

    def __init__(self, home, port=PORT, options=()):
        self.home, self.port, self.options = pathlib.Path(home), port, options
        self.state = self.home / "state"
        self.run_dir = tempfile.mkdtemp(prefix="rouse-test-", dir="/dev/shm")
        self._process = None
        self.token = None

    def start(self):
        """Returns when the API answers."""
        with open(self.home / "log", "ab") as log:
            self._process = subprocess.Popen(
                [BIN / "rouse-mgmt", *self.options, "--store.state_dir", self.state, "--store.run_dir",
                 self.run_dir, "--api.listen", f"127.0.0.1:{self.port}", "--api.access_token_seconds", "86400"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, f"rouse-mgmt did not stay up:\n{self.log()}"
            assert time.monotonic() < deadline, f"rouse-mgmt does not answer:\n{self.log()}"
            time.sleep(0.02)
        if not self.token:
            password = (self.state / "admin-password").read_text().strip()
            self.token = self.request("POST", "/api/token/", {"username": "admin", "password": password})["access"]

    def run_once(self, *options):
        """rouse-mgmt with OPTIONS such as --check-store, which does something and ends: its exit code and what it says."""
        done = subprocess.run(
            [BIN / "rouse-mgmt", "--store.state_dir", self.state, "--store.run_dir", self.run_dir, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        return done.returncode, done.stdout

    def rousectl(self, *words):
        """The command, finished, with its output."""
        return subprocess.run([BIN / "rousectl", *words], check=False, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "ROUSE_URL": f"http://127.0.0.1:{self.port}", "ROUSE_TOKEN": self.token})

    def _answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/health")
            return connection.getresponse().status in (200, 503)  # no dataplane runs
        except GONE:
            return False

    def kill(self):
        """kill -9."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def log(self):
        return (self.home / "log").read_text(errors="replace")[-3000:]

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, connection=None):
        """The answer's JSON, None without a body; Refused when it is no success, one of GONE when there is none."""
        content = self.raw(method, path, json.dumps(body) if body is not None else None, connection, "application/json")
        return json.loads(content) if content else None

    def raw(self, method, path, body=None, connection=None, content_type="application/octet-stream"):
        """The same with bytes."""
        connection = connection or self.connect()
        headers = {"Content-Type": content_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise Refused(answer.status, json.loads(content))
        return content

    def get(self, path):
        return self.request("GET", path)

    def health(self):
        """The checks of /health by name."""
        connection = self.connect()
        connection.request("GET", "/health")
        return {check["name"]: check for check in json.loads(connection.getresponse().read())["checks"]}
