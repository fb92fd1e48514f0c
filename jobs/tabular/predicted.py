"""Predictions of several runs as one table: each row the latest, and whose model it came from.

Truth lags behind. By the time it comes there may be predictions of a later day, or of another model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.tabular.loaders import refuse_twice
from jobs.tabular.tables import files_of, joined, read_table, require, texts
from signalbox.contracts.tabular import ID, MODEL_PACKAGE, PREDICTED_AT


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


def latest(folder: Path) -> pa.Table:
    """Read predictions of any number of runs; of each id the latest.

    Raises:
        Rejected: a file cannot be read or has no ids, or one run predicted twice for an id.
    """
    table = joined([read_table(path) for path in files_of(folder)])
    require(table, [ID], "the predictions")
    ids = texts(table[ID])
    if PREDICTED_AT not in table.column_names:
        refuse_twice(ids, "predictions")
        return table
    when = [each or "" for each in texts(table[PREDICTED_AT])]
    refuse_twice(
        [f"{name} of {at}" if name else None for name, at in zip(ids, when, strict=True)],
        "predictions",
    )
    newest = {name: row for row, name in sorted(enumerate(ids), key=lambda each: when[each[0]])}
    return table.take(pa.array(sorted(newest.values())))


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
