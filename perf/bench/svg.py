"""Plots as inline SVG: lines over a linear or logarithmic axis, and bars in groups."""

import html
import math

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 68, 16, 16, 48
PALETTE = ("#d9480f", "#1971c2", "#2f9e44", "#9c36b5", "#e8a100", "#0b7285")
LIMIT = "#868e96"


def number(value):
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


class Axis:
    """From values to pixels; a few round values to write beside it. IS_TIGHT: it ends where the values do."""

    def __init__(self, values, start, end, log, is_tight=False):
        self._log = log
        low, high = min(values), max(values)
        if log and is_tight and low < high:
            low, high = math.log10(low), math.log10(high)
        elif log:
            # Whole decades.
            low, high = math.floor(math.log10(low)), math.ceil(math.log10(high))
            high = max(high, low + 1)
            self.ticks = [10.0 ** power for power in range(low, high + 1)]
        else:
            step = self._round_step(high or 1)
            low, high = 0, step * math.ceil((high or 1) / step)
            self.ticks = [step * i for i in range(round(high / step) + 1)]
        self._low, self._high, self._start, self._end = low, high, start, end

    @staticmethod
    def _round_step(high):
        rough = high / 5
        power = 10 ** math.floor(math.log10(rough))
        return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)

    def at(self, value):
        place = math.log10(value) if self._log else value
        return self._start + (place - self._low) / (self._high - self._low) * (self._end - self._start)


def text(x, y, what, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{html.escape(str(what))}</text>'


def colours(plot):
    palette = iter(PALETTE * 4)
    return {name: LIMIT if name in plot.limits else next(palette) for name in plot.series}


def frame(plot, y_axis):
    """The axes' names, the horizontal lines and what they stand for."""
    out = [text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.x, extra='class="axis"'),
           text(14, (TOP + HEIGHT - BOTTOM) / 2, plot.y,
                extra=f'class="axis" transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})"')]
    for tick in y_axis.ticks:
        y = y_axis.at(tick)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        out.append(text(LEFT - 8, y + 4, number(tick), "end"))
    return out


def lines(plot):
    points = [point for series in plot.series.values() for point in series]
    x_axis = Axis([x for x, _ in points], LEFT + 8, WIDTH - RIGHT - 16, plot.log_x, is_tight=True)
    y_axis = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, plot.log_y)
    out = frame(plot, y_axis)
    for x in sorted({x for x, _ in points}):  # what was measured, not round numbers
        out.append(text(x_axis.at(x), HEIGHT - BOTTOM + 18, number(x)))
    for name, colour in colours(plot).items():
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in plot.series[name]]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashes = ' stroke-dasharray="6 4"' if name in plot.limits else ""
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashes}/>')
        for (x, y), (at, value) in zip(places, plot.series[name]):
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">'
                       f'<title>{html.escape(name)}: {number(value)} at {number(at)}</title></circle>')
    return out


def bars(plot):
    groups = list(dict.fromkeys(x for series in plot.series.values() for x, _ in series))
    values = [y for series in plot.series.values() for _, y in series]
    y_axis = Axis(values, HEIGHT - BOTTOM, TOP, plot.log_y)
    out = frame(plot, y_axis)
    step = (WIDTH - LEFT - RIGHT) / len(groups)
    width = step * 0.8 / len(plot.series)
    for i, group in enumerate(groups):
        out.append(text(LEFT + (i + 0.5) * step, HEIGHT - BOTTOM + 18, group))
    for nth, (name, colour) in enumerate(colours(plot).items()):
        for group, value in plot.series[name]:
            x = LEFT + (groups.index(group) + 0.1) * step + nth * width
            y = y_axis.at(value)
            out.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width * 0.92:.1f}" '
                       f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{colour}" rx="2">'
                       f'<title>{html.escape(name)}: {number(value)}</title></rect>')
            if len(groups) * len(plot.series) <= 12:
                out.append(text(x + width * 0.46, y - 4, number(value), extra='class="value"'))
    return out


STYLE = ("svg text{font:12px system-ui,sans-serif;fill:#495057}svg .axis{font-weight:600}svg .value{font-size:9.5px}"
         "svg .grid{stroke:#dee2e6;stroke-width:1}")


def legend(plot):
    """Below the plot, in as many rows as it takes; and its height."""
    out, x, y = [], LEFT, HEIGHT + 14
    for name, colour in colours(plot).items():
        width = 34 + 6.8 * len(name)
        if x + width > WIDTH:
            x, y = LEFT, y + 20
        out.append(f'<rect x="{x}" y="{y - 9}" width="12" height="12" rx="2" fill="{colour}"/>')
        out.append(text(x + 18, y + 2, name, "start"))
        x += width
    return out, y + 12


def draw(plot):
    """The whole picture, of use inline or as a file."""
    drawn = (bars if plot.kind == "bars" else lines)(plot)
    names, height = legend(plot)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="{html.escape(plot.title)}"><style>{STYLE}</style>' + "".join(drawn + names) + "</svg>")
