"""Live events: a boot storm, written into the event ring in the dataplane's place, reaches WebSocket clients."""

import json
import subprocess

import load
from management import Management
from rack import BIN
from results import Plot, Result, percentiles

MACHINES, RATE, CLIENTS = 5000, 4, 20


def storm(management, seconds):
    """What rouse-storm says: how many, and how old they were when they came in, milliseconds."""
    command = [BIN / "rouse-storm", "--run-dir", management.run_dir, "--port", management.port,
               "--token", management.headers["Authorization"].split()[1], "--first-mac", load.FIRST_MAC,
               "--machines", MACHINES, "--rate", RATE, "--seconds", seconds, "--clients", CLIENTS]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def bench(quick, say):
    seconds = 10 if quick else 20
    say(f"events: {MACHINES} machines, {RATE} events a second each, {CLIENTS} WebSocket clients")
    with Management() as management:
        management.add_machines()
        idle, before = management.memory()[1], management.cpu_seconds()
        report = storm(management, seconds)
        cores = (management.cpu_seconds() - before) / seconds
        busy = management.memory()[1]
    delays = report["delay_ms"]
    note = (f"{report['events']} events in {seconds} s; {report['entries_received']} entries told to {CLIENTS} clients, "
            f"{report['merged']} merged, {report['catch_ups']} catch-ups, {report['events_lost']} lost in the ring; "
            f"{cores:.2f} cores of rouse-mgmt")
    say(f"      p50 {delays['p50']} ms, p99 {delays['p99']} ms; {note}")
    in_us = {"delay_us": {name: value * 1000 for name, value in delays.items()}}
    return [
        Result("events/delay_p50", delays["p50"], "ms", note=note),
        Result("events/delay_p99", delays["p99"], "ms", wanted="under 1 s", reached=delays["p99"] < 1000, note=note),
        Result("events/memory", busy, "MiB", note=f"its own, after the storm; {idle:.0f} MiB before it, without clients"),
        Plot("events-delay", "Live events: from the event to its receipt", "percentile", "microseconds",
             percentiles({"rouse": in_us}, "delay_us"), kind="bars", log_y=True, note=f"{note}; less is better"),
    ]
