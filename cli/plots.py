"""The two plots of the page: a day of raw readings with its cycles, and a feature over time per unit.

Everything is drawn at 72 dots an inch, so that one point is one pixel of the SVG's own measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cli import svg
from cli.day import DAY, HOUR, Cycle, Day, DaySample, NothingToDraw, Trace, read_day
from cli.telling import Floats, Whole, column, medians, starts, unit_codes
from cli.ticks import clock_ticks, date_ticks, digits, lasting
from cycles.spec import Running

__all__ = [
    "DaySample",
    "FeaturePlot",
    "NothingToDraw",
    "day_svg",
    "feature_plot",
    "outline",
    "read_day",
]

SMALL, TITLE = 11, 12.5
LEFT, RIGHT = 50, 10
PANEL, FIRST_PANEL, GAP = 74, 92, 30
TOP, BOTTOM = 58, 24
LABEL_WIDTH = 40  # pixels a cycle's label needs
FEATURE_WIDTH, FEATURE_HEIGHT = 440, 190
RAW_CYCLES = 150  # up to this many cycles a unit, each is drawn
FEW_CYCLES = 30  # up to this many, a line joins them; else their running median
RUNNING = 9  # cycles of the running median
BUCKETS = 90
GREY_UNITS = 60


def outline(
    times: Whole, values: npt.NDArray[np.floating], start: int, end: int, pixels: int, max_gap: int
) -> tuple[Floats, Floats]:
    """The lowest and highest reading of every pixel column, so that no spike is lost.

    Args:
        times: ns, ascending.
        values: readings, none missing.
        start: left edge, ns.
        end: right edge, ns.
        pixels: how many columns.
        max_gap: ns; a line broken by NaN is what longer pauses give.

    Returns:
        Seconds since ``start``, and readings; at most four points a column.
    """
    if len(times) == 0:
        return np.empty(0), np.empty(0)
    breaks = np.flatnonzero(np.diff(times) > max_gap) + 1
    segment = np.zeros(len(times), np.int64)
    segment[breaks] = 1
    column_of = ((times - start) * (pixels / (end - start))).astype(np.int64)
    key = np.cumsum(segment) * (pixels + 2) + column_of
    order = np.lexsort((values, key))
    edge = np.flatnonzero(np.diff(key[order]))
    lowest = order[np.concatenate([[0], edge + 1])]
    highest = order[np.concatenate([edge, [len(order) - 1]])]
    keep = np.unique(np.concatenate([lowest, highest, breaks, breaks - 1, [0, len(times) - 1]]))
    x = (times[keep] - start) / 1e9
    y = values[keep].astype(np.float64)
    holes = np.searchsorted(keep, breaks)
    return np.insert(x, holes, np.nan), np.insert(y, holes, np.nan)


def day_svg(day: Day, running: Running, width: int, name: str) -> str:
    """The day as one SVG: what decides running on top, the telling sensors below, cycles shaded.

    Args:
        day: what to draw.
        running: its levels are drawn where it has some.
        width: pixels; nothing is scaled, so text keeps its size.
        name: see :func:`cli.svg.inline`.
    """
    with svg.drawing(name):
        heights = [FIRST_PANEL, *(PANEL for _ in day.sensors)]
        height = TOP + sum(heights) + GAP * len(day.sensors) + BOTTOM
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        inner = width - LEFT - RIGHT
        top = height - TOP
        for k, (trace, tall) in enumerate(zip((day.signal, *day.sensors), heights, strict=True)):
            box = (LEFT / width, (top - tall) / height, inner / width, tall / height)
            axes = figure.add_axes(box)
            _panel(axes, trace, day, inner, first=k == 0)
            if k == 0:
                _levels(axes, running)
                _number(axes, day, inner)
            if k < len(day.sensors):
                axes.tick_params(labelbottom=False)
            top -= tall + GAP
        what = ", ".join(trace.name for trace in (day.signal, *day.sensors))
        label = f"Readings of unit {day.unit}: {what}; {len(day.cycles)} cycles shaded"
        return svg.inline(figure, name, label)


def _panel(axes: Any, trace: Trace, day: Day, pixels: int, *, first: bool) -> None:
    seconds = (day.end - day.start) / 1e9
    for cycle in day.cycles:
        a, b = ((t - day.start) / 1e9 for t in (cycle.start, cycle.end))
        axes.axvspan(max(a, 0), min(b, seconds), color=svg.CYCLE, lw=0)
    x, y = outline(trace.times, trace.values, day.start, day.end, pixels, day.max_gap)
    axes.plot(x, y, color=svg.SIGNAL if first else svg.TRACE, lw=1.3 if first else 1.0)
    if len(y) == 0:
        axes.text(0.5, 0.5, "no reading", transform=axes.transAxes, ha="center", color=svg.SOFT)
    _limit(axes, x, trace.values, y)
    places, labels = clock_ticks(day.start, day.end, max(3, pixels // 85))
    axes.set_xticks([(place - day.start) / 1e9 for place in places], labels)
    axes.set_xlim(0, seconds)
    _frame(axes, svg.printable(trace.name), 30 if first else 6, nbins=3)
    distinct = np.unique(y[np.isfinite(y)])
    if len(distinct) <= 2:
        axes.set_yticks(distinct)


def _frame(axes: Any, title: str, rise: int, nbins: int) -> None:
    """Title at the left above the panel, few ticks, light lines, nothing else."""
    axes.annotate(
        title, (0, 1), (0, rise), xycoords="axes fraction", textcoords="offset points",
        fontsize=TITLE, color=svg.INK, annotation_clip=False,
    )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(nbins))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: digits(value)))
    axes.grid(visible=True, color=svg.LINE, lw=0.6)
    axes.tick_params(length=0, labelsize=SMALL, pad=6)
    for side in axes.spines.values():
        side.set_visible(False)


def _limit(axes: Any, x: Floats, values: npt.NDArray[np.floating], y: Floats) -> None:
    """Limits that a lone wrong reading does not stretch; it is named at the edge it goes beyond."""
    if len(values) == 0:
        return
    low, high = (float(v) for v in np.percentile(values, (0.1, 99.9)))
    lowest, highest = float(np.min(values)), float(np.max(values))
    room = high - low
    sides = []
    if room > 0 and low - lowest > room:
        sides.append((lowest, 0, "↓", 4, "bottom"))
    else:
        low = lowest
    if room > 0 and highest - high > room:
        sides.append((highest, 1, "↑", -4, "top"))
    else:
        high = highest
    margin = 0.12 * (high - low) or max(1.0, 0.1 * abs(high))
    axes.set_ylim(low - margin, high + margin)
    for value, edge, arrow, rise, align in sides:
        place = float(x[np.flatnonzero(y == value)[0]]) if (y == value).any() else 0.0
        axes.annotate(
            f"{arrow} {digits(value, 3)}", (place, edge), (4, rise), xycoords=("data", "axes fraction"),
            textcoords="offset points", va=align, fontsize=SMALL - 1, color=svg.SOFT,
        )  # fmt: skip


def _levels(axes: Any, running: Running) -> None:
    """The level above or below which a unit runs, and the one at which it is released."""
    level = running.above if running.above is not None else running.below
    if level is None:
        return
    word = "above" if running.above is not None else "below"
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, level), max(high, level))
    axes.axhline(level, color=svg.SOFT, lw=0.9, dashes=(4, 3))
    axes.annotate(
        f"– – runs {word} {level:g}", (1, 1), (0, 30), xycoords="axes fraction",
        textcoords="offset points", ha="right", fontsize=SMALL, color=svg.SOFT,
        annotation_clip=False,
    )  # fmt: skip
    if running.release is not None and running.release != level:
        axes.axhline(running.release, color=svg.SOFT, lw=0.7, dashes=(1, 3))


def _number(axes: Any, day: Day, pixels: int) -> None:
    """Each cycle's number and length above its shade; numbers only, or fewer, where room is short."""
    scale = pixels / ((day.end - day.start) / 1e9)
    free, free_long = -np.inf, -np.inf
    for cycle in day.cycles:
        middle = _middle(cycle, day)
        place = middle * scale
        if place - free >= LABEL_WIDTH / 2:
            _above(axes, middle, 15, str(cycle.number), svg.INK)
            free = place
        if place - free_long >= LABEL_WIDTH:
            _above(axes, middle, 3, lasting(cycle.end - cycle.start), svg.SOFT)
            free_long = place


