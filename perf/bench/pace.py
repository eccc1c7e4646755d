"""rouse-pace, the HTTP client that asks at random moments around a steady rate, whatever the server answers."""

import json
import pathlib
import subprocess
import tempfile

from rack import BIN


def run(port, requests, headers, *, rate, connections, seconds, core):
    """Asks REQUESTS, (method, path, body) in any order, RATE a second on so many connections. {"rate": answers per second,
    "p50", "p99", "p999": microseconds from the moment at which a request was due}."""
    with tempfile.TemporaryDirectory(prefix="bench-pace-") as directory:
        listed = pathlib.Path(directory) / "requests"
        listed.write_text("".join(f"{method} {path} {body or ''}\n" for method, path, body in requests))
        options = [option for name, value in headers.items() for option in ("--header", f"{name}: {value}")]
        out = subprocess.run(["taskset", "-c", str(core), BIN / "rouse-pace", "--port", str(port), "--list", listed,
                              "--rate", str(rate), "--connections", str(connections), "--seconds", str(seconds), *options],
                             capture_output=True, text=True, timeout=seconds + 60)
    if out.returncode:
        raise RuntimeError(out.stderr)
    report = json.loads(out.stdout)
    if report["failed"]:
        raise RuntimeError(f"{report['failed']} of {report['requests']} requests failed")
    return {"rate": report["requests"] / seconds, **{name: report[name] for name in ("p50", "p99", "p999")}}
