"""The page of a run: one HTML file that holds all it shows, for reading without a network.

What is shown is made ready here, as plain values; ``page.html`` puts it in order and escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from cli import paths, svg, ticks
from cli.day import Day
from cli.journeys import Journey
from cli.plots import DaySample, NothingToDraw, day_svg, feature_plot, read_day
from cli.telling import COMPANY, Moved, column, feature_names, most_moved
from cli.templates import template
from cli.workloads import spec_of
from cycles import CycleSpec
from signalbox.contracts.workload import Workload

WIDE, NARROW = 1040, 380  # pixels; the page shows the one that fits
NAMED_UNITS = len(svg.UNIT_COLOURS)
WORDS = {
    "mean": "mean", "std": "standard deviation", "min": "lowest", "max": "highest",
    "first": "at the start", "last": "at the end", "slope": "slope per second", "n": "readings",
}  # fmt: skip
CLAIM_CYCLES = 10  # cycles a unit below which no move is claimed
FEW = 12  # rows of a table before the rest is folded away


@dataclass(frozen=True, slots=True)
class Panel:
    """One feature over time, with the words beside it."""

    sensor: str
    statistic: str
    finding: str
    image: Markup


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A row of the table of units, ready to read."""

    unit: str
    cycles: str
    first: str
    last: str
    median: str
    share: str


