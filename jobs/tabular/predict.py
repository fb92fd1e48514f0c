"""Rows in, the same rows with predictions out: ``predictions.csv``.

A cell that is no number is kept as it was sent and counts as missing for the model: the data check
says so to the owner, while the other rows get their predictions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from jobs.tabular import loaders
from jobs.tabular.predicted import stamped
from jobs.tabular.served import Model
from jobs.tabular.tables import numbers
from signalbox.contracts.tabular import ADDED, ID, PREDICTION, PROBABILITY, Tabular
from signalbox.errors import Rejected

FILE = "predictions.csv"


def predict(
    model: Model,
    told: Tabular,
    source: Path,
    out: Path,
    heard: Callable[[str], None],
    package: str = "",
    at: str = "",
) -> int:
    """Predict for every row of a folder of files.

    Args:
        model: of this workload.
        told: the workload's section ``tabular``.
        source: the files.
        out: folder for predictions.csv: ``id``, the columns as they were sent, ``prediction``, of a
            binary question ``probability`` of class 1, and the next two as ``model_package`` and
            ``predicted_at``, if they are told.
        heard: told of cells that are no numbers.
        package: the version of the model.
        at: when the run began.

    Returns:
        Rows predicted.

    Raises:
        Rejected: a file cannot be read, holds no rows, lacks a column, or has one named like a prediction.
    """
    table = loaders.rows(source, told, with_target=False)
    taken = (ADDED - {ID}) & set(table.column_names)
    if taken:
        raise Rejected(
            "name-taken", f"the files have {', '.join(sorted(taken))}; send inputs alone"
        )
    for column in model.told.columns:
        strange = 0 if column.categories else len(numbers(table[column.name])[1])
        if strange:
            heard(f"{column.name}: {strange} cells are no number and count as missing")
    answers = model.answers(table)
    kept = table.drop_columns([name for name in _unsaid(told) if name in table.column_names])
    if told.problem == "binary":
        said = pa.array((answers >= model.told.threshold).astype("int64"))
        kept = kept.append_column(PREDICTION, said).append_column(PROBABILITY, pa.array(answers))
    else:
        kept = kept.append_column(PREDICTION, pa.array(answers))
    kept = stamped(kept, package, at)
    out.mkdir(parents=True, exist_ok=True)
    pacsv.write_csv(kept, out / FILE, pacsv.WriteOptions(quoting_style="needed"))
    return int(kept.num_rows)


def _unsaid(told: Tabular) -> set[str]:
    """The truth, which is no input, and what the id of a station's day says already."""
    own = {told.target}
    if told.loader != "plain":
        own |= {"station", "date"} - {told.group, *told.columns}
    return own - {ID}
