"""Measures rouse, its limits and its peers in one run. Started by scripts/bench, which builds first."""

import argparse
import os
import sys
import time

import api
import avalanche
import boot
import dhcp
import dpdk
import events
import http_boot
import instructions
import micro
import o2ims
import publish
import rack
import report
import rest
import results
import scaling
import tftp
import workers_centre

# Each returns Results and Plots.
PARTS = {
    "micro": lambda quick, say: micro.bench(say),
    "dhcp": dhcp.bench,
    "avalanche": avalanche.bench,
    "tftp": tftp.bench,
    "workers": scaling.bench,
    "http": http_boot.bench,
    "boot": boot.bench,
    "api": api.bench,
    "o2ims": o2ims.bench,
    "dpdk": dpdk.bench,
    "events": events.bench,
    "start": rest.bench,
    "instructions": instructions.bench,
    "centre": workers_centre.bench,
}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer machines: within 5 minutes")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--html", metavar="FILE", default=rack.ROOT / "build" / "bench" / "report.html",
                        help="the figures and plots as a page (build/bench/report.html)")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmark.md and the README's table")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be given again")
    options = parser.parse_args()
    if options.publish and options.only:
        parser.error("--publish is for a whole run: leave --only out")
    return options


def main():
    options = parse()
    started = time.monotonic()

    def say(text):
        print(f"[{time.monotonic() - started:4.0f} s] {text}", flush=True)

    rack.prefer(os.getpid())
    measured, failures = [], []
    on = report.machine()
    rack.script("rack", "up")
    try:
        for name in options.only or PARTS:
            try:
                measured += PARTS[name](options.quick, say)
            except Exception as error:  # one part that fails takes no other with it
                failures.append(f"{name}: {error}")
                say(f"{name} failed: {error}")
    finally:
        rack.script("rack", "down")
    figures = [one for one in measured if isinstance(one, results.Result)]
    plots = [one for one in measured if isinstance(one, results.Plot)]
    print(f"\n{report.described(on)}\n\n" + results.table(figures))
    report.write(options.html, figures, plots, on)
    print(f"\nThe same with plots: {options.html}")
    if options.json:
        results.write_json(options.json, figures, plots, on)
    if options.publish and not failures:
        publish.publish(rack.ROOT, figures, plots, on)
    for failure in failures:
        print(f"bench: could not measure {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
