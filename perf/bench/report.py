"""The run as one HTML page that needs nothing else: the machine, the plots, every figure with what it is held against."""

import datetime
import html
import os
import pathlib
import platform
import re

import results
import svg

STYLE = """
:root { --ink: #212529; --soft: #6c757d; --line: #dee2e6; --good: #2b8a3e; --bad: #c92a2a; --accent: #d9480f }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto; max-width: 1180px; padding: 32px 24px }
h1 { font-size: 28px; margin: 0 } h1 b { color: var(--accent) } h2 { margin: 40px 0 12px; font-size: 20px }
.machine, .note { color: var(--soft) } .machine { margin: 4px 0 0 }
.score { margin: 16px 0 0; font-size: 17px }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 20px }
figure { margin: 0; border: 1px solid var(--line); border-radius: 10px; padding: 16px 16px 8px }
figcaption { font-weight: 600; margin-bottom: 8px } figure .note { font-size: 13px; margin: 4px 0 6px }
table { border-collapse: collapse; width: 100%; font-size: 14px }
th { text-align: left; color: var(--soft); font-weight: 600 }
td, th { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.peers { white-space: nowrap } td.value { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600 }
td .note { display: block; font-size: 12.5px } .ratio { color: var(--soft); font-size: 12.5px } .good { color: var(--good) } .bad { color: var(--bad) }
.badge { font-weight: 600; white-space: nowrap }
@media print { figure { break-inside: avoid } }
"""


def machine():
    """What it was measured on."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {"cpu": cpu[1] if cpu else platform.machine(), "cores": os.cpu_count(),
            "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
            "kernel": f"{platform.system()} {platform.release()}",
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def described(on):
    return f"{on['date']} · {on['cpu']}, {on['cores']} cores, {on['memory_gib']} GiB · {on['kernel']}"


def ratio_text(value, other):
    ratio = results.ratio(value, other)
    return f"{results.number(other)} <span class=ratio>(×&nbsp;{results.number(ratio)})</span>"


def row(result):
    limit = f"{ratio_text(result.value, result.limit[1])}<span class=note>{html.escape(result.limit[0])}</span>" \
        if result.limit else ""
    peers = "<br>".join(f"{html.escape(name)} {ratio_text(result.value, value)}"
                        for name, value in result.peers.items())
    verdict = html.escape(result.wanted)
    if result.reached is not None:
        mark = ("good", "reached") if result.reached else ("bad", "missed")
        verdict = f'<span class="badge {mark[0]}">{mark[1]}</span><span class=note>{verdict}</span>'
    note = f"<span class=note>{html.escape(result.note)}</span>" if result.note else ""
    return (f"<tr><td>{html.escape(result.name)}{note}</td><td class=value>{results.number(result.value)} "
            f"{html.escape(result.unit)}</td><td>{limit}</td><td class=peers>{peers}</td><td>{verdict}</td></tr>")


def table(title, figures):
    return (f"<h2>{title}</h2><table><tr><th>Figure</th><th></th><th>Limit, and ratio to it</th><th>Peers, and ratio "
            f"to them</th><th>Wanted</th></tr>{''.join(map(row, figures))}</table>")


def figure(plot):
    note = f"<p class=note>{html.escape(plot.note)}</p>" if plot.note else ""
    return f"<figure><figcaption>{html.escape(plot.title)}</figcaption>{note}{svg.draw(plot)}</figure>"


def page(figures, plots, on):
    judged = [f for f in figures if f.reached is not None]
    reached = sum(f.reached for f in judged)
    groups = {}
    for f in figures:
        groups.setdefault(f.name.partition("/")[0], []).append(f)
    titles = {"dhcp": "DHCP", "tftp": "TFTP", "http": "HTTP", "boot": "Whole boots",
              "start": "Start", "memory": "Memory", "rest": "At rest"}
    tables = "".join(table(titles.get(name, name), group) for name, group in groups.items())
    return (f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>rouse: benchmark</title><style>{STYLE}</style>"
            f"<h1><b>rouse</b> beside its limits and its peers</h1><p class=machine>{html.escape(described(on))}</p>"
            f"<p class=score>{reached} of {len(judged)} targets reached. Limits and peers were measured in the same run, "
            f"on the same machine, with the same client.</p>"
            f"<h2>Plots</h2><div class=plots>{''.join(map(figure, plots))}</div>{tables}</html>\n")


def write(path, figures, plots, on):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(figures, plots, on))
