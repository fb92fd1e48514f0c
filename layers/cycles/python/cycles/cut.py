"""One file in, one fragment out: what Lambda, the laptop and every Spark task call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cycles.detect import Run, raw_runs, reduce, running_codes
from cycles.errors import BadRecording
from cycles.fragment import Extent, Fragment, Stretch
from cycles.moments import Moments, measure
from cycles.readers import Recording, check_times, open_recording, refusing
from cycles.spec import CycleSpec
from cycles.sums import Clock

KEPT_BYTES = 8 * 2**20
SPARSE_STEP = 997  # a prime, so that no periodic drop-out hides a live sensor from the quick look

# The C library gives freed memory back above a threshold, and pays for each page anew with every file.
# It raises the threshold to the largest block freed so far (glibc, mallopt(3), "dynamic mmap threshold"):
# so one is freed here that was never touched.
np.empty(KEPT_BYTES, np.uint8)


def cut(path: Path, spec: CycleSpec, name: str) -> Fragment:
    """Reduce one sensor file to what it contributes: closed cycles, and an undecided head and tail.

    Args:
        path: the file on this machine.
        spec: the workload's cycle specification.
        name: the file's key: its ending says the format, it may hold the unit, messages name it.

    Raises:
        BadRecording: with a reason, and the column, row, line or row group to look at.
    """
    with refusing(name):
        return cut_recording(open_recording(path, spec, name), spec)


def cut_recording(recording: Recording, spec: CycleSpec) -> Fragment:
    """Reduce an opened recording; see :func:`cut`."""
    if recording.signal.dtype.kind == "f" and np.isnan(recording.signal).all():
        raise _silent(recording, spec.running.signal)
    runs: dict[str, list[Run]] = {}
    extents: dict[str, Extent] = {}
    for unit, rows in recording.units.items():
        times = recording.times[rows]
        check_times(times, rows, spec, recording.name)
        codes = running_codes(recording.signal[rows], spec.running)
        runs[unit] = reduce(raw_runs(times, codes, spec.max_gap_ns), spec, final=False)
        extents[unit] = Extent(int(times[0]), int(times[-1]), len(times))
    stretches = tuple(
        Stretch(unit, run.state, run.start, run.end, sum(j - i for i, j in run.parts))
        for unit, found in runs.items()
        for run in found
    )
    return Fragment(spec.names, extents, stretches, _measured(recording, spec, runs), spec.digest)


def _measured(recording: Recording, spec: CycleSpec, runs: dict[str, list[Run]]) -> Moments:
    """Measure every stretch that has rows, a batch of sensors at a time."""
    moments = Moments.empty(sum(len(found) for found in runs.values()), len(spec.sensors))
    clocks = {}
    for unit, found in runs.items():
        ranges = [(run.parts[0][0], run.parts[-1][1]) if run.parts else (0, 0) for run in found]
        clocks[unit] = Clock.of(recording.times[recording.units[unit]], ranges)
    for part, columns in recording.batches():
        own = _alive(recording, spec, part, columns)
        levels = [
            spec.sensors[s].above if "above_s" in spec.sensors[s].statistics else None for s in own
        ]
        where = part if len(own) == len(columns) else list(own)
        first = 0
        for unit, found in runs.items():
            clock, rows = clocks[unit], recording.units[unit]
            if clock and own:
                read = [column[rows] for column in own.values()]
                measured = measure(read, len(found), clock, levels)
                for name, values in measured.values.items():
                    moments.values[name][first : first + len(found), where] = values
            first += len(found)
        read = []
        del columns, own  # before the next batch is decoded
    return moments


def _alive(
    recording: Recording, spec: CycleSpec, part: slice, columns: Sequence[npt.NDArray[np.floating]]
) -> dict[int, npt.NDArray[np.floating]]:
    """The batch's sensors that have readings, by place; refuses a required one without."""
    alive = {}
    for s, column in zip(range(part.start, part.stop), columns, strict=True):
        if np.isnan(column[0]) and np.isnan(column[::SPARSE_STEP]).all() and np.isnan(column).all():
            # A file shorter than the gap that ends a cycle is no evidence that a sensor is dead.
            span = int(recording.times.max()) - int(recording.times.min())
            if spec.sensors[s].required and span > spec.max_gap_ns:
                raise _silent(recording, spec.sensors[s].name)
            continue
        alive[s] = column
    return alive


def _silent(recording: Recording, column: str) -> BadRecording:
    return BadRecording(
        "no-readings",
        f"{recording.name}: column {column!r} has no reading in {len(recording.times):,} rows; "
        "mark the sensor 'required: false' if it may be silent",
        column=column,
    )
