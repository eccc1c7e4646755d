"""Boot files by HTTP against nginx with sendfile: one large file, many connections."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess

from rack import CLIENT_MAC, SERVER, Program, cpu_seconds, in_rack
from results import Result
from servers import Rouse

NGINX_PORT, BARE_PORT = 8081, 8082
FILE_BYTES = 100 * 1000 * 1000
CONNECTIONS = 64
ADDRESS = "10.77.2.1"  # of the machine that client0 plays
FILE = "http-bench/file"


class Nginx(Program):
    name = "nginx"

    def __init__(self, content):
        self._content = content

    def command(self, directory):
        directory.chmod(0o755)
        (directory / "files").mkdir()
        (directory / "files" / "file").write_bytes(self._content)
        (directory / "nginx.conf").write_text(f"""
            worker_processes 2;
            pid {directory}/nginx.pid;
            error_log stderr;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
              client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
              uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
              server {{ listen {SERVER}:{NGINX_PORT}; root {directory}/files; }}
            }}""")
        return ["nginx", "-e", "stderr", "-c", directory / "nginx.conf", "-g", "daemon off;"]


class BareSendfile(Program):
    """No server: sendfile(2) for whatever is asked."""

    name = "bare sendfile"

    def __init__(self, content):
        self._content = content

    def command(self, directory):
        (directory / "file").write_bytes(self._content)
        return ["/usr/bin/python3", pathlib.Path(__file__).with_name("bare_sendfile.py"), SERVER, BARE_PORT, directory / "file"]


def measure(url, spent, seconds):
    """Gbit/s that the clients got, and the server's CPU seconds per GiB."""
    before = spent()
    out = subprocess.run(in_rack("client", "wrk", "-t", 2, "-c", CONNECTIONS, "-d", f"{seconds}s", "--timeout", "60s",
                                 url), check=True, capture_output=True, text=True, timeout=seconds + 120).stdout
    read = re.search(r"requests in ([0-9.]+)s, ([0-9.]+)([KMGT]?)B read", out)
    if not read or "Non-2xx" in out:
        raise RuntimeError(f"wrk did not get {url}:\n{out}")
    total = float(read[2]) * {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}[read[3]]
    return total * 8 / 1e9 / float(read[1]), (spent() - before) / (total / 2**30)


def compare(content, seconds, rounds):
    """By server: medians of rounds, taken in turn, so that what else the machine does is shared."""
    with Rouse([CLIENT_MAC], {FILE: content}, ADDRESS) as rouse, Nginx(content) as nginx, BareSendfile(content) as bare:
        management = rouse.appliance.pid("mgmt")
        subprocess.run(in_rack("client", "ip", "address", "replace", f"{ADDRESS}/16", "dev", "client0"), check=True)
        try:
            servers = {"rouse": (f"http://{SERVER}/boot/{FILE}", lambda: cpu_seconds(management)),
                       "nginx": (f"http://{SERVER}:{NGINX_PORT}/file", nginx.cpu_seconds),
                       "bare": (f"http://{SERVER}:{BARE_PORT}/file", bare.cpu_seconds)}
            taken = {name: [] for name in servers}
            for _ in range(rounds):
                for name, (url, spent) in servers.items():
                    taken[name].append(measure(url, spent, seconds))
        finally:
            subprocess.run(in_rack("client", "ip", "address", "flush", "dev", "client0"), check=True)
    return {name: [statistics.median(column) for column in zip(*samples)] for name, samples in taken.items()}


def bench(quick, say):
    for tool in ("nginx", "wrk"):
        if not shutil.which(tool):
            raise RuntimeError(f"{tool} is missing: run scripts/setup")
    say("HTTP: rouse and nginx")
    measured = compare(os.urandom(FILE_BYTES), *((2, 1) if quick else (10, 5)))
    (goodput, cost), (peer_goodput, peer_cost), bare = measured["rouse"], measured["nginx"], measured["bare"]
    limit = "sendfile for whatever is asked"
    note = f"a file of 100 MB, {CONNECTIONS} connections"
    return [
        Result("http/veth/goodput", goodput, "Gbit/s", (limit, bare[0]), {"nginx": peer_goodput}, wanted="0.9 of nginx with sendfile",
               reached=goodput >= 0.9 * peer_goodput, note=note),
        Result("http/veth/cpu", cost, "CPU s/GiB", (limit, bare[1]), {"nginx": peer_cost}, note=note),
    ]
