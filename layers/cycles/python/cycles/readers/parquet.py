"""Wide Parquet: columns decoded a batch at a time, so memory stays flat however many sensors there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from cycles.errors import BadRecording
from cycles.readers.recording import (
    Batch,
    Recording,
    batch_slices,
    refuse_twice,
    require_columns,
    times_from,
    units_from,
)
from cycles.spec import CycleSpec

DECODED_COLUMNS = 4  # at a time: the decoder holds as much again as what it decodes


def open_file(path: Path, name: str) -> pq.ParquetFile:
    """Open a Parquet file, or say that its footer is gone, which is what truncation takes first."""
    try:
        return pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as problem:
        raise BadRecording(
            "truncated", f"{name}: no readable Parquet footer; the file is cut short or damaged"
        ) from problem


def read_wide(path: Path, spec: CycleSpec, name: str) -> Recording:
    """Open a wide Parquet recording: one row a moment, one column a sensor."""
    file = open_file(path, name)
    schema = file.schema_arrow  # building it anew costs a tenth of a millisecond each time
    present = set(schema.names)
    asked = [
        spec.timestamp.column,
        spec.running.signal,
        *([spec.unit.column] if spec.unit.column else []),
    ]
    if len(present) < len(schema.names):
        refuse_twice(schema.names, [*asked, *spec.names], name)
    wanted = [*asked, *(s.name for s in spec.sensors if s.required)]
    if not present.issuperset(wanted):
        require_columns(schema.names, wanted, name)
    rows = file.metadata.num_rows
    if rows == 0:
        raise BadRecording("empty", f"{name}: no rows")
    head = dict(
        zip(dict.fromkeys(asked), _decoded(file, list(dict.fromkeys(asked)), name), strict=True)
    )
    units = units_from(head[spec.unit.column] if spec.unit.column else None, spec, name, rows)
    times = times_from(head[spec.timestamp.column], spec.timestamp, name)
    signal = _signal(head[spec.running.signal], spec, name)

    kind = _common_kind(schema, spec)

    def decoded(part: slice) -> list[npt.NDArray[np.floating]]:
        names = [s.name for s in spec.sensors[part]]
        here = [n for n in names if n in present]
        fresh = [n for n in here if n not in head]  # the signal is decoded already
        arrays = head | dict(zip(fresh, _decoded(file, fresh, name), strict=True))
        absent = np.full(rows if len(here) < len(names) else 0, np.nan, kind)
        return [readings(arrays[n], kind, n, name) if n in arrays else absent for n in names]

    def batches() -> Iterator[Batch]:
        for part in batch_slices(len(spec.sensors), rows, kind.itemsize):
            yield part, decoded(part)  # nothing here holds it: one batch is in memory at a time

    return Recording(name, times, units, signal, batches)


def _decoded(file: pq.ParquetFile, columns: Sequence[str], name: str) -> list[pa.Array]:
    """Decode whole columns, each as one array."""
    arrays: list[pa.Array] = []
    for k in range(0, len(columns), DECODED_COLUMNS):
        some = list(columns[k : k + DECODED_COLUMNS])
        try:
            table = file.read(columns=some, use_threads=False)
        except (pa.ArrowInvalid, OSError) as problem:
            group = _broken_row_group(file, some)
            raise BadRecording(
                "truncated", f"{name}: row group {group} cannot be decoded", row_group=group
            ) from problem
        found = dict(zip(table.column_names, table.itercolumns(), strict=True))  # in file order
        whole = (found[c] for c in some)
        arrays += [c.chunk(0) if c.num_chunks == 1 else c.combine_chunks() for c in whole]
    return arrays


def _broken_row_group(file: pq.ParquetFile, columns: Sequence[str]) -> int | None:
    for group in range(file.num_row_groups):
        try:
            file.read_row_group(group, columns=list(columns), use_threads=False)
        except (pa.ArrowInvalid, OSError):
            return group
    return None


def _common_kind(schema: pa.Schema, spec: CycleSpec) -> np.dtype[np.floating]:
    """float32 where every sensor is stored so, float64 otherwise: no reading is ever narrowed."""
    types, wanted, narrow = (
        zip(schema.names, schema.types, strict=True),
        set(spec.names),
        pa.float32(),
    )
    same = all(t == narrow or t == pa.float16() for name, t in types if name in wanted)
    return np.dtype(np.float32 if same else np.float64)


def readings(
    column: pa.Array, kind: np.dtype[np.floating], sensor: str, name: str
) -> npt.NDArray[np.floating]:
    """A sensor's readings as floats, missing ones as NaN."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise BadRecording(
            "wrong-type",
            f"{name}: column {sensor!r} holds {column.type}, not numbers",
            column=sensor,
        )
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(kind, copy=False)  # type: ignore[no-any-return]


def _signal(column: pa.Array, spec: CycleSpec, name: str) -> npt.NDArray[np.generic]:
    if any(isinstance(value, str) for value in spec.running.on):
        text = column.cast(pa.string())
        return np.asarray(text.to_pylist(), dtype=object)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = np.float32 if column.type == pa.float32() else np.float64
    return readings(column, np.dtype(kind), spec.running.signal, name)
