"""What was measured, in the form that programs read and in the form that people do."""

import dataclasses
import json
import pathlib


@dataclasses.dataclass
class Result:
    """One figure, and beside it what bounds it and what others reach, measured in the same run."""

    name: str
    value: float
    unit: str
    limit: tuple | None = None  # what, value
    peers: dict = dataclasses.field(default_factory=dict)  # name: value
    wanted: str = ""  # what it should be, for people
    reached: bool | None = None  # whether it is; None: no target
    note: str = ""

    def to_json(self):
        out = {"name": self.name, "value": self.value, "unit": self.unit}
        if self.limit:
            out["limit"] = {"what": self.limit[0], "value": self.limit[1]}
            out["ratio_to_limit"] = ratio(self.value, self.limit[1])
        if self.peers:
            out["peers"] = [{"name": name, "value": value, "ratio": ratio(self.value, value)}
                            for name, value in self.peers.items()]
        return out


@dataclasses.dataclass
class Plot:
    """Several series of (x, y), to be drawn; a series in `limits` is what nobody can pass. Of `bars` each x is a name."""

    name: str
    title: str
    x: str
    y: str
    series: dict  # name: [(x, y), ...]
    kind: str = "lines"  # or "bars"
    log_x: bool = False
    log_y: bool = False
    limits: tuple = ()
    note: str = ""


def percentiles(reports, key):
    """Series for a plot of bars: of each report by name, the percentiles of one of its latencies, microseconds."""
    shown = {"p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9"}
    return {name: [(label, max(report[key][p], 1)) for p, label in shown.items()] for name, report in reports.items()}


def ratio(a, b):
    return round(a / b, 4) if b else None


def write_json(path, results, plots, machine):
    out = {"machine": machine, "results": [r.to_json() for r in results],
           "plots": [dataclasses.asdict(plot) for plot in plots]}
    pathlib.Path(path).write_text(json.dumps(out, indent=2) + "\n")


def number(value):
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2f}".rstrip("0").rstrip(".")


def verdict(result):
    if result.reached is None:
        return ""
    return f"{'reached' if result.reached else 'MISSED'}: {result.wanted}"


def table(results):
    """Lines for a terminal: each figure, then its limit and its peers."""
    width = max((len(r.name) for r in results), default=0)
    lines = []
    for r in results:
        lines.append(f"{r.name:<{width}}  {number(r.value):>12} {r.unit:<12} {verdict(r)}".rstrip())
        beside = []
        if r.limit:
            beside.append(f"limit {number(r.limit[1])} ({r.limit[0]}): x{number(ratio(r.value, r.limit[1]))}")
        beside += [f"{name} {number(value)}: x{number(ratio(r.value, value))}" for name, value in r.peers.items()]
        if beside:
            lines.append(f"{'':<{width}}    " + ";  ".join(beside))
        if r.note:
            lines.append(f"{'':<{width}}    {r.note}")
    return "\n".join(lines)
