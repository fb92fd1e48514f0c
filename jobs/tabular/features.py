"""From rows to the one input of a model: float32 (n, F), finite, as model.json says.

The container refuses what is not finite, and a tree cannot tell a name: so a missing number becomes the
training rows' median, and a category one feature each, before the graph and in the same way everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.tabular.tables import numbers, require, texts
from signalbox.contracts.tabular import Tabular
from signalbox.contracts.tabular_model import ModelColumn
from signalbox.errors import Rejected

MOST_CATEGORIES = 100

Matrix = npt.NDArray[np.float32]


def columns_of(table: pa.Table, told: Tabular) -> list[ModelColumn]:
    """Learn from training rows how columns become numbers.

    Raises:
        Rejected: a column has no value, or more than 100 categories.
    """
    made = []
    for name, kind in told.columns.items():
        if kind == "number":
            values = numbers(table[name])[0].astype(np.float32)
            finite = values[np.isfinite(values)]
            if not len(finite):
                raise Rejected("empty-column", f"{name} holds no number", column=name)
            made.append(ModelColumn(name=name, fill=float(np.median(finite))))
            continue
        found = sorted({each for each in texts(table[name]) if each is not None})
        if not found or len(found) > MOST_CATEGORIES:
            raise Rejected(
                "bad-category", f"{name} has {len(found)} categories; 1 to {MOST_CATEGORIES} can be learned"
            )  # fmt: skip
        made.append(ModelColumn(name=name, categories=found))
    return made


def matrix(table: pa.Table, columns: Sequence[ModelColumn]) -> Matrix:
    """What a model is shown of rows.

    Returns:
        (n, F) float32, all finite.

    Raises:
        Rejected: a column is missing, or holds values but no number where numbers are wanted.
    """
    require(table, [column.name for column in columns], "the table")
    made: list[npt.NDArray[np.float32]] = []
    for column in columns:
        if column.categories is not None:
            told = np.asarray([each or "" for each in texts(table[column.name])], dtype=object)
            made.extend((told == category).astype(np.float32) for category in column.categories)
            continue
        values, bad = numbers(table[column.name])
        with np.errstate(over="ignore"):  # beyond float32 is as good as unknown
            small = values.astype(np.float32)
        finite = np.isfinite(small)
        if len(bad) and not finite.any():
            raise Rejected(
                "not-a-number", f"{column.name} holds no number in any row", column=column.name
            )
        made.append(np.where(finite, small, np.float32(column.fill or 0.0)))
    return np.column_stack(made)
