"""How many instructions the hot paths take, and which functions take most of them: callgrind counts, so the same every
time, whatever else the machine does."""

import collections
import pathlib
import re
import shutil
import subprocess
import tempfile

from rack import BIN
from results import Result

TURN = "rouse::worker::Worker<rouse::port::MemoryPort>::turn*"  # what the worker does, and nothing of the benchmark's
# By name of the figure: the program, its benchmark, and the counter that says how many packets were handled.
PATHS = {
    "dhcp/memory/instructions": ("rouse-micro-dhcp", "exchange_few/1000", "exchanges", 2,
                                 "a DHCP message answered; 1 000 machines, 25 times each"),
    "tftp/memory/instructions": ("rouse-micro-tftp", "ack_to_data_few/64/1", "packets", 1,
                                 "an ACK answered by 1428 bytes"),
}
SPOTS = 3


def count(program, benchmark):
    """What callgrind wrote of one benchmark, only WORKER's turns counted; and the benchmark's own counters."""
    with tempfile.TemporaryDirectory() as directory:
        out, counted = pathlib.Path(directory) / "callgrind", pathlib.Path(directory) / "out.json"
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={TURN}",
                        f"--callgrind-out-file={out}", "--quiet", BIN / program, f"--benchmark_filter=^{re.escape(benchmark)}",
                        f"--benchmark_out={counted}", "--benchmark_out_format=json"],
                       check=True, capture_output=True, timeout=280)
        return out.read_text(), counted.read_text()


def by_function(text):
    """Instructions of each function itself, from callgrind's format: cost lines follow the function that they are of, and
    a line after `calls=` is the callee's."""
    names, spent, current, skip = {}, collections.Counter(), "", False
    for line in text.splitlines():
        if match := re.match(r"c?fn=\((\d+)\)(?: (.*))?$", line):
            if match[2]:
                names[match[1]] = match[2]
            if not line.startswith("c"):
                current = match[1]
        elif line.startswith("calls="):
            skip = True
        elif match := re.match(r"[+\-*\d]\S* (\d+)", line):
            if not skip:
                spent[current] += int(match[1])
            skip = False
    return collections.Counter({names[number]: cost for number, cost in spent.items()})


def short(name):
    """A function as people name it."""
    name = re.sub(r"\(.*", "", re.sub(r"'\d+$", "", name))
    while "<" in name and (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    return name.removeprefix("rouse::")


def measure(name):
    program, benchmark, counter, packets_each, what = PATHS[name]
    text, counted = count(program, benchmark)
    spent = by_function(text)
    packets = float(re.search(rf'"{counter}": ([0-9.e+]+)', counted)[1]) * packets_each
    total = sum(spent.values())
    spots = ", ".join(f"{short(function)} {cost / packets:.0f} ({100 * cost / total:.0f} %)"
                      for function, cost in spent.most_common(SPOTS))
    return Result(name, total / packets, "instructions", note=f"{what}; most of them: {spots}")


def bench(_quick, say):
    if not shutil.which("valgrind"):
        raise RuntimeError("valgrind is missing: run scripts/setup --bench")
    figures = []
    for name in PATHS:
        say(f"instructions: {name.partition('/')[0]}")
        figures.append(measure(name))
    return figures
