"""The management plane's API with 10 000 machines: reading beside nginx, writing beside fsync, memory."""

import os
import random
import shutil
import statistics
import tempfile
import time

from management import MACHINES, Management, Nginx, distance_ns
from results import Result

PAGE = 100  # machines
CONNECTIONS = 64
MEMORY_MIB = 64
AT_REST = 25  # seconds
PAGE_BYTES = 4096  # of the store, and of what is written beside it
FILE_PAGES = 4096
HEADER_BYTES = 120
TURNS = 5


def durable_us(directory, pages, has_header, rounds=500):
    """Median time of writing over so many pages of a file, at random places, and of making that durable: what the disk
    allows. With a header, which is written after all else is durable, it is what a commit of LMDB writes."""
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(os.urandom(FILE_PAGES * PAGE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        header = os.open(file.name, os.O_WRONLY | os.O_DSYNC)
        taken = []
        for _ in range(rounds):
            content = os.urandom(PAGE_BYTES)
            began = time.perf_counter()
            for _ in range(pages):
                os.pwrite(file.fileno(), content, random.randrange(1, FILE_PAGES) * PAGE_BYTES)
            os.fdatasync(file.fileno())
            if has_header:
                os.pwrite(header, content[:HEADER_BYTES], 0)
            taken.append((time.perf_counter() - began) * 1e6)
        os.close(header)
    return statistics.median(taken)


def peak_and_half(server, requests, seconds):
    """One turn: requests a second at full load, then the p99 at half of it, microseconds."""
    load = {"connections": CONNECTIONS, "seconds": seconds}
    peak = server.ask(requests, **load)["rate"]
    return peak, server.pace(requests, rate=peak / 2, **load)["p99"]


def reads(rouse, name, what, paths, seconds):
    """GETs of one kind: at full load, then at half of it, beside nginx, which has the same answers as files. Both are asked
    in turns: a virtual machine's cores may be moved, and where the client's is to the server's decides much."""
    contents = {f"/{number}": rouse.text(path) for number, path in enumerate(paths)}
    requests, files = ([("GET", path, None) for path in some] for some in (paths, contents))
    with Nginx(contents) as nginx:
        nginx.on_one_core()
        seconds = max(1, seconds // TURNS)
        turns = [(*peak_and_half(rouse, requests, seconds), *peak_and_half(nginx, files, seconds), distance_ns())
                 for _ in range(TURNS)]
    peak, half, peer_peak, peer_half, _ = (statistics.median(each) for each in zip(*turns))
    size = statistics.mean(map(len, contents.values()))
    note = f"{what} of {MACHINES} machines, {size:.0f} bytes; one core; median of {TURNS} turns"
    ratios = ", ".join(f"{own / other:.2f} ({distance:.0f})" for own, _, other, _, distance in turns)
    halves = ", ".join(f"{own:.0f} ({other:.0f})" for _, own, _, other, _ in turns)
    return [
        Result(f"api/get-{name}/peak", peak, "requests/s", peers={"nginx": peer_peak}, wanted="0.5 of nginx",
               reached=peak >= 0.5 * peer_peak, note=f"{note}, of nginx (ns from core to core): {ratios}"),
        Result(f"api/get-{name}/p99", half, "us", peers={"nginx": peer_half}, wanted="less than 1 ms at half of peak load",
               reached=half < 1000, note=f"median of {TURNS} turns (of nginx), each at half of its own peak: {halves}"),
    ]


def updates(rouse, requests, connections, seconds):
    """What the client sees, then how many updates and pages a commit has."""
    written, commits = rouse.written_bytes(), rouse.commits()
    seen = rouse.ask(requests, connections=connections, seconds=seconds)
    commits = rouse.commits() - commits
    return seen, seen["rate"] * seconds / commits, round((rouse.written_bytes() - written) / commits / PAGE_BYTES)


def writes(rouse, ids, seconds):
    requests = [("PATCH", f"/api/machines/{one}/", f'{{"cpu_cores":{random.randrange(1000)}}}')
                for one in random.sample(ids, 1000)]
    many, shared, pages_of_many = updates(rouse, requests, CONNECTIONS, seconds)
    one, _, pages = updates(rouse, requests, 1, seconds)
    fsync = durable_us(rouse.state, 1, has_header=False)
    least = durable_us(rouse.state, 1, has_header=True)
    return [
        Result("api/updates/64-clients", many["rate"], "updates/s",
               limit=("what the disk takes of such commits by themselves", shared * 1e6 / durable_us(rouse.state, pages_of_many, has_header=True)),
               wanted="5000, each durable before its answer", reached=many["rate"] >= 5000,
               note=f"p99 {many['p99'] / 1000:.1f} ms; {shared:.0f} updates and {pages_of_many} pages a commit"),
        Result("api/updates/one-client", one["p50"], "us",
               limit=(f"its {pages} pages and the header by themselves, median", durable_us(rouse.state, pages, has_header=True)),
               wanted="2 x fsync", reached=one["p50"] <= 2 * fsync,
               note=f"median, durable before its answer; an fsync of a page takes {fsync:.0f} us, LMDB's smallest commit, a page and "
                    f"then the header, {least:.0f} us"),
    ]


def bench(quick, say):
    for tool in ("nginx", "wrk"):
        if not shutil.which(tool):
            raise RuntimeError(f"{tool} is missing: run scripts/setup")
    seconds = 1 if quick else 10
    say(f"API: registering {MACHINES} machines")
    with Management(one_core=True) as rouse:
        ids = rouse.add_machines()
        rouse.settle()
        page = f"/api/machines/?limit={PAGE}"
        say("API: reading, rouse and nginx")
        results = reads(rouse, "machine", "each", [f"/api/machines/{one}/" for one in random.sample(ids, 1000)], seconds)
        results += reads(rouse, "page", f"each page of {PAGE}",
                         [page] + [f"{page}&after={last}" for last in sorted(ids)[PAGE - 1:-1:PAGE]], seconds)
    with Management() as rouse:
        ids = rouse.add_machines()
        rouse.settle()
        say("API: durable updates")
        results += writes(rouse, ids, seconds)
        busy, _ = rouse.memory()
        rouse.text("/o2ims-infrastructureInventory/v1/resources?limit=1")  # the O-Cloud's view is there, too
        time.sleep(AT_REST)
        total, own = rouse.memory()
    results.append(Result("api/memory", total, "MiB", wanted=f"{MEMORY_MIB} MiB", reached=total < MEMORY_MIB,
                          note=f"resident with {MACHINES} machines {AT_REST} s after the last request, {own:.1f} of it its own, the "
                               f"rest files' pages; {busy:.0f} MiB during the updates"))
    return results
