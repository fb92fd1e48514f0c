"""Long recordings: one row a reading (time, sensor, value), turned into the wide shape the kernels take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cycles.errors import BadRecording
from cycles.readers.parquet import _decoded, open_file, readings
from cycles.readers.recording import (
    Batch,
    Recording,
    Rows,
    Times,
    refuse_twice,
    require_columns,
    times_from,
    units_from,
)
from cycles.readers.text import CsvReader
from cycles.spec import CycleSpec


def read_long(path: Path, spec: CycleSpec, name: str, kind: str) -> Recording:
    """Open a long recording; rows may be ordered by time or by sensor, each sensor's times must rise."""
    sensor_column, value_column = str(spec.long_sensor), str(spec.long_value)
    unit = spec.unit.column
    asked = [spec.timestamp.column, sensor_column, value_column, *([unit] if unit else [])]
    table = _columns(path, spec, name, kind, asked)
    if len(table[value_column]) == 0:
        raise BadRecording("empty", f"{name}: no rows")
    times = times_from(table[spec.timestamp.column], spec.timestamp, name)
    sensors = _sensor_codes(table[sensor_column], spec, name)
    values = readings(table[value_column], np.dtype(np.float64), value_column, name)
    units = units_from(table[unit] if unit else None, spec, name, len(times))
    _refuse_repeats(times, sensors, units, spec, name)
    return _widened(times, sensors, values, units, spec, name)


def _columns(
    path: Path, spec: CycleSpec, name: str, kind: str, asked: list[str]
) -> dict[str, pa.Array]:
    if kind == "parquet":
        file = open_file(path, name)
        refuse_twice(file.schema_arrow.names, asked, name)
        require_columns(file.schema_arrow.names, asked, name)
        return dict(zip(asked, _decoded(file, asked, name), strict=True))
    reader = CsvReader(path, spec, name)
    require_columns(reader.header, asked, name)
    table = reader.table(asked)
    return {c: table[c].combine_chunks() for c in asked}


def _sensor_codes(column: pa.Array, spec: CycleSpec, name: str) -> npt.NDArray[np.int64]:
    """Each row's sensor as an index into the wanted names (signal last), -1 for others.  # (rows,)"""
    codes = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if codes.indices.null_count:
        raise BadRecording("wrong-type", f"{name}: a row names no sensor", column=spec.long_sensor)
    present = [str(v) for v in codes.dictionary.to_pylist()]
    wanted = [*spec.names, spec.running.signal]
    require_columns(
        present,
        [*(s.name for s in spec.sensors if s.required), spec.running.signal],
        f"{name}: as a sensor",
    )
    place = {sensor: k for k, sensor in reversed(list(enumerate(wanted)))}
    index = np.asarray([place.get(sensor, -1) for sensor in present], np.int64)
    found: npt.NDArray[np.int64] = index[codes.indices.to_numpy()]
    return found


def _refuse_repeats(
    times: Times, sensors: npt.NDArray[np.int64], units: dict[str, Rows], spec: CycleSpec, name: str
) -> None:
    for rows in units.values():
        own_times, own = times[rows], sensors[rows]
        order = np.argsort(own, kind="stable")
        same = np.diff(own[order]) == 0
        wrong = np.flatnonzero(same & (np.diff(own_times[order]) <= 0) & (own[order][1:] >= 0))
        if len(wrong):
            row = int(np.arange(len(times))[rows][order[wrong[0] + 1]])
            twice = own_times[order[wrong[0]]] == own_times[order[wrong[0] + 1]]
            reason, text = (
                ("time-twice", "a time comes twice") if twice else ("time-back", "time goes back")
            )
            raise BadRecording(
                reason,
                f"{name}: {text} for one sensor in row {row}",
                column=spec.timestamp.column,
                row=row,
            )


def _widened(
    times: Times,
    sensors: npt.NDArray[np.int64],
    values: npt.NDArray[np.floating],
    units: dict[str, Rows],
    spec: CycleSpec,
    name: str,
) -> Recording:
    """One wide row per unit and moment; a sensor silent at a moment has no reading there."""
    wide_times: list[Times] = []
    wide_units: dict[str, Rows] = {}
    places = np.full(len(times), -1, np.int64)  # wide row of each reading
    start = 0
    for unit, rows in units.items():
        wanted = sensors[rows] >= 0
        if not wanted.any():
            continue  # a unit without a single reading of a wanted sensor has no rows here
        moments, inverse = np.unique(times[rows][wanted], return_inverse=True)
        spots = np.arange(len(times))[rows][wanted]
        places[spots] = inverse + start
        wide_times.append(moments)
        wide_units[unit] = slice(start, start + len(moments))
        start += len(moments)

    def column(k: int) -> npt.NDArray[np.floating]:
        out = np.full(start, np.nan)
        mine = sensors == k
        out[places[mine]] = values[mine]
        return out

    signal_code = (
        spec.names.index(spec.running.signal)
        if spec.running.signal in spec.names
        else len(spec.names)
    )

    def batches() -> Iterator[Batch]:
        for k in range(len(spec.sensors)):
            yield slice(k, k + 1), [column(k)]

    if not wide_units:
        raise BadRecording("empty", f"{name}: not one reading of a sensor that the workload wants")
    return Recording(name, np.concatenate(wide_times), wide_units, column(signal_code), batches)
