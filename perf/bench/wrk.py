"""wrk, the HTTP client that servers are measured with, told what to ask by a script."""

import json
import pathlib
import subprocess
import tempfile

# Each request is written once, before the run: what the client spends is not the server's.
SCRIPT = """
local requests = {}
function init(args)
  for line in io.lines("%(list)s") do
    local method, path, body = line:match("^(%%S+) (%%S+) ?(.*)$")
    requests[#requests + 1] = wrk.format(method, path, {%(headers)s}, body ~= "" and body or nil)
  end
  math.randomseed(os.time())
end
function request() return requests[math.random(#requests)] end
function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format('REPORT {"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "p999": %%f, "failed": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def run(url, requests, headers, *, connections, seconds, core):
    """Asks REQUESTS, (method, path, body) in any order, on so many connections, each as soon as it has its answer. {"rate": requests per second, "p50", "p99", "p999": microseconds}."""
    with tempfile.TemporaryDirectory(prefix="bench-wrk-") as directory:
        listed, script = pathlib.Path(directory) / "requests", pathlib.Path(directory) / "wrk.lua"
        listed.write_text("".join(f"{method} {path} {body or ''}\n" for method, path, body in requests))
        script.write_text(SCRIPT % {
            "list": listed,
            "headers": ", ".join(f'["{name}"] = "{value}"' for name, value in headers.items())})
        out = subprocess.run(["taskset", "-c", str(core), "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s",
                              "-s", script, url], check=True, capture_output=True, text=True, timeout=seconds + 60).stdout
    report = json.loads(out.partition("REPORT ")[2] or "null")
    if not report or report["failed"] or not report["requests"]:
        raise RuntimeError(f"wrk did not get {url}:\n{out}")
    return {"rate": report["requests"] / report["seconds"], **{name: report[name] for name in ("p50", "p99", "p999")}}
