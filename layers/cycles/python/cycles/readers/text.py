"""CSV and gzipped CSV, read as a stream; a file cut short or torn is refused with its line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from cycles.errors import BadRecording
from cycles.readers.parquet import readings
from cycles.readers.recording import (
    Batch,
    Recording,
    batch_slices,
    require_columns,
    times_from,
    units_from,
)
from cycles.spec import CycleSpec

BLOCK_BYTES = 4 * 2**20
HELD_BYTES = 128 * 2**20  # readings of a file that are kept; a larger one is read in passes
DECODED_LIMIT = 256 * 2**20  # of one pass: what the smallest vehicle, a Lambda of 1.8 GB, can hold
SAMPLE = 2**16


def read_csv(path: Path, spec: CycleSpec, name: str) -> Recording:
    """Open a wide CSV recording, plain or gzipped."""
    reader = CsvReader(path, spec, name)
    unit = spec.unit.column
    asked = list(
        dict.fromkeys([spec.timestamp.column, spec.running.signal, *([unit] if unit else [])])
    )
    wanted = [s.name for s in spec.sensors if s.required]
    require_columns(reader.header, [*asked, *wanted], name)
    sensors = [s.name for s in spec.sensors if s.name in reader.header]
    held = reader.table(list(dict.fromkeys([*asked, *sensors])) if reader.small else asked)
    rows = held.num_rows
    if rows == 0:
        raise BadRecording("empty", f"{name}: a header and no rows")
    units = units_from(held[unit].combine_chunks() if unit else None, spec, name, rows)
    times = times_from(_one(held[spec.timestamp.column]), spec.timestamp, name)

    def batches() -> Iterator[Batch]:
        for part in batch_slices(len(spec.sensors), rows, 8):
            names = [s.name for s in spec.sensors[part]]
            here = [n for n in names if n in reader.header]
            table = held if set(here) <= set(held.column_names) else reader.table(here)
            absent = np.full(rows, np.nan)
            kind = np.dtype(np.float64)
            yield (
                part,
                [readings(_one(table[n]), kind, n, name) if n in here else absent for n in names],
            )

    signal = _one(held[spec.running.signal])
    values = (
        np.asarray(signal.to_pylist(), dtype=object)
        if pa.types.is_string(signal.type)
        else readings(signal, np.dtype(np.float64), spec.running.signal, name)
    )
    return Recording(name, times, units, values, batches)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class CsvReader:
    """A CSV file, its header stripped of blanks, from which tables of some columns are read."""

    def __init__(self, path: Path, spec: CycleSpec, name: str) -> None:
        self.path, self.spec, self.name = path, spec, name
        self.zipped = name.lower().endswith(".gz")
        self.header = self._header()
        self.small = self._expected_bytes() < HELD_BYTES

    def _header(self) -> list[str]:
        opener = gzip.open if self.zipped else open
        try:
            with opener(self.path, "rt", encoding="utf-8-sig", newline="") as file:
                header = next(csv.reader(file), [])
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as problem:
            raise self._refusal("not-what-it-says", "its first line is no CSV header") from problem
        header = [column.strip() for column in header]
        twice = {column for column in header if header.count(column) > 1}
        if twice:
            raise self._refusal("duplicate-column", f"the header names {sorted(twice)[0]!r} twice")
        return header

    def _expected_bytes(self) -> int:
        """Bytes of all readings, by the file's size and the width of its first fields."""
        try:
            with (gzip.open if self.zipped else open)(self.path, "rb") as file:
                sample = file.read(SAMPLE)
        except (OSError, EOFError, zlib.error) as problem:
            raise self._refusal("truncated", "the gzip stream ends before its end") from problem
        size = self.path.stat().st_size
        if self.zipped:  # the last four bytes say what it unpacks to, modulo 4 GiB (RFC 1952)
            with self.path.open("rb") as file:
                file.seek(max(0, size - 4))
                size = int.from_bytes(file.read(4), "little")
        fields = sample.count(b",") + sample.count(b"\n") + 1
        return size * fields * 8 // max(1, len(sample))

    def _refusal(self, reason: str, text: str, **where: str | int | None) -> BadRecording:
        return BadRecording(reason, f"{self.name}: {text}", **where)  # type: ignore[arg-type]

    def text_columns(self) -> set[str]:
        """Columns read as text: units, formatted or ISO times, a status in words."""
        spec = self.spec
        text = {c for c in (spec.unit.column, spec.long_sensor) if c}
        if spec.timestamp.unit is None:
            text.add(spec.timestamp.column)
        if any(isinstance(value, str) for value in spec.running.on):
            text.add(spec.running.signal)
        return text

    def table(self, columns: Sequence[str], *, as_text: bool = False) -> pa.Table:
        """Read some columns of the whole file; sensors as float64, missing readings as nulls."""
        text = set(columns) if as_text else self.text_columns()
        types = {c: pa.string() if c in text else pa.float64() for c in columns}
        stamp = self.spec.timestamp
        if stamp.unit == "ns" and stamp.column in types and not as_text:
            types[stamp.column] = pa.int64()  # a float64 would round them to 256 ns
        torn: list[int | None] = []

        def note(row: pacsv.InvalidRow) -> str:
            torn.append(row.number)
            return "error"

        try:
            return self._stream(columns, types, note)
        except pa.ArrowInvalid as problem:
            if torn:
                raise self._torn_refusal(torn[0]) from problem
            if as_text:
                raise self._refusal("not-what-it-says", "its text is not UTF-8") from problem
            self._refuse_bad_number([c for c in columns if c not in text], problem)
        except (OSError, EOFError) as problem:
            raise self._refusal("truncated", "the gzip stream ends before its end") from problem

    def _stream(
        self, columns: Sequence[str], types: dict[str, pa.DataType], note: object
    ) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        read = pacsv.ReadOptions(
            column_names=self.header, skip_rows=1, block_size=BLOCK_BYTES, use_threads=False
        )
        convert = pacsv.ConvertOptions(
            include_columns=list(columns),
            column_types=types,
            null_values=list(self.spec.null_values),
            strings_can_be_null=True,
        )
        packed = "gzip" if self.zipped else None
        with (
            pa.input_stream(str(self.path), compression=packed) as stream,
            pacsv.open_csv(
                stream, read, pacsv.ParseOptions(invalid_row_handler=note), convert
            ) as reader,
        ):
            schema, held = reader.schema, 0
            for batch in reader:
                batches.append(batch)
                held += batch.nbytes
                if held > DECODED_LIMIT:
                    text = f"more than {DECODED_LIMIT:,} bytes once unpacked; split the recording"
                    raise self._refusal("too-large", text)
        return pa.Table.from_batches(batches, schema)

    def _torn_refusal(self, number: int | None) -> BadRecording:
        line, fields, last = self._short_line()
        if line is None:
            return self._refusal("torn-line", "a line has too many or too few fields", row=number)
        what = "the last line is torn" if last else f"line {line} is torn"
        text = f"{what}: {fields} fields where the header has {len(self.header)}"
        return self._refusal("torn-line", text, line=line)

    def _short_line(self) -> tuple[int | None, int, bool]:
        """Number and field count of the first line whose width is wrong, and whether it is the last."""
        opener = gzip.open if self.zipped else open
        try:
            with opener(
                self.path, "rt", encoding="utf-8-sig", errors="replace", newline=""
            ) as file:
                lines = csv.reader(file)
                for fields in lines:
                    if fields and len(fields) != len(self.header):
                        line = lines.line_num
                        return line, len(fields), next(lines, None) is None
        except (csv.Error, EOFError, zlib.error, OSError):
            return None, 0, False  # torn in more than one way; where exactly cannot be told
        return None, 0, False

    def _refuse_bad_number(self, columns: Sequence[str], problem: Exception) -> NoReturn:
        """Find the first text that is no number, column by column, and say where it stands."""
        for column in columns:
            values = _one(self.table([column], as_text=True)[column])
            row = _first_bad_number(values)
            if row is not None:
                raise self._refusal(
                    "not-a-number",
                    f"column {column!r} holds text that is no number in data row {row}; list it under "
                    "null_values if it means missing",
                    column=column,
                    row=row,
                    line=row + 2,
                ) from problem
        raise self._refusal("not-what-it-says", "it cannot be read as CSV") from problem


def _first_bad_number(values: pa.Array) -> int | None:
    def fits(part: pa.Array) -> bool:
        try:
            part.cast(pa.float64())
        except pa.ArrowInvalid:
            return False
        return True

    if fits(values):
        return None
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if not fits(values.slice(low, middle - low)) else (middle, high)
    return low
