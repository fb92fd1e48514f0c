"""Judging a model on units it never saw, beside the model in service, a constant and gradient boosting.

evaluation.json   Model Monitor's model-quality statistics, and in ``signalbox`` the alerts
gate.json         passed 1 or 0, metric, value, threshold, and a sentence
comparison.json   the gate's metrics of all four
smoke.json        a few test windows with the model's answers: its endpoint is tried with them
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.history import Sequences
from jobs.evaluation.run import Evaluation, Split, draw, shown
from jobs.evaluation.run import evaluate as judge
from jobs.faults.gate import gate_of
from jobs.faults.parts import read_part, together
from jobs.faults.rows import raw_table, units_of
from jobs.faults.score import Scorer
from jobs.tabular.evaluate import COMPARISON, GATE, gate
from jobs.tabular.quality import figures
from jobs.tabular.served import unpacked
from signalbox.adapters.onnx_model import INPUTS, read_schema
from signalbox.contracts.model_quality import EVALUATION, ModelQuality
from signalbox.contracts.packages import CSV, LINES, SMOKE, Smoke
from signalbox.contracts.prediction import Prediction
from signalbox.contracts.workload import Workload
from signalbox.errors import Rejected

SEED = 0
DRAWS = 200
TRIED = 2
"""Windows that an endpoint is tried with."""
DEFAULT = "gradient boosting"
METRICS = "binary_classification_metrics"

Floats = npt.NDArray[np.float64]


def evaluate(folders: Mapping[str, Path], workload: Workload, out: Path) -> dict[str, Any]:
    """Judge the model and write the files.

    Args:
        folders: ``train``, ``validation``, ``test``, ``model``, and ``approved``, absent or empty if none is.
        workload: whose model it must be.
        out: folder for the files.

    Returns:
        What gate.json says.

    Raises:
        BadHistory: a part is missing, or the model was trained on another dataset.
        Rejected: the parts or the model are of another workload or dataset.
    """
    asked = gate_of(workload)
    parts = [read_part(folders[name], workload.name) for name in ("train", "validation", "test")]
    data = together(parts)
    with unpacked(folders["model"]) as model:
        schema = read_schema(model)
        if schema.workload != workload.name:
            raise Rejected(
                "other-workload",
                f"model {schema.version} is of workload {schema.workload!r}, not of {workload.name!r}",
            )
        found = judge(model, data, SEED, draws=DRAWS)
    measured = ModelQuality.model_validate({METRICS: found.report[METRICS]})
    compared = _compared(found, data)
    compared["approved"] = _approved(folders, workload, data, found.test, schema.horizon)
    judged = gate(asked, measured, workload.name, len(found.test.rows))
    out.mkdir(parents=True, exist_ok=True)
    (out / EVALUATION).write_text(json.dumps(found.report, indent=1), encoding="utf-8")
    (out / GATE).write_text(json.dumps(judged, indent=1), encoding="utf-8")
    (out / COMPARISON).write_text(json.dumps(compared, indent=1), encoding="utf-8")
    (out / SMOKE).write_text(
        _sample(found, data, schema.window).model_dump_json(), encoding="utf-8"
    )
    return judged


def _sample(found: Evaluation, data: Sequences, window: int) -> Smoke:
    """The request with a few test windows, as the model's endpoint takes them."""
    windows, valid = shown(data, found.test.rows[:TRIED], window)
    records = (
        dict(zip(INPUTS, (each.tolist(), int(real)), strict=True))
        for each, real in zip(windows, valid, strict=True)
    )
    body = "".join(f"{json.dumps(record)}\n" for record in records)
    known = tuple(float(each) for each in np.log(found.contenders[0].test[:TRIED]))
    return Smoke(content_type=LINES, body=body, accept=CSV, answers=known)


def _compared(found: Evaluation, data: Sequences) -> dict[str, Any]:
    """Figures on the test cycles: of the model, of a constant (the share of positives), of the default."""
    truth = found.test.labels.astype(np.float64)
    ours, default = (
        next(each for each in found.contenders if each.name == name)
        for name in (found.contenders[0].name, DEFAULT)
    )
    prediction = Prediction.model_validate(data.manifest["prediction"])
    known = [draw(data, prediction, name, SEED).labels for name in ("train", "validation")]
    constant = np.full(len(truth), float(np.concatenate(known).mean()))
    return {
        "rows": len(truth),
        "model": figures("binary", truth, ours.test, ours.threshold),
        "approved": None,
        "constant": figures("binary", truth, constant, 0.5),
        "default": figures("binary", truth, default.test, default.threshold),
    }


def _approved(
    folders: Mapping[str, Path], workload: Workload, data: Sequences, test: Split, horizon: float
) -> dict[str, float] | None:
    """Figures of the model in service on the same cycles, some of whose units may have taught it.

    Its features are made anew from the raw rows: it knows another usual than the dataset's. None where there
    is no such model, or none that can be compared.
    """
    folder = folders.get("approved")
    if folder is None or not folder.is_dir() or not any(folder.iterdir()):
        return None
    table = raw_table(folders["test"])
    with unpacked(folder) as place:
        scorer = Scorer.open(place)
        told = scorer.schema
        lacking = set(told.columns) - set(table.column_names)
        if told.workload != workload.name or told.horizon != horizon or lacking:
            return None  # the workload asks another question since, or has other columns
        histories = {each.unit: each for each in units_of(table, workload, told.columns)}
        said: list[Floats] = []
        for unit in np.unique(test.units):
            rows = test.rows[test.units == unit] - data.offsets[unit]
            history = histories[data.units[unit]]
            said.append(scorer.probabilities(history, data.faults[unit], rows))
    order = np.argsort(test.units, kind="stable")
    truth = test.labels[order].astype(np.float64)
    return figures("binary", truth, np.concatenate(said), told.threshold)
