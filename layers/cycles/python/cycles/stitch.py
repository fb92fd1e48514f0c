"""Fragments of many files become the cycles of each unit, however the recording was cut.

Files of a unit are put in time order and their runs reduced once more, now as final. Files that overlap in
time are read again together: equal rows count once, and of two files that contradict each other the one
that ranks later is left out and reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cycles.cut import cut_recording
from cycles.detect import Run, State, reduce
from cycles.errors import BadRecording
from cycles.fragment import Fragment
from cycles.moments import Moments, merge, statistics
from cycles.overlap import merged_fragment
from cycles.readers import Recording
from cycles.spec import STATISTICS, CycleSpec

Reread = Callable[[str], Recording]
Fields = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Stitched:
    """Cycles and what had to be left out.

    Attributes:
        table: ``unit, cycle_start, cycle_end, duration_s, rows`` and ``<sensor>__<stat>``, ordered by unit
            and time; times are those of a cycle's first and last row, UTC.
        rejected: for each file left out its name and why.
    """

    table: pa.Table
    rejected: tuple[tuple[str, BadRecording], ...]


@dataclass(frozen=True, slots=True)
class _Cycle:
    unit: str
    start: int
    end: int
    rows: int
    fields: Fields


def stitch(
    fragments: Iterable[tuple[str, Fragment]],
    spec: CycleSpec,
    reread: Reread,
    *,
    units: Container[str] | None = None,
) -> Stitched:
    """Join the fragments of any number of files and units.

    Args:
        fragments: ``(name, fragment)`` of each file, one version each, in any order. Names must differ;
            they rank files that contradict each other, the lowest standing.
        spec: the cycle specification; a fragment cut under another one is cut again from its file.
        reread: opens a file again by name; called for files that overlap in time or must be cut again.
        units: stitch these units only, all by default.
    """
    by_unit: dict[str, list[tuple[str, Fragment]]] = defaultdict(list)
    rejected: dict[str, BadRecording] = {}
    for name, fragment in fragments:
        try:
            current = _cut_under(spec, name, fragment, reread)
        except BadRecording as problem:
            rejected[name] = problem
            continue
        for unit in current.units:
            if units is None or unit in units:
                by_unit[unit].append((name, current))
    cycles: list[_Cycle] = []
    for unit in sorted(by_unit):
        pieces, refused = _without_overlap(unit, by_unit[unit], spec, reread)
        rejected.update(refused)
        cycles.extend(_cycles_of(unit, pieces, spec))
    return Stitched(_table(cycles, spec), tuple(sorted(rejected.items())))


def _cut_under(spec: CycleSpec, name: str, fragment: Fragment, reread: Reread) -> Fragment:
    same = fragment.spec_digest == spec.digest
    return fragment if same else cut_recording(reread(name), spec)


def _without_overlap(
    unit: str, files: Sequence[tuple[str, Fragment]], spec: CycleSpec, reread: Reread
) -> tuple[list[Fragment], dict[str, BadRecording]]:
    """The unit's fragments in time order, those that overlap made into one."""
    ordered = sorted(files, key=lambda item: (item[1].extents[unit].start, item[0]))
    groups: list[list[tuple[str, Fragment]]] = []
    reach = None
    for item in ordered:
        extent = item[1].extents[unit]
        if reach is not None and extent.start <= reach:
            groups[-1].append(item)
            reach = max(reach, extent.end)
        else:
            groups.append([item])
            reach = extent.end
    pieces: list[Fragment] = []
    rejected: dict[str, BadRecording] = {}
    for group in groups:
        if len(group) == 1:
            pieces.append(group[0][1])
            continue
        merged, refused = merged_fragment(unit, sorted(name for name, _ in group), spec, reread)
        pieces.append(merged)
        rejected.update(refused)
    return pieces, rejected


def _cycles_of(unit: str, pieces: Sequence[Fragment], spec: CycleSpec) -> list[_Cycle]:
    runs: list[Run] = []
    reach: int | None = None
    for p, piece in enumerate(pieces):
        extent = piece.extents[unit]
        if reach is not None and extent.start - reach > spec.max_gap_ns:
            runs.append(Run(State.SEPARATOR, reach, extent.start))
        for k, stretch in enumerate(piece.stretches):
            if stretch.unit == unit:
                parts = () if stretch.state is State.SEPARATOR else ((p, k),)
                runs.append(Run(stretch.state, stretch.start, stretch.end, parts))
        reach = extent.end
    closed = (run for run in reduce(runs, spec, final=True) if run.state is State.CLOSED)
    return [_joined(unit, run, pieces) for run in closed]


def _joined(unit: str, run: Run, pieces: Sequence[Fragment]) -> _Cycle:
    """Merge the parts of a cycle, in time order."""
    (p, k), *others = run.parts
    fields, rows = pieces[p].moments.row(k), pieces[p].stretches[k].rows
    start, end = pieces[p].stretches[k].start, pieces[p].stretches[k].end
    for p, k in others:
        stretch = pieces[p].stretches[k]
        step = ((stretch.start - start) / 1e9, stretch.start - end)
        fields, rows = merge(fields, pieces[p].moments.row(k), step), rows + stretch.rows
        end = stretch.end
    return _Cycle(unit, run.start, run.end, rows, fields)


def _table(cycles: Sequence[_Cycle], spec: CycleSpec) -> pa.Table:
    moments = Moments.empty(len(cycles), len(spec.sensors))
    for k, cycle in enumerate(cycles):
        moments.put(k, slice(None), cycle.fields)
    starts = np.asarray([c.start for c in cycles], np.int64)
    ends = np.asarray([c.end for c in cycles], np.int64)
    stamp = pa.timestamp("ns", tz="UTC")
    columns = {
        "unit": pa.array([c.unit for c in cycles], pa.string()),
        "cycle_start": pa.array(starts, pa.int64()).view(stamp),
        "cycle_end": pa.array(ends, pa.int64()).view(stamp),
        "duration_s": pa.array((ends - starts) / 1e9),
        "rows": pa.array([c.rows for c in cycles], pa.int64()),
    }
    columns |= dict(zip(spec.result_names, _features(moments, spec), strict=True))
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _features(moments: Moments, spec: CycleSpec) -> list[pa.Array]:
    """Feature columns, NaN as null: slices of two arrays, since there may be hundreds of columns."""
    values = statistics(moments)
    cycles = len(values["n"])
    wanted = [(s, stat) for s, sensor in enumerate(spec.sensors) for stat in sensor.statistics]
    sensor, which = [s for s, _ in wanted], [STATISTICS.index(stat) for _, stat in wanted]
    stacked = np.stack([values[stat] for stat in STATISTICS])  # (statistics, cycles, sensors)
    picked = pa.array(stacked[which, :, sensor].reshape(-1), from_pandas=True)
    counts = pa.array(np.ascontiguousarray(values["n"].T).reshape(-1))  # the one of whole numbers
    return [
        counts.slice(s * cycles, cycles) if stat == "n" else picked.slice(k * cycles, cycles)
        for k, (s, stat) in enumerate(wanted)
    ]
