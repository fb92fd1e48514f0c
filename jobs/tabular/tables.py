"""Files of rows: CSV, gzipped CSV, Parquet, with a header or the names of the workload.

What is read stays text until somebody asks for numbers, so that what was sent can be judged as it was sent.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from signalbox.errors import Rejected

ENDINGS = (".csv", ".csv.gz", ".parquet")
LARGEST = 1e100
"""No measurement is beyond; sums of squares stay finite."""
MISSING = ["", "NaN", "nan", "null", "NULL", "NA"]

Floats = npt.NDArray[np.float64]


def files_of(folder: Path) -> list[Path]:
    """The tables of a folder, however deep, by name; what begins with a dot or underscore is none.

    Raises:
        Rejected: there is none, or another kind of file.
    """
    found = sorted(
        path
        for path in (folder.rglob("*") if folder.is_dir() else [])
        if path.is_file() and not path.name.startswith((".", "_"))
    )
    for path in found:
        if not path.name.endswith(ENDINGS):
            raise Rejected("bad-file", f"{path.name} is no table; send {', '.join(ENDINGS)}")
    if not found:
        raise Rejected("no-file", f"no table in {folder.name}; send {', '.join(ENDINGS)}")
    return found


def stem(path: Path) -> str:
    """A file's name without its endings.

    >>> stem(Path("monday.csv.gz"))
    'monday'
    """
    return path.name.removesuffix(".gz").rpartition(".")[0]


def read_table(path: Path, names: Sequence[str] | None = None) -> pa.Table:
    """Read a file; columns of CSV are text, and so is what Parquet holds besides numbers.

    Args:
        path: the file.
        names: of a CSV without a header, its columns in order.

    Raises:
        Rejected: it cannot be read, holds no rows, names a column twice, or is wider than ``names``.
    """
    try:
        table = _parquet(path) if path.name.endswith(".parquet") else _text(path, names)
    except (OSError, EOFError, pa.ArrowException) as problem:
        told = str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__
        raise Rejected("bad-file", f"{path.name} cannot be read: {told}") from problem
    if not table.num_rows:
        raise Rejected("empty-file", f"{path.name} holds no rows; send rows or nothing")
    twice = sorted({n for n in table.column_names if table.column_names.count(n) > 1})
    if twice:
        raise Rejected("bad-file", f"{path.name} names {', '.join(twice)} twice")
    return table


def _parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        table = file.read()
    columns = [
        column if pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        else column.cast(pa.string())
        for column in table.columns
    ]  # fmt: skip
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def first_line(path: Path) -> list[str]:
    """The first line of a CSV: its header, if it has one.

    Raises:
        Rejected: there is none, or it cannot be read.
    """
    opened: Any = gzip.open if path.name.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            first = next(csv.reader(file), None)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as problem:
        raise Rejected("bad-file", f"{path.name} cannot be read: {problem}") from problem
    if first is None:
        raise Rejected("empty-file", f"{path.name} is empty; send rows or nothing")
    return [name.strip() for name in first]


def _text(path: Path, names: Sequence[str] | None) -> pa.Table:
    first = first_line(path)
    columns = first if names is None else list(names)[: len(first)]
    if names is not None and len(first) > len(names):
        raise Rejected(
            "wrong-columns", f"{path.name} has {len(first)} columns, not {', '.join(names)}"
        )
    if len(set(columns)) != len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise Rejected("bad-file", f"{path.name} names {', '.join(twice)} twice")
    return pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(column_names=columns, skip_rows=int(names is None)),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True,
            null_values=MISSING,
        ),
    )  # fmt: skip


def require(table: pa.Table, wanted: Sequence[str], name: str) -> None:
    """See that a table has these columns.

    Raises:
        Rejected: some are missing; they are named, and those that are there.
    """
    missing = [column for column in wanted if column not in table.column_names]
    if missing:
        there = ", ".join(table.column_names)
        raise Rejected("missing-columns", f"{name} lacks {', '.join(missing)}; it has {there}")


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Rows of several tables in one; a column that differs in kind becomes text, one not there is missing."""
    kinds: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            kinds.setdefault(field.name, set()).add(field.type)
    mixed = {name for name, found in kinds.items() if len(found) > 1}
    alike = [
        table.cast(
            pa.schema([f.with_type(pa.string()) if f.name in mixed else f for f in table.schema])
        )
        for table in tables
    ]
    return pa.concat_tables(alike, promote_options="default").combine_chunks()


def texts(column: pa.ChunkedArray) -> list[str | None]:
    """A column as text, without outer blanks; None where there is nothing."""
    trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return [value or None for value in trimmed.to_pylist()]


def numbers(column: pa.ChunkedArray) -> tuple[Floats, npt.NDArray[np.int64]]:
    """A column as numbers.

    Returns:
        (n,) values, NaN where there is none, and the rows that hold something that is no number within 1e100.
    """
    if not pa.types.is_string(column.type):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        strange = np.abs(values) > LARGEST
        return np.where(strange, np.nan, values), np.flatnonzero(strange)
    quick = _all_numbers(column)
    if quick is not None:
        return quick, np.empty(0, np.int64)
    values = np.full(len(column), np.nan)
    bad = []
    for row, told in enumerate(texts(column)):
        if told is None:
            continue
        number = _number(told)
        if number is None:
            bad.append(row)
        else:
            values[row] = number
    return values, np.asarray(bad, np.int64)


def _all_numbers(column: pa.ChunkedArray) -> Floats | None:
    """The values, or None where some cell is no finite number and has to be found."""
    try:
        cast = pc.cast(pc.utf8_trim_whitespace(column), pa.float64())
    except pa.ArrowInvalid:
        return None
    values: Floats = cast.to_numpy(zero_copy_only=False).astype(np.float64)
    return None if (np.abs(values) > LARGEST).any() else values


def _number(told: str) -> float | None:
    try:
        value = float(told)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST and "_" not in told else None
