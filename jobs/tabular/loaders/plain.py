"""Rows as they come: a file has a header, or the workload says the names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from jobs.tabular.tables import files_of, first_line, joined, read_table, require, stem
from signalbox.contracts.tabular import ID, Tabular
from signalbox.errors import Rejected


def rows(folder: Path, told: Tabular, *, with_target: bool) -> pa.Table:
    """Read all rows; one without an id of its own is called ``<file>#<row>``, from 0.

    Raises:
        Rejected: a file cannot be read, or lacks columns.
    """
    wanted = [*told.columns, *filter(None, (told.id, told.group))]
    wanted += [told.target] if with_target else []
    parts: dict[str, pa.Table] = {}
    for path in files_of(folder):
        table = read_table(path, told.names)
        require(table, wanted, path.name)
        _add(parts, path, _identified(table, path, told.id))
    return joined(list(parts.values()))


def truth(folder: Path, told: Tabular) -> pa.Table:
    """Read ids and the target: of a table with both, or of a file like the one that was predicted for.

    Without an id of its own a row of ``monday.csv`` tells what came of that row of the ``monday.csv``
    that was predicted for; the file may then hold the target alone.

    Raises:
        Rejected: a file cannot be read, or lacks the target.
    """
    parts: dict[str, pa.Table] = {}
    for path in files_of(folder):
        table = _truth_of(path, told)
        require(table, [told.target], path.name)
        named = told.id if told.id in table.column_names else None
        if named is None and ID in table.column_names:
            named = ID
        if told.id is not None and named is None:
            require(table, [told.id], path.name)
        _add(parts, path, _identified(table, path, named).select([ID, told.target]))
    return joined(list(parts.values()))


def _truth_of(path: Path, told: Tabular) -> pa.Table:
    if told.names is None or path.name.endswith(".parquet"):
        return read_table(path)
    first = first_line(path)
    if told.target in first:
        return read_table(path)  # a table of truth may have a header where the rows have none
    return read_table(path, [told.target] if len(first) == 1 else told.names)


def _identified(table: pa.Table, path: Path, column: str | None) -> pa.Table:
    if column is not None:
        ids = table[column].cast(pa.string())
    else:
        ids = pa.array([f"{stem(path)}#{row}" for row in range(table.num_rows)])
    if ID in table.column_names:
        table = table.drop_columns([ID])
    return table.add_column(0, ID, ids)


def _add(parts: dict[str, pa.Table], path: Path, table: pa.Table) -> None:
    if stem(path) in parts:
        raise Rejected(
            "file-twice", f"two files are called {stem(path)}; rows are named after them"
        )
    parts[stem(path)] = table
