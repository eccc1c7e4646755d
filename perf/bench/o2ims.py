"""The O2ims services with 10 000 resources: pages with filters, provisioning requests, and changes that reach subscribers."""

import http.client
import json
import math
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from management import MACHINES, Loopback, Management, temporary_files
from results import Result
from servers import macs

PAGE = 100
REQUESTS, AT_ONCE = 100, 10  # provisioning requests
LIVE, DEAD = 9, 1  # subscribers
TOLD_WITHIN = 10  # seconds
INVENTORY = "/o2ims-infrastructureInventory/v1"
PROVISIONING = "/o2ims-infrastructureProvisioning/v1/provisioningRequests"


class Subscribers(Loopback):
    """nginx, which answers 204 to every notification and writes down its id, one log for each subscriber."""

    name = "nginx"
    port, sink = 30296, 30295

    def command(self, directory):
        directory.chmod(0o777)
        self._logs = directory
        self._counted = {}  # by log: how many bytes of it, and their lines
        # A body is read only by who passes it on: each is passed to a second server.
        (directory / "nginx.conf").write_text(f"""
            worker_processes 1; pid {directory}/nginx.pid; error_log stderr;
            events {{ worker_connections 1024; }}
            http {{
              log_format told escape=none '$request_body'; client_body_buffer_size 64k; keepalive_requests 1000000000;
              {temporary_files(directory)}
              upstream sink {{ server 127.0.0.1:{self.sink}; keepalive 32; }}
              server {{ listen 127.0.0.1:{self.sink}; access_log off; location / {{ return 204; }} }}
              server {{
                listen 127.0.0.1:{self.port};
                location ~ ^/(?<who>[0-9]+)$ {{
                  access_log {directory}/told-$who.log told;
                  proxy_pass http://sink; proxy_http_version 1.1; proxy_set_header Connection "";
                }}
              }}
            }}""")
        return ["nginx", "-e", "stderr", "-c", directory / "nginx.conf", "-g", "daemon off;"]

    def told(self, who):
        """How many notifications. Reads what is new: the cores are those of what is measured."""
        path = self._logs / f"told-{who}.log"
        if not path.exists():
            return 0
        at, lines = self._counted.get(who, (0, 0))
        with open(path, "rb") as log:
            log.seek(at)
            new = log.read()
        self._counted[who] = at + len(new), lines + new.count(b"\n")
        return self._counted[who][1]

    def first(self, who):
        """The body of the first."""
        with open(self._logs / f"told-{who}.log") as log:
            return log.readline().rstrip("\n")

    def ids(self, who):
        """Which, in their order."""
        return [json.loads(line)["notificationId"] for line in (self._logs / f"told-{who}.log").read_text().splitlines()]


def pages(rouse, seconds):
    pools = json.loads(rouse.text(f"{INVENTORY}/resourcePools"))
    url = f"{INVENTORY}/resourcePools/{pools[0]['resourcePoolId']}/resources"
    some = json.loads(rouse.text(f"{url}?limit={PAGE}"))
    if len(some) != PAGE:
        raise RuntimeError(f"{len(some)} resources on a page of {PAGE}")
    one = some[PAGE // 2]
    kinds = {
        "indexed": (2000, "a filter on an indexed attribute", f"(eq,resourceTypeId,{one['resourceTypeId']})"),
        "by-id": (2000, "a filter on the resource's id", f"(eq,resourceId,{one['resourceId']})"),
        "any": (20000, "a filter on any attribute, one hit", f"(eq,extensions/hostname,{one['extensions']['hostname']})"),
        "last": (20000, "a filter on what each object's text has last", "(cont,tags,nobody)"),
        "none": (20000, "a filter that nothing passes", "(cont,extensions/hostname,nobody)"),
    }
    results = []
    for name, (at_most, what, text) in kinds.items():
        request = [("GET", f"{url}?limit={PAGE}&filter={text}", None)]
        alone = rouse.ask(request, connections=1, seconds=seconds)
        results.append(Result(f"o2ims/page-{name}/p99", alone["p99"], "us", wanted=f"under {at_most / 1000:g} ms",
                              reached=alone["p99"] < at_most,
                              note=f"a page of {PAGE} of {MACHINES} resources, {what}; median {alone['p50']:.0f} us, "
                                   f"{alone['rate']:.0f} requests/s of one client"))
    return results


def post_at_once(port, path, headers, bodies):
    """AT_ONCE clients with a connection each send BODIES. How long each took, in order of that, and all of them: seconds."""
    taken = []

    def send(share):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for body in share:
            begun = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            taken.append(time.perf_counter() - begun)
            if answer.status >= 300:
                raise RuntimeError(f"POST {path}: {answer.status} {content[:300]!r}")

    begun = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(send, (bodies[at::AT_ONCE] for at in range(AT_ONCE))))
    return sorted(taken), time.perf_counter() - begun


