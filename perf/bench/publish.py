"""One run as documentation: docs/benchmark.md with every figure, its plots as files, and the README's short table."""

import pathlib
import re

import results
import svg
from report import described

# What the README shows: a figure, and what people call it.
SHORT = {
    "dhcp/veth/exchanges_at_no_loss": "DHCP, whole exchanges at no loss",
    "dhcp/veth/exchange_p99": "DHCP, 99th percentile of one under load",
    "tftp/veth/goodput": "TFTP, 200 clients at a time",
    "tftp/veth/cpu": "TFTP, what a GiB costs",
    "tftp/veth/windowed_client": "TFTP, one client with windows",
    "http/veth/goodput": "HTTP, 64 clients at a time",
    "dhcp/dpdk_memif/exchanges": "DHCP over DPDK (memif)",
    "tftp/dpdk_memif/goodput": "TFTP over DPDK (memif)",
}
PICTURE = "tftp-goodput"  # the README's
README_TABLE = re.compile(r"(<!-- scripts/bench --publish -->\n).*?(<!-- end -->)", re.DOTALL)


def beside(result):
    """What a figure is held against: (limit, peers), each with the ratio to it."""
    limit = f"{results.number(result.limit[1])} ({result.limit[0]}): ×\u00a0{results.number(results.ratio(result.value, result.limit[1]))}" \
        if result.limit else ""
    peers = "; ".join(f"{name} {results.number(value)}: ×\u00a0{results.number(results.ratio(result.value, value))}"
                      for name, value in result.peers.items())
    return limit, peers


def table(rows, heads):
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])


def short_table(figures):
    by_name = {figure.name: figure for figure in figures}
    rows = [[label, f"**{results.number(by_name[name].value)} {by_name[name].unit}**", *beside(by_name[name])]
            for name, label in SHORT.items() if name in by_name]
    return table(rows, ["", "rouse", "the limit, measured beside it", "others"])


def long_table(figures):
    rows = [[f"`{figure.name}`" + (f"<br>{figure.note}" if figure.note else ""), f"{results.number(figure.value)} {figure.unit}",
             *beside(figure), results.verdict(figure)] for figure in figures]
    return table(rows, ["figure", "", "limit", "peers", "wanted"])


def publish(root, figures, plots, on):
    docs = pathlib.Path(root) / "docs"
    pictures = docs / "benchmark"
    pictures.mkdir(exist_ok=True)
    for plot in plots:
        (pictures / f"{plot.name}.svg").write_text(svg.draw(plot) + "\n")
    shown = "\n\n".join(f"![{plot.title}](benchmark/{plot.name}.svg)\n*{plot.title}{': ' + plot.note if plot.note else ''}*"
                        for plot in plots)
    (docs / "benchmark.md").write_text(
        f"# Benchmark\n\n{described(on)}\n\nMade by `scripts/bench --publish`. Limits and peers were measured in the same run, on the "
        f"same machine, with the same client; how is told in [measuring.md](measuring.md).\n\n{long_table(figures)}\n\n{shown}\n")
    readme = pathlib.Path(root) / "README.md"
    text = readme.read_text()
    picture = f"![TFTP: goodput against clients](docs/benchmark/{PICTURE}.svg)"
    short = f"{short_table(figures)}\n\n{picture}\n\n{described(on)}: [all figures and plots](docs/benchmark.md)\n"
    readme.write_text(README_TABLE.sub(lambda found: found[1] + short + found[2], text))
