"""One day of one unit's raw readings, ready to be drawn: which day, which sensors, which cycles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cli.telling import Whole, telling_sensors
from cycles import BadRecording, CycleSpec, open_recording
from cycles.detect import running_codes
from cycles.readers.recording import Rows

HOUR = 3_600_000_000_000  # ns
DAY = 24 * HOUR


class NothingToDraw(Exception):  # noqa: N818 - named for what it says
    """The sample holds no day that can be drawn; the message says why."""


@dataclass(frozen=True, slots=True)
class DaySample:
    """One raw file to draw.

    Attributes:
        path: the file on this machine.
        name: the key it was processed under; its ending says the format.
        unit: which of its units to draw.
    """

    path: Path
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Readings of one sensor: times (ns since 1970) and values, in time order, no missing ones."""

    name: str
    times: Whole
    values: npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle of the day: its number within the day, and its true start and end (ns)."""

    number: int
    start: int
    end: int
    rows: int


@dataclass(frozen=True, slots=True)
class Day:
    """What is drawn.

    Attributes:
        unit: whose day it is.
        start: left edge of the time axis, ns since 1970, UTC.
        end: right edge.
        signal: what decides running; a text status is told as 1 and 0.
        sensors: the telling ones.
        cycles: those that touch the day, in time order.
        max_gap: readings further apart than this are not joined by a line.
    """

    unit: str
    start: int
    end: int
    signal: Trace
    sensors: tuple[Trace, ...]
    cycles: tuple[Cycle, ...]
    max_gap: int


def read_day(
    sample: DaySample, spec: CycleSpec, table: pa.Table, preferred: Collection[str] = ()
) -> Day:
    """Read the sample and choose one day of it, one with cycles where there is one.

    Args:
        sample: the file and unit.
        spec: the workload's cycle specification.
        table: stitched cycles of this unit and others.
        preferred: sensors to draw rather than others.

    Raises:
        NothingToDraw: the file cannot be read, or holds no row of the unit.
    """
    spans = _spans(table, sample.unit)
    try:
        recording = open_recording(sample.path, spec, sample.name)
        if sample.unit not in recording.units:
            raise NothingToDraw(f"{sample.name} holds no row of unit {sample.unit}")
        rows = _numbers(recording.units[sample.unit])
        start, end = _window(recording.times[rows], spans)
        times = recording.times[rows]
        rows = rows[(times >= start) & (times <= end)]
        rows = rows[np.argsort(recording.times[rows], kind="stable")]
        readings = [values[rows] for _, columns in recording.batches() for values in columns]
    except BadRecording as problem:
        raise NothingToDraw(problem.message) from problem
    times, codes = recording.times[rows], running_codes(recording.signal[rows], spec.running)
    names = [name for name in spec.names if name != spec.running.signal]
    sensors = [readings[spec.names.index(name)] for name in names]
    chosen = telling_sensors(sensors, codes, names, preferred)
    return Day(
        sample.unit,
        start,
        end,
        _trace(spec.running.signal, times, _drawable(recording.signal[rows], codes)),
        tuple(_trace(names[k], times, sensors[k]) for k in chosen),
        _numbered(spans, start, end),
        spec.max_gap_ns,
    )


def _numbers(rows: Rows) -> npt.NDArray[np.int64]:
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows


def _drawable(
    signal: npt.NDArray[np.generic], codes: npt.NDArray[np.int8]
) -> npt.NDArray[np.floating]:
    """A text status as 1 and 0, NaN where it is missing; numbers as they are."""
    if signal.dtype.kind == "O":
        return np.where(codes >= 0, codes, np.nan).astype(np.float64)
    return signal.astype(np.float64)


def _trace(name: str, times: Whole, values: npt.NDArray[np.floating]) -> Trace:
    there = np.isfinite(values)
    return Trace(name, times[there], values[there])


def _spans(table: pa.Table, unit: str) -> list[tuple[int, int, int]]:
    """Start, end (ns) and rows of the unit's cycles, in time order."""
    own = table.filter(pc.equal(table["unit"], unit))
    stamp = pa.timestamp("ns", tz="UTC")
    starts, ends = (
        own[name].cast(stamp).cast(pa.int64()).to_pylist() for name in ("cycle_start", "cycle_end")
    )
    return sorted(zip(starts, ends, own["rows"].to_pylist(), strict=True))


def _window(times: Whole, spans: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """The whole recording where it is about a day without a long gap, else its best UTC day.

    The best day is the one in which most cycles begin or end; a day of uninterrupted running tells
    less, and an empty one nothing.
    """
    ordered = np.sort(times)
    first, last = int(ordered[0]), int(ordered[-1])
    longest = int(np.diff(ordered).max(initial=0))
    if last - first <= DAY + 2 * HOUR and longest <= 6 * HOUR:
        return _rounded(first, last)
    days, counts = np.unique(ordered // DAY, return_counts=True)
    edges = np.asarray([moment for a, b, _ in spans for moment in (a, b)], dtype=np.int64) // DAY
    happened = np.asarray([int((edges == day).sum()) for day in days])
    best = days[np.lexsort((days, -counts, -happened))[0]]
    own = ordered[ordered // DAY == best]
    return _rounded(int(own[0]), int(own[-1]))


def _rounded(first: int, last: int) -> tuple[int, int]:
    """A nearly full day is shown from midnight to midnight."""
    midnight = first // DAY * DAY
    if last <= midnight + DAY and last - first > 0.9 * DAY:
        return midnight, midnight + DAY
    return first, max(last, first + 1)


def _numbered(spans: Sequence[tuple[int, int, int]], start: int, end: int) -> tuple[Cycle, ...]:
    touching = [span for span in spans if span[1] >= start and span[0] <= end]
    return tuple(Cycle(k, *span) for k, span in enumerate(touching, start=1))
