"""Files of one unit that overlap in time: equal rows count once, contradicting files are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from cycles.cut import cut_recording
from cycles.errors import BadRecording
from cycles.fragment import Fragment
from cycles.readers import Recording
from cycles.readers.recording import Batch, batch_slices
from cycles.spec import CycleSpec


@dataclass(frozen=True, slots=True)
class _Rows:
    """One unit's rows: times (rows,), the running signal (rows,), readings (sensors, rows)."""

    times: npt.NDArray[np.int64]
    signal: npt.NDArray[np.generic]
    readings: npt.NDArray[np.float64]


def merged_fragment(
    unit: str, names: Sequence[str], spec: CycleSpec, reread: Callable[[str], Recording]
) -> tuple[Fragment, dict[str, BadRecording]]:
    """Cut overlapping files of a unit as the one recording they are parts of.

    Args:
        unit: whose rows.
        names: the files in rank order; of two that contradict each other the first stands.
        spec: the cycle specification.
        reread: opens a file again by name.

    Returns:
        The fragment of the files that agree, and for each other file why it was left out.
    """
    rejected: dict[str, BadRecording] = {}
    kept: _Rows | None = None
    standing: list[str] = []
    for name in names:
        rows = _rows_of(unit, reread(name), spec)
        if kept is None:
            kept = rows
            standing.append(name)
            continue
        clash = _clash(kept, rows)
        if clash is None:
            kept = _union(kept, rows)
            standing.append(name)
        else:
            moment, row = clash
            others = ", ".join(standing)
            rejected[name] = BadRecording(
                "conflicting-rows",
                f"{name}: its row {row} for unit {unit} at {moment} differs from what {others} says of that "
                "moment; delete the wrong one",
                row=row,
            )
    if kept is None:
        raise ValueError("no files to merge")
    whole = kept

    def batches() -> Iterator[Batch]:
        for part in batch_slices(len(spec.sensors), len(whole.times), 8):
            yield part, list(whole.readings[part])

    recording = Recording(
        names[0], whole.times, {unit: slice(0, len(whole.times))}, whole.signal, batches
    )
    return cut_recording(recording, spec), rejected


def _rows_of(unit: str, recording: Recording, spec: CycleSpec) -> _Rows:
    own = recording.units[unit]
    times = recording.times[own]
    readings = np.empty((len(spec.sensors), len(times)))
    for part, columns in recording.batches():
        for s, column in zip(range(part.start, part.stop), columns, strict=True):
            readings[s] = column[own]
    return _Rows(times, recording.signal[own], readings)


def _clash(kept: _Rows, new: _Rows) -> tuple[str, int] | None:
    """Time and row of the first moment both files have and tell differently."""
    _, a, b = np.intersect1d(kept.times, new.times, assume_unique=True, return_indices=True)
    x, y = kept.readings[:, a], new.readings[:, b]
    differs = ((x != y) & ~(np.isnan(x) & np.isnan(y))).any(axis=0)
    one, other = kept.signal[a], new.signal[b]
    differs |= (one != other) & ((one == one) | (other == other))  # noqa: PLR0124 - NaN equals nothing
    if not differs.any():
        return None
    k = int(np.argmax(differs))
    moment = datetime.fromtimestamp(int(kept.times[a[k]]) / 1e9, UTC)
    return moment.isoformat(timespec="milliseconds"), int(b[k])


def _union(kept: _Rows, new: _Rows) -> _Rows:
    fresh = ~np.isin(new.times, kept.times)
    times = np.concatenate([kept.times, new.times[fresh]])
    order = np.argsort(times, kind="stable")
    signal = np.concatenate([kept.signal, new.signal[fresh]])[order]
    readings = np.concatenate([kept.readings, new.readings[:, fresh]], axis=1)[:, order]
    return _Rows(times[order], signal, readings)
