"""A centre with 500 simulated workers, 20 machines each: beats, long polls, and the take-over of a lost one's rack."""

import asyncio
import json
import math
import statistics
import time
import urllib.parse

from rack import ROOT, cpu_seconds, script
from results import Result

WORKERS = 500
MACHINES = 20  # of each
BEAT = 10
LOST_WITHIN = 35  # seconds from the last beat to the take-over
SETTING_UP = 64  # requests at once


class Api:
    """One kept connection to the centre's API, opened again when the centre closes it."""

    def __init__(self, url, token):
        self._where = urllib.parse.urlsplit(url)
        self._token, self._reader, self._writer = token, None, None

    async def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        head = (f"{method} {path} HTTP/1.1\r\nHost: {self._where.netloc}\r\nAuthorization: Bearer {self._token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
        for attempt in (1, 2):
            try:
                if self._writer is None:
                    self._reader, self._writer = await asyncio.open_connection(self._where.hostname, self._where.port)
                self._writer.write(head.encode() + data)
                return await self._answer(method, path)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if attempt == 2:
                    raise

    async def _answer(self, method, path):
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split()[1])
        length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")), 0)
        content = await self._reader.readexactly(length)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {content[:300]!r}")
        return json.loads(content) if content else None

    def close(self):
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None


class SimulatedWorker:
    """Beats every ten seconds and follows its racks, as rouse-mgmt does in that role."""

    def __init__(self, number, url, token):
        self.name = f"s{number}"
        self.beats, self.feed = Api(url, token), Api(url, token)
        self.late, self.last_beat, self.documents = [], None, 0

    async def beat(self, first):
        """LATE: seconds from when each beat was due until the centre had answered it."""
        due = first
        body = {"worker_id": self.name, "metrics": {"machines": MACHINES},
                "services": {"dhcp": {"status": "running"}, "tftp": {"status": "running"}}}
        while True:
            await asyncio.sleep(due - time.monotonic())
            await self.beats.call("POST", "/api/ims-worker/heartbeat/", body)
            self.last_beat = time.monotonic()
            self.late.append(self.last_beat - due)
            due += BEAT

    async def follow(self):
        after, epoch, mark = 0, "", ""
        while True:
            news = await self.feed.call("GET", f"/api/ims-worker/{self.name}/changes/?after={after}&epoch={epoch}"
                                               f"&mark={mark}&wait=25&limit=500")
            after, epoch, mark = news["sequence"], news["epoch"], news["mark"]
            self.documents += len(news["documents"])


async def side_by_side(jobs, url, token):
    """Runs JOBS, functions of an Api, so many at once that the centre commits them in groups."""
    waiting = iter(jobs)

    async def some():
        api = Api(url, token)
        for job in waiting:
            await job(api)
        api.close()
    await asyncio.gather(*(some() for _ in range(SETTING_UP)))


async def set_up(url, token):
    tokens, clusters = {}, {}

    async def register(number, api):
        answer = await api.call("POST", "/api/ims-worker/register/", {"worker_id": f"s{number}", "ip_address": "10.78.0.1"})
        tokens[number] = answer["token"]
        await api.call("POST", "/api/ims-worker/heartbeat/", {"worker_id": f"s{number}"})

    async def give(number, api):
        made = await api.call("POST", "/api/cluster/", {"name": f"rack{number}", "worker": f"s{number}",
                                                        "standby": f"s{(number + 1) % WORKERS}"})
        clusters[number] = made["id"]

    async def add(number, machine, api):
        mac = 0x020000000000 + number * 256 + machine
        await api.call("POST", "/api/machines/", {
            "hostname": f"node{machine}", "mac": ":".join(f"{mac >> shift & 255:02x}" for shift in range(40, -1, -8)),
            "cluster": clusters[number]})

    def each(function):
        return [lambda api, n=number: function(n, api) for number in range(WORKERS)]
    await side_by_side(each(register), url, token)
    await side_by_side(each(give), url, token)
    await side_by_side([lambda api, n=number, m=machine: add(n, m, api)
                        for number in range(WORKERS) for machine in range(MACHINES)], url, token)
    return tokens, clusters


async def run(url, token, management, seconds, say):
    started = time.monotonic()
    tokens, clusters = await set_up(url, token)
    say(f"centre: {WORKERS} workers and {WORKERS * MACHINES} machines are there after {time.monotonic() - started:.0f} s")
    workers = [SimulatedWorker(number, url, tokens[number]) for number in range(WORKERS)]
    now = time.monotonic()
    following = [asyncio.create_task(worker.follow()) for worker in workers]
    beating = [asyncio.create_task(worker.beat(now + BEAT * number / WORKERS)) for number, worker in enumerate(workers)]
    try:
        await asyncio.sleep(BEAT + 1)  # each has beaten once and has what it follows
        lost, api = workers[0], Api(url, token)
        beating[0].cancel()
        following[0].cancel()
        for worker in workers:
            worker.late.clear()
        begun, spent = time.monotonic(), cpu_seconds(management)
        taken = None
        while time.monotonic() < begun + seconds or (taken is None and time.monotonic() < lost.last_beat + 60):
            if taken is None and (await api.call("GET", f"/api/cluster/{clusters[0]}/"))["served_by"] == workers[1].name:
                taken = time.monotonic() - lost.last_beat
            await asyncio.sleep(0.2)
        share = (cpu_seconds(management) - spent) / (time.monotonic() - begun)
        failed = [task for task in beating[1:] + following[1:] if task.done()]
        if failed:
            raise RuntimeError(f"{len(failed)} of the simulated workers gave up: {failed[0].exception()}")
        if any(worker.documents < MACHINES + 1 for worker in workers):
            raise RuntimeError("not every worker was told of its machines")
        return sorted(late for worker in workers for late in worker.late), share, taken
    finally:
        for task in beating + following:
            task.cancel()
        await asyncio.gather(*beating, *following, return_exceptions=True)


def bench(quick, say):
    say(f"centre: {WORKERS} simulated workers")
    script("appliance", "start", "--fresh")
    try:
        settings = dict(word.partition("=")[::2] for word in (ROOT / "build/appliance/env").read_text().split() if "=" in word)
        management = int((ROOT / "build/appliance/mgmt.pid").read_text())
        url, token = settings["ROUSE_URL"], settings["ROUSE_TOKEN"]
        asyncio.run(Api(url, token).call("POST", "/api/ip-pools/", {"cidr": "10.64.0.0/12"}))
        late, share, taken = asyncio.run(run(url, token, management, 20 if quick else 60, say))
    finally:
        script("appliance", "stop")
    p99 = late[math.ceil(0.99 * len(late)) - 1]
    note = f"{WORKERS} workers with {MACHINES} machines each, {len(late)} heartbeats, each with a long poll"
    return [
        Result("centre/heartbeat-late/p99", p99 * 1e3, "ms", wanted="all within 1 s of due", reached=late[-1] < 1,
               note=f"{note}; median {statistics.median(late) * 1e3:.1f} ms, latest {late[-1] * 1e3:.0f} ms"),
        Result("centre/cpu", share, "cores", wanted="below one core", reached=share < 1, note=note),
        Result("centre/take-over", taken or math.nan, "s", wanted=f"within {LOST_WITHIN} s of the last heartbeat",
               reached=taken is not None and taken < LOST_WITHIN, note="a silent worker's rack is its standby's"),
    ]