def write_page(
    target: Path,
    *,
    title: str,
    workload: Workload,
    table: pa.Table,
    day: DaySample | None,
    journeys: Sequence[Journey],
    facts: Mapping[str, str],
) -> None:
    """Write the page of a run; equal input gives equal bytes.

    Args:
        target: the HTML file; its folder is made where it is missing.
        title: the heading.
        workload: what was asked of the recordings.
        table: stitched cycles, as the kernel gives them; may be empty.
        day: a raw file to draw, where there is one.
        journeys: what became of each file; empty where no cloud was involved.
        facts: figures for the strip, label -> value as it is to be read. ``files``, ``units``, ``cycles``,
            ``rejected``, ``readings`` and ``numbers`` have their places there, and all but ``readings`` are
            counted here where they are not given; others follow.
    """
    spec = spec_of(workload)
    moved = most_moved(table)
    shown = template("page.html").render(
        title=title,
        workload=workload,
        story=_story(table, journeys, facts),
        figures=_figures(table, journeys, facts),
        rule=_rule(spec),
        **_day_part(day, spec, table, moved),
        **_feature_part(table, moved, spec),
        units=_unit_rows(table),
        few=FEW,
        paths=paths.told(journeys),
        calm=paths.calm,
        rejected=paths.rejected(journeys),
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(shown, encoding="utf-8", newline="\n")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _story(table: pa.Table, journeys: Sequence[Journey], facts: Mapping[str, str]) -> str:
    """One line of what happened."""
    bad = sum(journey.outcome == paths.REJECTED for journey in journeys)
    units, numbers = len(table["unit"].unique()), len(feature_names(table))
    became = f"{_count(table.num_rows, 'cycle')} of {_count(units, 'unit')}, {numbers} numbers each"
    if not journeys:
        return f"{became}." if table.num_rows else "No cycle was found."
    if bad == len(journeys):
        whole = "The only file was" if bad == 1 else f"All {bad:,} files were"
        return f"{whole} rejected; the reasons are below."
    files = next(
        (v for label, v in facts.items() if label.lower() == "files"), f"{len(journeys):,}"
    )
    files += " file" if files == "1" else " files"
    said = f"{files} became {became}" if table.num_rows else f"No cycle was found in {files}"
    if bad:
        said += f"; {_count(bad, 'file')} {'was' if bad == 1 else 'were'} rejected"
    return f"{said}."


def _figures(
    table: pa.Table, journeys: Sequence[Journey], facts: Mapping[str, str]
) -> list[tuple[str, str]]:
    numbers = sum(table.num_rows - table[name].null_count for name in feature_names(table))
    known = {
        "units": f"{len(table['unit'].unique()):,}",
        "cycles": f"{table.num_rows:,}",
        "numbers": f"{numbers:,}",
    }
    if journeys:
        bad = sum(journey.outcome == paths.REJECTED for journey in journeys)
        known |= {"files": f"{len(journeys):,}", "rejected": f"{bad:,}"}
    known |= {label.strip().lower(): value for label, value in facts.items()}
    if "readings" in known:
        known["readings → numbers"] = f"{known.pop('readings')} → {known.pop('numbers')}"
    order = ("files", "units", "cycles", "rejected", "readings → numbers", "numbers")
    placed = [(label, known.pop(label)) for label in order if label in known]
    return [
        (label.removesuffix("s") if value == "1" else label, value)
        for label, value in [*placed, *known.items()]
    ]


def _rule(spec: CycleSpec) -> str:
    """What counts as a cycle, in one sentence."""
    running = spec.running
    if running.on:
        values = " or ".join(str(value) for value in running.on)
        said = f"{running.signal} is {values}"
    else:
        word, level = (
            ("above", running.above) if running.above is not None else ("below", running.below)
        )
        said = f"{running.signal} is {word} {level:g}"
        if running.release is not None and running.release != level:
            said += f", until it is back at {running.release:g}"
    parts = [f"A unit runs while {said}"]
    if spec.min_off_ns:
        parts.append(f"rests shorter than {ticks.lasting(spec.min_off_ns)} are bridged")
    if spec.min_on_ns:
        parts.append(f"runs shorter than {ticks.lasting(spec.min_on_ns)} do not count")
    parts.append(
        f"a pause of more than {ticks.lasting(spec.max_gap_ns)} in the recording ends a cycle"
    )
    return "; ".join(parts) + "."


def _day_part(
    sample: DaySample | None, spec: CycleSpec, table: pa.Table, moved: Sequence[Moved]
) -> dict[str, Any]:
    """The day's two drawings, or why there are none."""
    if sample is None:
        return {"day": None, "day_missing": ""}
    preferred = {item.name.rpartition("__")[0] for item in moved}
    try:
        day = read_day(sample, spec, table, preferred)
    except NothingToDraw as problem:
        return {"day": None, "day_missing": str(problem)}
    span, title = ticks.day_text(day.start), f"A day of {day.unit}"
    if day.end - day.start < ticks.DAY:
        title = f"{ticks.lasting(day.end - day.start)} of {day.unit}"
        span += f", {ticks.clock_text(day.start)} to {ticks.clock_text(day.end)}"
    images = {
        name: Markup(day_svg(day, spec.running, width, f"day-{name}"))  # noqa: S704 - our drawing
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    }
    return {
        "day": {
            "title": title,
            "file": sample.name,
            "span": span,
            "images": images,
            "cycles": _day_rows(day),
            "beyond": any(f">{arrow} " in images["wide"] for arrow in "↑↓"),
        },
        "day_missing": "",
    }


def _day_rows(day: Day) -> list[tuple[str, str, str, str, str]]:
    same = [c.start >= day.start and c.end <= day.end for c in day.cycles]
    return [
        (
            str(c.number),
            ticks.clock_text(c.start) if whole else _when(c.start),
            ticks.clock_text(c.end) if whole else _when(c.end),
            ticks.lasting(c.end - c.start),
            f"{c.rows:,}",
        )
        for c, whole in zip(day.cycles, same, strict=True)
    ]


def _when(ns: int) -> str:
    date = ticks.day_text(ns).replace(" ", "\N{NO-BREAK SPACE}")
    return f"{date}, {ticks.clock_text(ns)}"


def _feature_part(table: pa.Table, moved: Sequence[Moved], spec: CycleSpec) -> dict[str, Any]:
    """The panels, and which units have a colour in all of them."""
    reach: dict[str, float] = {}
    for item in moved:
        top = max(item.distance.values(), default=0.0) or 1.0
        for unit, distance in item.distance.items():
            reach[unit] = max(reach.get(unit, 0.0), distance / top)
    told = sorted(sorted(reach, key=_natural), key=lambda unit: -reach[unit])[:NAMED_UNITS]
    if len(reach) > NAMED_UNITS:  # of many, only those that went somewhere
        told = [unit for k, unit in enumerate(told) if k < 3 or reach[unit] >= 0.5]
    colours = dict(zip(sorted(told, key=_natural), svg.UNIT_COLOURS, strict=False))
    panels, point = [], ""
    enough = bool(reach) and table.num_rows >= CLAIM_CYCLES * len(reach)
    for k, item in enumerate(moved):
        sensor, statistic = _words(item.name, spec)
        finding = _finding(item, len(reach)) if enough else ""
        label = f"{sensor}, {statistic}, over time per unit. {finding}"
        plot = feature_plot(table, item.name, colours, f"feature{k}", label)
        point = plot.point
        panels.append(Panel(sensor, statistic, finding, Markup(plot.image)))  # noqa: S704 - our drawing
    return {
        "panels": panels,
        "point": point,
        "company": COMPANY,
        "told": [(unit, svg.VARIABLES[colour]) for unit, colour in colours.items()],
        "grey": len(reach) - len(colours),
        "drawable": any(table[n].null_count < table.num_rows for n in feature_names(table)),
    }


def _finding(item: Moved, units: int) -> str:
    if not item.distance.get(item.most):
        return ""
    verb = "rose" if item.furthest > item.past else "fell"
    who = f"{item.most} went furthest: it" if units > 1 else "It"
    return f"{who} {verb} from {ticks.digits(item.past, 3)} to {ticks.digits(item.furthest, 3)}."


def _words(name: str, spec: CycleSpec) -> tuple[str, str]:
    sensor, _, stat = name.rpartition("__")
    level = next((s.above for s in spec.sensors if s.name == sensor), None)
    if stat == "above_s" and level is not None:
        return sensor, f"seconds above {level:g}"
    return sensor, WORDS.get(stat, stat)


def _unit_rows(table: pa.Table) -> list[UnitRow]:
    """One row a unit, in order of their names, those with the same letters by their numbers."""
    if table.num_rows == 0:
        return []
    units = np.asarray(table["unit"].to_pylist(), dtype=object)
    begins, ends = (
        np.asarray(table[n].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()).to_numpy())
        for n in ("cycle_start", "cycle_end")
    )
    lasted = column(table, "duration_s")
    rows = []
    for unit in sorted(set(units), key=_natural):
        own = units == unit
        share = _running_share(np.sort(begins[own]), np.sort(ends[own]))
        rows.append(
            UnitRow(
                unit,
                f"{int(own.sum()):,}",
                _when(int(begins[own].min())),
                _when(int(ends[own].max())),
                ticks.lasting(round(float(np.median(lasted[own])) * ticks.SECOND)),
                "–" if share is None else f"{share:.0%}",
            )
        )
    return rows


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def _running_share(begins: Any, ends: Any) -> float | None:
    """Running time over time from the first cycle's start to the last one's end.

    A rest of more than a day is rather a pause in the recording, and splits that time; what holds one
    cycle only says nothing of rests and is left out.
    """
    cut = np.flatnonzero(begins[1:] - ends[:-1] > ticks.DAY) + 1
    running = spanned = 0
    for part in np.split(np.arange(len(begins)), cut):
        if len(part) > 1:
            running += int((ends[part] - begins[part]).sum())
            spanned += int(ends[part[-1]] - begins[part[0]])
    return running / spanned if spanned else None
