#!/usr/bin/python3
"""Boot files by HTTP against nginx with sendfile: one large file, many connections, in the virtual rack.

Usage: perf/http_boot.py [--quick] [--json FILE]
Needs an appliance that runs (scripts/appliance start) and rouse-client's interface client0, whose machine it registers.
Prints results as scripts/bench does; exit 0 whatever they are.
"""

import argparse
import ipaddress
import json
import os
import pathlib
import re
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
CLIENT_MAC = "02:00:5e:10:00:01"  # of client0, see scripts/rack
SERVER = "10.77.0.1"
NGINX_PORT = 8081
FILE_BYTES = 100 * 1000 * 1000
CONNECTIONS = 64
TICKS = os.sysconf("SC_CLK_TCK")


def inside(host, *command):
    return [str(ROOT / "scripts" / "rack"), "exec", host, *map(str, command)]


class Api:
    def __init__(self):
        words = shlex.split((ROOT / "build" / "appliance" / "env").read_text())
        settings = dict(word.split("=", 1) for word in words if "=" in word)
        self.url, self.token = settings["ROUSE_URL"], settings["ROUSE_TOKEN"]

    def request(self, method, path, body=None, raw=None):
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", "Bearer " + self.token)
        request.add_header("Content-Type", "application/octet-stream" if raw is not None else "application/json")
        with urllib.request.urlopen(request, timeout=120) as response:
            content = response.read()
            return json.loads(content) if content else None


def prepare_client(api):
    """Registers client0 as a machine and gives it its address."""
    machines = api.request("GET", f"/api/machines/?mac={CLIENT_MAC}")
    if not machines:
        if not api.request("GET", "/api/ip-pools/"):
            api.request("POST", "/api/ip-pools/", {"cidr": "10.77.0.0/16", "gateway": SERVER})
        machines = [api.request("POST", "/api/machines/", {"hostname": "http-bench", "mac": CLIENT_MAC})]
    address = str(ipaddress.ip_address(machines[0]["ip"]))
    subprocess.run(inside("client", "ip", "address", "replace", f"{address}/16", "dev", "client0"), check=True)
    return address


def start_nginx(directory):
    (directory / "nginx.conf").write_text(f"""
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
  uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  server {{ listen {SERVER}:{NGINX_PORT}; root {directory}/files; }}
}}
""")
    process = subprocess.Popen(inside("appliance", "nginx", "-c", directory / "nginx.conf", "-g", "daemon off;"),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while subprocess.run(inside("client", "curl", "-fsS", "-m", "2", "-r", "0-0", "-o", "/dev/null",
                                f"http://{SERVER}:{NGINX_PORT}/file"), check=False, capture_output=True).returncode:
        assert time.monotonic() < deadline, "nginx does not answer: " + (directory / "error.log").read_text()
        time.sleep(0.1)
    return process


def family(pid):
    """The process and its children."""
    pids = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pids += family(int(child))
    return pids


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def measure(url, pids, seconds):
    """Bytes per second that the clients got, and the server's CPU seconds per GiB."""
    before = cpu_seconds(pids)
    out = subprocess.run(inside("client", "wrk", "-t", "2", "-c", CONNECTIONS, "-d", f"{seconds}s", "--timeout", "60s", url),
                         check=True, capture_output=True, text=True, timeout=seconds + 120).stdout
    assert "Non-2xx" not in out, out
    spent = cpu_seconds(pids) - before
    read = re.search(r"requests in ([0-9.]+)s, ([0-9.]+)([KMGT]?)B read", out)
    assert read, out
    total = float(read[2]) * {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}[read[3]]
    return total / float(read[1]), spent / (total / 2**30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short rounds")
    parser.add_argument("--json", metavar="FILE", help="write the results there too")
    options = parser.parse_args()
    for tool in ("nginx", "wrk"):
        assert shutil.which(tool), f"{tool} is missing: run scripts/setup"
    seconds, rounds = (3, 3) if options.quick else (10, 5)

    api = Api()
    prepare_client(api)
    content = os.urandom(FILE_BYTES)
    api.request("PUT", "/api/images/http-bench/file", raw=content)
    # "scripts/appliance" keeps its processes' ids there; the id is that of the process itself.
    mgmt = family(int((ROOT / "build" / "appliance" / "mgmt.pid").read_text()))
    with tempfile.TemporaryDirectory(prefix="http-bench-") as name:
        directory = pathlib.Path(name)
        os.chmod(directory, 0o755)
        (directory / "files").mkdir()
        (directory / "files" / "file").write_bytes(content)
        nginx = start_nginx(directory)
        try:
            servers = {"rouse": (f"http://{SERVER}/boot/http-bench/file", mgmt),
                       "nginx": (f"http://{SERVER}:{NGINX_PORT}/file", family(nginx.pid))}
            samples = {name: [] for name in servers}
            for _ in range(rounds):  # in turn, so that what else the machine does is shared
                for name, (url, pids) in servers.items():
                    samples[name].append(measure(url, pids, seconds))
        finally:
            nginx.terminate()
            nginx.wait(timeout=10)
            api.request("DELETE", "/api/images/http-bench/file")
    rate = {name: statistics.median(one[0] for one in taken) for name, taken in samples.items()}
    cost = {name: statistics.median(one[1] for one in taken) for name, taken in samples.items()}

    def result(name, figures, unit):
        ratio = round(figures["rouse"] / figures["nginx"], 3)
        limit = {"what": "nginx with sendfile, same file, connections and namespaces", "value": figures["nginx"]}
        return {"name": name, "value": figures["rouse"], "unit": unit, "limit": limit, "ratio_to_limit": ratio,
                "peers": [{"name": "nginx", "value": figures["nginx"], "ratio": ratio}]}

    text = json.dumps({"results": [
        result("boot files by HTTP, 100 MB, 64 connections", rate, "bytes/s"),
        result("CPU for boot files by HTTP", cost, "s/GiB"),
    ]}, indent=2)
    print(text)
    if options.json:
        pathlib.Path(options.json).write_text(text + "\n")


if __name__ == "__main__":
    main()
