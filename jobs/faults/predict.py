"""Cycle tables in, the same cycles with predictions out: ``predictions.csv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from jobs.dataset.tables import fault_log
from jobs.faults.rows import cycles_of, named_rows, sorted_out
from jobs.faults.score import NEVER, Scorer
from jobs.tabular.predict import FILE
from signalbox.adapters.onnx_model import refuse_mismatch
from signalbox.contracts.tabular import MODEL_PACKAGE, PREDICTED_AT, PREDICTION, PROBABILITY
from signalbox.contracts.workload import Workload


def predict(
    scorer: Scorer, workload: Workload, source: Path, out: Path, package: str = "", at: str = ""
) -> int:
    """Predict for every cycle of every unit, from what was known at it.

    Args:
        scorer: a model of this workload.
        workload: whose tables these are.
        source: folder of cycle tables; a unit begins anew after each fault of a fault log among them.
        out: folder for predictions.csv: ``id``, ``unit``, the columns as they were sent, ``prediction`` (1
            where the model would warn), ``probability`` of a fault within the horizon, and the next two
            as ``model_package`` and ``predicted_at``, if they are told.
        package: the version of the model.
        at: when the run began.

    Returns:
        Rows predicted.

    Raises:
        BadHistory: a table cannot be read, lacks columns, or has a cycle twice.
        Rejected: the model is of another workload, a file is none, or a column is named like a prediction.
    """
    columns = scorer.schema.columns
    refuse_mismatch(scorer.schema, workload.name, columns)
    given = sorted_out(source)
    logged = fault_log(given.faults, workload)
    told: list[pd.DataFrame] = []
    for history, rows in named_rows(cycles_of(given, source), workload, columns):
        said = scorer.probabilities(history, logged.get(history.unit, NEVER))
        rows[PREDICTION] = (said >= scorer.schema.threshold).astype(np.int64)
        rows[PROBABILITY] = said
        told.append(rows)
    table = pd.concat(told, ignore_index=True)
    for name, value in ((MODEL_PACKAGE, package), (PREDICTED_AT, at)):
        if value:
            table[name] = value
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / FILE, index=False)
    return len(table)