def p99(taken):
    return taken[math.ceil(0.99 * len(taken)) - 1]


def provisioning(rouse, subscribers, ids):
    rouse.post("/api/boot-profiles/", {"name": "bench", "loaders": {}})
    bodies = [json.dumps({
        "provisioningRequestId": str(uuid.uuid4()), "name": f"request {number}", "description": "",
        "templateName": "bench", "templateVersion": "1.0.0",
        "templateParameters": {"servers": [{"hostname": f"bench-{number}", "mac": f"52:54:01:00:00:{number:02x}"}]},
    }) for number in range(REQUESTS)]
    taken, whole = post_at_once(rouse.port, PROVISIONING, rouse.headers, bodies)
    client, _ = post_at_once(subscribers.port, f"/{LIVE}", rouse.headers, bodies)
    note = f"{REQUESTS} provisioning requests, {AT_ONCE} clients at once; {len(ids)} machines"
    return [Result("o2ims/provisioning/all-accepted", whole, "s", wanted="under 1 s", reached=whole < 1, note=note),
            Result("o2ims/provisioning/p99", p99(taken) * 1000, "ms",
                   limit=("the same clients, and nginx that takes it all and stores nothing", p99(client) * 1000),
                   wanted="under 20 ms", reached=p99(taken) < 0.02,
                   note=f"{note}; median {taken[len(taken) // 2] * 1000:.1f} ms, of nginx {client[len(client) // 2] * 1000:.1f}")]


def changes(rouse, subscribers, seconds):
    """From the import of MACHINES until each subscriber that is there was told of all."""
    def subscribe(callback):
        rouse.post(f"{INVENTORY}/subscriptions",
                   {"callback": callback, "filter": "(eq,objectType,ResourcePoolInfo)|(eq,objectType,ResourceTypeInfo)"})

    for who in range(LIVE):
        subscribe(subscribers.url(f"/{who}"))
    subscribe("http://127.0.0.1:9/dead")
    told = lambda: [subscribers.told(who) for who in range(LIVE)]
    before = None
    while before != (before := told()):  # what was changed while they subscribed
        time.sleep(1)
    rows = [{"hostname": f"late-{number}", "mac": mac} for number, mac in enumerate(macs("52:54:02:00:00:00", MACHINES))]
    begun = time.monotonic()
    rouse.post("/api/machines/import/", rows)
    imported = time.monotonic() - begun
    while min(now - then for now, then in zip(told(), before)) < MACHINES:
        if time.monotonic() > begun + 60:
            raise RuntimeError(f"told: {told()} of {MACHINES} after {before}")
        time.sleep(0.05)
    taken = time.monotonic() - begun
    orders = [subscribers.ids(who)[then:] for who, then in enumerate(before)]
    in_order = all(order == orders[0] and len(set(order)) == len(order) for order in orders)
    # What nginx takes when one of the two cores does nothing but send.
    rate = subscribers.ask([("POST", f"/{LIVE}", subscribers.first(0))], connections=LIVE, seconds=seconds)["rate"]
    return [
        Result("api/import", imported, "s", wanted="under 2 s", reached=imported < 2,
               note=f"{MACHINES} machines in one request, all or nothing; {LIVE + DEAD} O2ims subscribers are waiting"),
        Result("o2ims/changes/told", taken, "s", limit=("as many POSTs by wrk to the same nginx", LIVE * MACHINES / rate),
               wanted=f"under {TOLD_WITHIN} s, in order", reached=taken < TOLD_WITHIN and in_order,
               note=f"{MACHINES} changes to {LIVE} subscribers and {DEAD} that is dead, from the import's request to the last "
                    f"answer; in order: {'yes' if in_order else 'NO'}; the subscribers are nginx on the same cores")]


def bench(quick, say):
    seconds = 1 if quick else 10
    say(f"O2ims: registering {MACHINES} machines")
    with Management("--o2ims.callback_http", "true", "--o2ims.callback_loopback", "true") as rouse:
        ids = rouse.add_machines()
        say("O2ims: pages and provisioning requests")
        rouse.on_one_core()
        results = pages(rouse, seconds)
        rouse.on_all_cores()
        with Subscribers() as subscribers:
            results += provisioning(rouse, subscribers, ids)
            say("O2ims: changes to subscribers")
            results += changes(rouse, subscribers, seconds)
    return results
