"""From files to three folders of Parquet parts, each with a schema that says what it is."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from jobs.tabular import loaders
from jobs.tabular.split import SPLITS, SplitName, by_group, by_id
from jobs.tabular.tables import numbers, texts
from signalbox.contracts.complaints import complaint
from signalbox.contracts.tabular import ID, Tabular
from signalbox.contracts.tabular_model import SCHEMA, TableSchema
from signalbox.errors import Rejected

ROWS_A_PART = 500_000


def preprocess(
    workload: str, told: Tabular, source: Path, out: Mapping[SplitName, Path]
) -> dict[SplitName, int]:
    """Read, check, split and write.

    Args:
        workload: its name.
        told: its section ``tabular``.
        source: folder of files with the target.
        out: folder of each split.

    Returns:
        Rows of each split.

    Raises:
        Rejected: a file, column or value is not what the workload says; named, with its row.
    """
    table = typed(loaders.rows(source, told, with_target=True), told)
    of = (
        by_id(texts(table[ID]), told.split)  # type: ignore[arg-type]  # the loader saw to the ids
        if told.group is None
        else by_group([each or "" for each in texts(table[told.group])], told.split)
    )
    dealt = np.asarray(of)
    digest = _digest(table)
    counts: dict[SplitName, int] = {}
    for split in SPLITS:
        part = table.filter(pa.array(dealt == split))
        schema = TableSchema(
            workload=workload, split=split, rows=part.num_rows, digest=digest, tabular=told
        )
        write(part, schema, out[split])
        counts[split] = part.num_rows
    return counts


def typed(table: pa.Table, told: Tabular) -> pa.Table:
    """The columns that count, numbers as float64, categories as text; of the target all rows known.

    Raises:
        Rejected: a cell holds something that is no number, a column holds nothing, or the target has gaps
            or, of a binary question, other values than 0 and 1.
    """
    columns = {ID: table[ID].cast(pa.string())}
    if told.group is not None:
        columns[told.group] = table[told.group].cast(pa.string())
    for name, kind in told.columns.items():
        if kind == "category":
            columns[name] = pa.array(texts(table[name]), pa.string())
        else:
            columns[name] = pa.array(_numbers(table, name), from_pandas=True)
        if columns[name].null_count == table.num_rows:
            raise Rejected("empty-column", f"{name} holds nothing", column=name)
    target = _numbers(table, told.target)
    gaps = np.flatnonzero(np.isnan(target))
    if len(gaps):
        where = texts(table[ID])[int(gaps[0])]
        raise Rejected(
            "no-target",
            f"{len(gaps)} rows have no {told.target}, such as {where}",
            row=int(gaps[0]),
        )
    if told.problem == "binary" and not np.isin(target, (0, 1)).all():
        raise Rejected("bad-target", f"{told.target} must be 0 or 1 in every row")
    columns[told.target] = pa.array(target)
    return pa.table(columns)


def _numbers(table: pa.Table, name: str) -> np.ndarray:  # type: ignore[type-arg]
    values, bad = numbers(table[name])
    if len(bad):
        where = texts(table[ID])[int(bad[0])]
        raise Rejected(
            "not-a-number",
            f"{name}: {len(bad)} rows hold no number, such as {where}; mend or leave out these rows",
            column=name, row=int(bad[0]),
        )  # fmt: skip
    return values


def _digest(table: pa.Table) -> str:
    target = io.BytesIO()
    with pa.ipc.new_stream(target, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashlib.sha256(target.getvalue()).hexdigest()


def write(table: pa.Table, schema: TableSchema, folder: Path) -> None:
    """Write the parts of a split, and what they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, table.num_rows, ROWS_A_PART)):
        part = table.slice(start, ROWS_A_PART)
        pq.write_table(part, folder / f"part-{number:05}.parquet", compression="zstd")
    (folder / SCHEMA).write_text(schema.model_dump_json(indent=1), encoding="utf-8")


def read(folder: Path) -> tuple[pa.Table, TableSchema]:
    """Read a split back.

    Raises:
        Rejected: it is not one, or not whole.
    """
    place = folder / SCHEMA
    if not place.is_file():
        raise Rejected("no-dataset", f"{place} is not there; run preprocess first")
    try:
        schema = TableSchema.model_validate_json(place.read_bytes())
    except ValidationError as problem:
        raise Rejected("bad-dataset", f"{place}: {complaint(problem)}") from None
    parts = []
    for path in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(path) as file:
            parts.append(file.read())
    rows = sum(part.num_rows for part in parts)
    if rows != schema.rows:
        raise Rejected("bad-dataset", f"{folder} holds {rows} rows; {SCHEMA} says {schema.rows}")
    return pa.concat_tables(parts), schema
