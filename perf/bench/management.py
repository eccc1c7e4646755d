"""The management plane by itself, with machines in its store, and what is asked of it: programs on this machine's loopback
address, a core for the server and one for the client."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pace
import wrk
from rack import BIN, Program
from servers import macs

MACHINES = 10_000
POOL = {"cidr": "10.80.0.0/16", "gateway": "10.80.0.1", "range_start": "10.80.1.1", "range_end": "10.80.200.254"}
SERVER_CORE, CLIENT_CORE = 0, os.cpu_count() - 1


def distance_ns():
    """How long a cache line takes between the two; 0: they are one."""
    if SERVER_CORE == CLIENT_CORE:
        return 0.0
    out = subprocess.run([BIN / "rouse-cores", str(SERVER_CORE), str(CLIENT_CORE)], check=True, capture_output=True, text=True,
                         timeout=60)
    return float(out.stdout)


def processes(pid):
    """PID and its descendants."""
    yield pid
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from processes(int(child))


def pin(pid, cores):
    """Lets a process, its descendants and all their threads run on these cores only."""
    for process in processes(pid):
        for thread in pathlib.Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def temporary_files(directory):
    """nginx's settings for where it puts what it must put somewhere."""
    return " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


class Loopback(Program):
    """A server of this machine's own, outside the rack."""

    host = None
    port = 0
    headers = {}

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(self, requests, **load):
        """What the client makes of it with REQUESTS, (method, path, body) each; see wrk.run."""
        return wrk.run(self.url("/"), requests, self.headers, core=CLIENT_CORE, **load)

    def pace(self, requests, **load):
        """The same at a steady mean rate; see pace.run."""
        return pace.run(self.port, requests, self.headers, core=CLIENT_CORE, **load)

    def on_one_core(self):
        pin(self._process.pid, {SERVER_CORE})
        return self

    def on_all_cores(self):
        pin(self._process.pid, set(range(os.cpu_count())))
        return self


class Management(Loopback):
    """rouse-mgmt alone, with OPTIONS beside those that it needs; on SERVER_CORE from its start if it has one core."""

    name = "rouse"
    port = 30299

    def __init__(self, *options, one_core=False):
        self._options = options
        self._prefix = ["taskset", "-c", str(SERVER_CORE)] if one_core else []
        self.run_dir = f"/dev/shm/rouse-bench-api-{os.getpid()}"

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def command(self, directory):
        self.state = directory / "state"
        return [*self._prefix, BIN / "rouse-mgmt", "--store.state_dir", self.state, "--store.run_dir", self.run_dir, "--api.listen", f"127.0.0.1:{self.port}",
                "--api.access_token_seconds", 86400, "--log.level", "warn", *self._options]

    def __enter__(self):
        super().__enter__()
        try:
            self.headers = {"Content-Type": "application/json"}
            password = (self.state / "admin-password").read_text().strip()
            token = self.post("/api/token/", {"username": "admin", "password": password})["access"]
            self.headers["Authorization"] = f"Bearer {token}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def text(self, path, method="GET", body=None, connection=None):
        """The answer's bytes."""
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(body) if body is not None else None, self.headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content

    def post(self, path, body, connection=None):
        return json.loads(self.text(path, "POST", body, connection))

    def add_machines(self):
        """MACHINES of them in a network of their own; their ids."""
        self.post("/api/ip-pools/", POOL)
        todo = list(enumerate(macs("52:54:00:00:00:00", MACHINES)))

        def add(share):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            return [self.post("/api/machines/", {"hostname": f"node-{number}", "mac": mac}, connection)["id"]
                    for number, mac in share]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            return [one for ids in pool.map(add, (todo[at::16] for at in range(16))) for one in ids]

    def settle(self):
        """Until it has done what follows from what it was told, such as 10 000 machines: a second with little to do."""
        for _ in range(30):
            before = self.cpu_seconds()
            time.sleep(1)
            if self.cpu_seconds() - before < 0.1:
                return
        raise RuntimeError(f"{self.name} is busy half a minute after it was asked for something")

    def written_bytes(self):
        """By all its calls to write to files, so far."""
        io = pathlib.Path(f"/proc/{self._process.pid}/io").read_text()
        return int(re.search(r"wchar: (\d+)", io)[1])

    def commits(self):
        """Of the store, so far."""
        return float(re.search(r"^rouse_store_commits_total (\S+)", self.text("/metrics").decode(), re.M)[1])

    def memory(self):
        """Resident, MiB: all of it, and what of it is its own (the rest is files, such as the store and programs, that
        the kernel may drop)."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        kib = {name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "RssAnon")}
        return kib["VmRSS"] / 1024, kib["RssAnon"] / 1024


class Nginx(Loopback):
    """One worker that serves CONTENTS, bytes by path."""

    name = "nginx"
    port = 30298

    def __init__(self, contents):
        self._contents = contents

    def command(self, directory):
        directory.chmod(0o755)
        for path, content in self._contents.items():
            (directory / "files" / path.strip("/")).parent.mkdir(parents=True, exist_ok=True)
            (directory / "files" / path.strip("/")).write_bytes(content)
        (directory / "nginx.conf").write_text(f"""
            worker_processes 1; pid {directory}/nginx.pid; error_log stderr;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max={len(self._contents)};
              default_type application/json; {temporary_files(directory)}
              server {{ listen 127.0.0.1:{self.port}; root {directory}/files; }}
            }}""")
        return ["nginx", "-e", "stderr", "-c", directory / "nginx.conf", "-g", "daemon off;"]
