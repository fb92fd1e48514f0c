"""Predictions of several runs as one table: each row the latest, and whose model it came from.

Truth lags behind. By the time it comes there may be predictions of a later day, or of another model.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.tabular.loaders import refuse_twice
from jobs.tabular.tables import files_of, joined, read_table, require, texts
from signalbox.contracts.tabular import ADDED, ID, MODEL_PACKAGE, PREDICTED_AT
from signalbox.errors import Rejected

_BY_FILE = re.compile(r".+#\d+")
"""Names of rows without an id: those that :mod:`jobs.tabular.loaders.plain` gives."""


@dataclass(frozen=True)
class Judgeable:
    """Rows that are to be judged.

    Attributes:
        rows: (n,) places of them, of those given.
        others: how many of them other versions predicted, which are left out.
        former: the version that predicted them, if it is not the one in service: then nothing follows from
            what is found.
    """

    rows: npt.NDArray[np.intp]
    others: int = 0
    former: str = ""


def stamped(table: pa.Table, package: str, at: str) -> pa.Table:
    """The same table with columns that say which version of a model predicted, and when."""
    for name, value in ((MODEL_PACKAGE, package), (PREDICTED_AT, at)):
        if value:
            table = table.append_column(name, pa.array([value] * table.num_rows))
    return table


def read(folder: Path) -> pa.Table:
    """Read predictions of any number of runs, a file each.

    Raises:
        Rejected: a file cannot be read, has no ids, or one of them twice.
    """
    tables = []
    for path in files_of(folder):
        table = read_table(path)
        require(table, [ID], "the predictions")
        refuse_twice(texts(table[ID]), "predictions")
        tables.append(table)
    return joined(tables)


def latest(table: pa.Table) -> pa.Table:
    """Keep of each id the latest prediction; of two runs that began at the same time that of either.

    Raises:
        Rejected: an id is there twice, and nothing says when.
    """
    ids = texts(table[ID])
    if PREDICTED_AT not in table.column_names:
        refuse_twice(ids, "predictions")
        return table
    when = [each or "" for each in texts(table[PREDICTED_AT])]
    newest = {name: row for row, name in sorted(enumerate(ids), key=lambda each: when[each[0]])}
    return table.take(pa.array(sorted(newest.values())))


def refuse_unclear(table: pa.Table, wanted: Collection[str]) -> None:
    """Refuse truth of rows that are named after their file, where such a name stands for several.

    Args:
        table: predictions of all runs, with what they were made from.
        wanted: the ids of the truth.

    Raises:
        Rejected: an id was predicted for from different values, so nobody knows which came true.
    """
    inputs = sorted(set(table.column_names) - ADDED)
    distinct = table.select([ID, *inputs]).group_by([ID, *inputs]).aggregate([])
    counted = distinct.group_by([ID]).aggregate([(ID, "count")])
    several = counted.filter(pc.greater(counted[f"{ID}_count"], 1))[ID].to_pylist()
    unclear = sorted(set(filter(_BY_FILE.fullmatch, map(str, several))) & set(wanted))
    if unclear:
        raise Rejected(
            "unclear-ids",
            f"{len(unclear)} rows named after their file were predicted by several runs from different "
            f"values, such as {unclear[0]}; name files of different data differently, or send ids "
            "(tabular.id)",
        )


def of_runs_with(table: pa.Table, column: str, wanted: Collection[str]) -> pa.Table:
    """Only the rows of runs that predicted for at least one of these; all where no run did."""
    if PREDICTED_AT not in table.column_names:
        return table
    when = np.asarray([each or "" for each in texts(table[PREDICTED_AT])])
    named = np.asarray([each in wanted for each in texts(table[column])], bool)
    kept = np.isin(when, when[named])
    return table.filter(pa.array(kept)) if kept.any() else table


def of_service(table: pa.Table, rows: npt.NDArray[np.intp], package: str) -> Judgeable:
    """Of rows with truth those that the version in service predicted; if there are none, all of them.

    Args:
        table: predictions.
        rows: (n,) places in it.
        package: the version in service; empty if nobody said, and then all rows count.
    """
    if not package or MODEL_PACKAGE not in table.column_names:
        return Judgeable(rows)
    by = np.asarray([each or "" for each in texts(table[MODEL_PACKAGE])])[rows]
    own = rows[by == package]
    if len(own) or not len(rows):
        return Judgeable(own, len(rows) - len(own))
    return Judgeable(rows, former=_versions(sorted(set(by.tolist()))))


def _versions(packages: Sequence[str]) -> str:
    return ", ".join(each.rpartition("/")[2] or "unknown" for each in packages)
