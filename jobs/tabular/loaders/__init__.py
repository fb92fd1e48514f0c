"""From files to rows: one loader a kind of file, one answer.

Every loader gives a table with ``id``, the group where the workload has one, the workload's columns and,
where it is asked for, the target; further columns as they were sent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from jobs.tabular.loaders import beijing, gsod, plain
from jobs.tabular.tables import texts
from signalbox.contracts.tabular import ID, Tabular
from signalbox.errors import Rejected

_LOADERS = {"plain": plain.rows, "beijing": beijing.rows, "gsod": gsod.rows}


def rows(folder: Path, told: Tabular, *, with_target: bool) -> pa.Table:
    """Read all rows of a folder.

    Raises:
        Rejected: a file is none, a column is missing, or two rows have the same id.
    """
    table = _LOADERS[told.loader](folder, told, with_target=with_target)
    refuse_twice(texts(table[ID]), folder.name)
    return table


def truth(folder: Path, told: Tabular) -> tuple[list[str], list[str | None]]:
    """Read what came true: ids, and what the files say of the target.

    Raises:
        Rejected: as above; or the files do not hold the target.
    """
    if told.loader == "plain":
        table = plain.truth(folder, told)
    else:
        table = _LOADERS[told.loader](folder, told, with_target=True)
    ids = texts(table[ID])
    refuse_twice(ids, folder.name)
    return [each or "" for each in ids], texts(table[told.target])


def refuse_twice(ids: list[str | None], name: str) -> None:
    """See that every row has an id of its own.

    Raises:
        Rejected: one has none, or two have the same.
    """
    if None in ids:
        raise Rejected("no-id", f"{name}: row {ids.index(None)} has no id", row=ids.index(None))
    if len(set(ids)) != len(ids):
        values, counts = np.unique(np.asarray(ids, dtype=str), return_counts=True)
        twice = values[counts > 1]
        raise Rejected(
            "id-twice",
            f"{name}: {len(twice)} ids come twice, such as {twice[0]}; send each row once",
        )
