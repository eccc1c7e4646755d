"""Measures rouse, its limits and its peers in one run. Started by scripts/bench, which builds first."""

import argparse
import os
import sys
import time

import avalanche
import dhcp
import micro
import rack
import results

PARTS = {
    "micro": lambda quick, say: micro.bench(say),
    "dhcp": dhcp.bench,
    "avalanche": lambda quick, say: avalanche.bench(say),
}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer machines: within 5 minutes")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; may be given again")
    return parser.parse_args()


def main():
    options = parse()
    started = time.monotonic()

    def say(text):
        print(f"[{time.monotonic() - started:4.0f} s] {text}", flush=True)

    rack.prefer(os.getpid())
    figures, failures = [], []
    rack.script("rack", "up")
    try:
        for name in options.only or PARTS:
            try:
                figures += PARTS[name](options.quick, say)
            except Exception as error:  # one part that fails takes no other with it
                failures.append(f"{name}: {error}")
                say(f"{name} failed: {error}")
    finally:
        rack.script("rack", "down")
    print("\n" + results.table(figures))
    if options.json:
        results.write_json(options.json, figures)
    for failure in failures:
        print(f"bench: could not measure {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