def _middle(cycle: Cycle, day: Day) -> float:
    return (max(cycle.start, day.start) + min(cycle.end, day.end) - 2 * day.start) / 2e9


def _above(axes: Any, x: float, rise: int, text: str, colour: str) -> None:
    axes.annotate(
        text, (x, 1), (0, rise), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha="center", fontsize=SMALL - 1, color=colour, annotation_clip=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeaturePlot:
    """A drawn feature: the SVG, and what a point in it stands for, in words."""

    image: str
    point: str


def feature_plot(
    table: pa.Table, feature: str, colours: Mapping[str, str], name: str, label: str
) -> FeaturePlot:
    """One feature over time, one line a unit.

    Args:
        table: stitched cycles, at least one.
        feature: the column.
        colours: unit -> placeholder colour; units not among them are grey, and at most 60 of those.
        name: see :func:`cli.svg.inline`.
        label: what a reader who does not see it is told.
    """
    units, codes = unit_codes(table)
    when, values = starts(table), column(table, feature)
    usual = float(np.median(np.bincount(codes)))
    bucket = _bucket(int(when.max() - when.min())) if usual > RAW_CYCLES else 0
    grey = [unit for unit in units if unit not in colours][:GREY_UNITS]
    with svg.drawing(name):
        figure = Figure(figsize=(FEATURE_WIDTH / 72, FEATURE_HEIGHT / 72), dpi=72)
        wide = FEATURE_WIDTH - LEFT - (10 if len(units) == 1 else 74)
        tall = FEATURE_HEIGHT - 38
        axes = figure.add_axes(
            (LEFT / FEATURE_WIDTH, 26 / FEATURE_HEIGHT, wide / FEATURE_WIDTH, tall / FEATURE_HEIGHT)
        )
        ends: list[tuple[float, str, str]] = []
        for unit in (*grey, *colours):
            own = codes == units.index(unit)
            own &= np.isfinite(values)
            if not own.any():
                continue
            colour = colours.get(unit, svg.REST)
            last = _unit_line(axes, when[own], values[own], bucket, colour)
            if unit in colours:
                ends.append((last, unit, colour))
        _dress(axes, when, wide)
        if len(units) > 1:
            _name_ends(axes, ends, tall)
        return FeaturePlot(svg.inline(figure, name, label), _point(bucket, usual))


def _bucket(span: int) -> int:
    """How much time (ns) one point stands for: whole days, or a few hours in a short span."""
    sizes = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
    short = next((size for size in sizes if span <= size * BUCKETS), None)
    return short or -(-span // (BUCKETS * DAY)) * DAY


def _point(bucket: int, usual: float) -> str:
    if bucket:
        number, thing = (bucket // DAY, "day") if bucket >= DAY else (bucket // HOUR, "hour")
        whose = f"one {thing}" if number == 1 else f"{number} {thing}s"
        return f"A point is the median of the cycles of {whose}."
    if usual > FEW_CYCLES:
        return f"A dot is one cycle, a line the running median of {RUNNING} cycles."
    return "A dot is one cycle."


def _unit_line(axes: Any, when: Whole, values: Floats, bucket: int, colour: str) -> float:
    """Draw one unit and return the value its line ends at."""
    told = colour != svg.REST
    line = {"color": colour, "lw": 1.6 if told else 0.8}
    if bucket:
        first = int(when.min()) // bucket * bucket
        place = (when - first) // bucket
        count = int(place.max()) + 1
        y = medians(values, place, count)
        middles = first + (np.flatnonzero(np.isfinite(y)) + 0.5) * bucket
        y = y[np.isfinite(y)]
        axes.plot(*_broken(middles.astype(np.float64), y, 4.0 * bucket), **line)
        return float(y[-1])
    x = when.astype(np.float64)
    steps = np.diff(x)
    pause = max(1.5 * DAY, 4 * float(np.percentile(steps, 25))) if len(steps) else 0.0
    dots = {"marker": "o", "ms": 4.0, "mew": 0}
    if len(x) > FEW_CYCLES:
        if told:
            axes.plot(x, values, ls="", color=colour, alpha=0.5, **dots | {"ms": 2.6})
        half = RUNNING // 2
        padded = np.pad(values, half, mode="reflect")
        values = np.median(np.lib.stride_tricks.sliding_window_view(padded, RUNNING), axis=1)
        dots = {}
    axes.plot(*_broken(x, np.asarray(values, np.float64), pause), **line, **dots)
    return float(values[-1])


def _broken(x: Floats, y: Floats, pause: float) -> tuple[Floats, Floats]:
    """The same points with a NaN where a longer pause breaks the line."""
    holes = np.flatnonzero(np.diff(x) > pause) + 1
    return np.insert(x, holes, np.nan), np.insert(y, holes, np.nan)


def _dress(axes: Any, when: Whole, pixels: float) -> None:
    first, last = int(when.min()), int(when.max())
    room = max(1, int(0.02 * (last - first)) or HOUR)
    first, last = first - room, last + room
    axes.set_xlim(first, last)
    axes.set_xticks(*date_ticks(first, last, int(pixels // 70)))
    axes.margins(y=0.08)
    _frame(axes, "", 0, nbins=4)


def _name_ends(axes: Any, ends: Sequence[tuple[float, str, str]], height: float) -> None:
    """Each unit's name where its line ends, moved apart where they would cover each other."""
    low, high = axes.get_ylim()
    step = SMALL + 2
    wanted = sorted(((value - low) / (high - low) * height, unit, c) for value, unit, c in ends)
    places: list[float] = []
    for place, _, _ in wanted:
        places.append(max(place, places[-1] + step) if places else max(place, 4.0))
    over = places[-1] - (height - 4) if places else 0.0
    for k in range(len(places) - 1, -1, -1):  # push back from the top what stands too high
        if over <= 0:
            break
        places[k] -= over
        over = step - (places[k] - places[k - 1]) if k else 0.0
    for place, (_, unit, colour) in zip(places, wanted, strict=True):
        short = unit if len(unit) <= 10 else f"…{unit[-9:]}"
        axes.annotate(
            svg.printable(short), (1, 0), (6, place), xycoords="axes fraction",
            textcoords="offset points", va="center", fontsize=SMALL, color=colour,
            annotation_clip=False,
        )  # fmt: skip
