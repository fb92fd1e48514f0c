"""Predictions held against the faults that came."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.history import UNKNOWN, label
from jobs.dataset.build import in_season, prediction_of
from jobs.dataset.tables import History, fault_log
from jobs.faults.gate import gate_of
from jobs.faults.rows import UNIT, sorted_out, units_of
from jobs.faults.score import NEVER
from jobs.tabular.check_model import NAMED, settle
from jobs.tabular.evaluate import gate
from jobs.tabular.predicted import latest, of_runs_with, of_service, read
from jobs.tabular.quality import quality
from jobs.tabular.tables import numbers
from signalbox.contracts.prediction import Prediction
from signalbox.contracts.tabular import PREDICTION, PROBABILITY
from signalbox.contracts.workload import Workload
from signalbox.errors import Rejected

Floats = npt.NDArray[np.float64]
Faults = Mapping[str, Floats]


def check_model(
    workload: Workload, predictions: Path, truth: Path, out: Path, package: str = ""
) -> dict[str, Any]:
    """Label what was predicted, measure, write evaluation.json and gate.json.

    Cycles whose horizon is not over yet, or out of season, are left out; gate.json counts them. Of
    versions of the model that are not in service :func:`jobs.tabular.check_model.check_model` tells.

    Args:
        workload: its name, section ``prediction`` and tables.
        predictions: folder of predictions, of any number of runs.
        truth: folder of fault logs.
        out: folder for the files.
        package: the version of the model in service; empty if it is not known.

    Raises:
        BadHistory: a fault log lacks columns, or a time is none.
        Rejected: no fault log, faults of units that were not predicted for, or nothing to judge by.
        BelowThreshold: the workload's gate is not passed; the files are written all the same.
    """
    asked, prediction = gate_of(workload), prediction_of(workload)
    table = latest(read(predictions))
    logged = _faults(truth, workload, list(units_of(table, workload, [PREDICTION, PROBABILITY])))
    # a log is of the units of some batches: of those of others it does not say that they are well
    table = of_runs_with(table, UNIT, logged)
    found = list(units_of(table, workload, [PREDICTION, PROBABILITY]))
    probabilities = numbers(table[PROBABILITY])[0]
    labels = _labels(found, logged, prediction)
    rows = np.concatenate([each.rows for each in found])
    matured = np.flatnonzero(labels != UNKNOWN)
    chosen = of_service(table, rows[matured], package)
    known = matured[np.isin(rows[matured], chosen.rows)]
    came, said = labels[known].astype(np.float64), probabilities[rows[known]]
    if not len(known) or len(np.unique(came)) < 2:
        only = f"all with one answer, {came[0]:g}" if len(known) else "so nothing can be judged"
        raise Rejected(
            "one-sided",
            f"{workload.name}: of {len(labels)} predictions {len(known)} have matured, {only}; "
            "wait for the horizon to pass, and send all faults of these units",
        )
    if np.isnan(said).any():
        raise Rejected(
            "not-a-number", f"{PROBABILITY} is no number in {int(np.isnan(said).sum())} rows"
        )
    warned = numbers(table[PREDICTION])[0][rows[known]] == 1
    measured = quality("binary", came, said, _threshold(warned, said))
    judged = gate(asked, measured, workload.name, len(known))
    judged |= {"without_truth": len(labels) - len(matured), "of_other_versions": chosen.others}
    settle(measured.text(), judged, out, chosen.former)
    return judged


def _faults(truth: Path, workload: Workload, found: list[History]) -> Faults:
    given = sorted_out(truth)
    if not given.faults or given.cycles:
        odd = ", ".join(path.name for path in given.cycles)
        raise Rejected(
            "no-fault-log", f"{odd} is no fault log; the truth is when units failed: columns unit, failed_at"
        )  # fmt: skip
    logged = fault_log(given.faults, workload)
    strange = sorted(set(logged) - {each.unit for each in found})
    if strange:
        raise Rejected(
            "other-ids",
            f"faults of {len(strange)} units that were not predicted for: {', '.join(strange[:NAMED])}"
            f"{', ...' if len(strange) > NAMED else ''}; predicted was, for instance, {found[0].unit}",
        )
    return logged


def _labels(found: list[History], logged: Faults, prediction: Prediction) -> npt.NDArray[np.int8]:
    """(all rows,) unit after unit; until the last record or fault it is known what failed.

    Of days that is the same for the whole fleet; cycles are counted by each unit for itself.
    """
    ends = {
        each.unit: max(float(each.times[-1]), *logged.get(each.unit, NEVER), -np.inf)
        for each in found
    }
    newest = max(ends.values())
    labels = []
    for each in found:
        until = newest if prediction.time == "days" else ends[each.unit]
        own = label(each.times, logged.get(each.unit, NEVER), prediction.horizon, until)
        labels.append(np.where(in_season(each.times, prediction), own, UNKNOWN))
    return np.asarray(np.concatenate(labels), np.int8)


def _threshold(warned: npt.NDArray[np.bool_], said: Floats) -> float:
    """The model's own threshold as far as predictions tell: the lowest probability that it warned at."""
    return float(said[warned].min()) if warned.any() else 1.0
