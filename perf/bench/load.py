"""rouse-load, the client that all servers are measured with."""

import json
import pathlib
import subprocess
import tempfile

from rack import BIN, SERVER, in_rack

FIRST_MAC = "52:54:00:00:00:00"
FIRST_ADDRESS = "10.77.2.1"  # of machines that lease none
BLOCK = 1428  # bytes, of every transfer that is compared


def run(machines, *options, timeout=120):
    """One run of the simulated rack of so many machines; its report."""
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "report.json"
        done = subprocess.run(
            in_rack("client", BIN / "rouse-load", "--port", "xdp:client0", "--machines", machines, "--first-mac",
                    FIRST_MAC, "--quiet", "--json", report, *options),
            capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"rouse-load: {done.stderr.strip()}")
        return json.loads(report.read_text())


def at_rate(machines, rate, seconds):
    """So many exchanges begin each second, whatever the server does; who has no answer after a second, resends."""
    return run(machines, "--scenario", "rate", "--rate", rate, "--seconds", seconds, "--resend-after", 1000,
               "--drain", 1)


def keep(content):
    """A file that holds these bytes, for the client to compare with; its path. The caller's to unlink."""
    with tempfile.NamedTemporaryFile(prefix="bench-", delete=False) as file:
        file.write(content)
    return pathlib.Path(file.name)


def fetch(machines, file, seconds, *, window=1, verify=True):
    """So many machines fetch a file all the time, again and again. FILE: a name, or name=path to compare it with."""
    return run(machines, "--address-base", FIRST_ADDRESS, "--server", SERVER, "--kind", "windowed", "--block-size",
               BLOCK, "--window", window, "--file", file, "--scenario", "closed", "--outstanding", machines,
               "--seconds", seconds, "--drain", 0, *(() if verify else ("--no-verify",)))


def is_clean(report, rate):
    """Nothing was lost, and the client kept the pace that it was asked for."""
    return report["lost"] == 0 and report["failed"] == 0 and report["exchanges_per_second"] > 0.95 * rate


def highest_clean_rate(machines, first, seconds, precision):
    """The highest rate, exchanges per second, at which nothing is lost; and the report of that run. A rate is given
    up only when it fails twice: a hiccup of the machine is not the server's fault."""
    best, worst, best_report = 0, None, None
    rate = first
    while worst is None or worst > best * (1 + precision):
        for _ in range(2):
            report = at_rate(machines, rate, seconds)
            if is_clean(report, rate):
                break
        if is_clean(report, rate):
            best, best_report = rate, report
        else:
            worst = rate
        if rate <= 1:
            break
        rate = rate * 2 if worst is None else worst / 2 if best == 0 else (best + worst) / 2
        rate = int(rate)
    return best, best_report
