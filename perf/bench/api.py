"""The management plane's API with 10 000 machines: reading beside nginx, writing beside fsync, memory."""

import os
import random
import shutil
import statistics
import tempfile
import time

from management import MACHINES, Management, Nginx
from results import Result

PAGE = 100  # machines
CONNECTIONS = 64
MEMORY_MIB = 64
PAGE_BYTES = 4096  # of what is written before an fsync


def fsync_us(directory, rounds=1000):
    """Median time of writing over a page of a file and making that durable: what the disk allows."""
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(os.urandom(256 * PAGE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        taken = []
        for _ in range(rounds):
            os.pwrite(file.fileno(), os.urandom(PAGE_BYTES), random.randrange(256) * PAGE_BYTES)
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken)


def reads(rouse, name, what, requests, content, seconds):
    """GETs of one kind: at full load beside nginx, which has CONTENT as a file, then at half of it."""
    peak = rouse.ask(requests, connections=CONNECTIONS, seconds=seconds)["rate"]
    with Nginx({"/file": content}) as nginx:
        peer = nginx.on_one_core().ask([("GET", "/file", None)], connections=CONNECTIONS, seconds=seconds)["rate"]
    pause_ms = max(1, round(CONNECTIONS / (peak / 2) * 1000))
    half = rouse.ask(requests, connections=CONNECTIONS, seconds=seconds, pause_ms=pause_ms)
    note = f"{what} of {MACHINES} machines, {len(content)} bytes; one core"
    return [
        Result(f"api/get-{name}/peak", peak, "requests/s", peers={"nginx": peer}, wanted="0.5 of nginx",
               reached=peak >= 0.5 * peer, note=note),
        Result(f"api/get-{name}/p99", half["p99"], "us", wanted="less than 1 ms at half of peak load",
               reached=half["p99"] < 1000, note=f"at {half['rate']:.0f} requests/s; p99.9 is {half['p999']:.0f} us"),
    ]


def writes(rouse, ids, seconds):
    requests = [("PATCH", f"/api/machines/{one}/", f'{{"cpu_cores":{random.randrange(1000)}}}')
                for one in random.sample(ids, 1000)]
    many = rouse.ask(requests, connections=CONNECTIONS, seconds=seconds)
    one = rouse.ask(requests, connections=1, seconds=seconds)
    fsync = fsync_us(rouse.state)
    return [
        Result("api/updates/64-clients", many["rate"], "updates/s", wanted="5000, each durable before its answer",
               reached=many["rate"] >= 5000, note=f"p99 {many['p99'] / 1000:.1f} ms"),
        Result("api/updates/one-client", one["p50"], "us", limit=("fsync of a page on the same disk, median", fsync),
               wanted="2 x fsync", reached=one["p50"] <= 2 * fsync, note="median, durable before its answer"),
    ]


def bench(quick, say):
    for tool in ("nginx", "wrk"):
        if not shutil.which(tool):
            raise RuntimeError(f"{tool} is missing: run scripts/setup")
    seconds = 1 if quick else 10
    say(f"API: registering {MACHINES} machines")
    with Management() as rouse:
        ids = rouse.add_machines()
        machine, page = f"/api/machines/{ids[0]}/", f"/api/machines/?limit={PAGE}"
        say("API: reading, rouse and nginx")
        rouse.on_one_core()
        results = reads(rouse, "machine", "one", [("GET", f"/api/machines/{one}/", None) for one in random.sample(ids, 1000)],
                        rouse.text(machine), seconds)
        results += reads(rouse, "page", f"a page of {PAGE}",
                         [("GET", f"{page}&after={one}", None) for one in random.sample(sorted(ids)[:-PAGE], 1000)],
                         rouse.text(page), seconds)
        say("API: durable updates")
        rouse.on_all_cores()
        results += writes(rouse, ids, seconds)
        total, own = rouse.memory()
    results.append(Result("api/memory", total, "MiB", wanted=f"{MEMORY_MIB} MiB", reached=total < MEMORY_MIB,
                          note=f"resident with {MACHINES} machines, {own:.1f} of it its own, the rest files' pages"))
    return results
