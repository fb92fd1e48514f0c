"""Judging a model on rows it never saw, beside the model in service, a constant and a default.

The default is gradient boosting as scikit-learn ships it.


evaluation.json   Model Monitor's model-quality statistics of the model
gate.json         passed 1 or 0, metric, value, threshold, and a sentence
comparison.json   the gate's metrics of all four
smoke.json        a few test rows with the model's answers: its endpoint is tried with them
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.tabular.boosting import answers_of, estimator
from jobs.tabular.features import Matrix, matrix
from jobs.tabular.preprocess import read
from jobs.tabular.quality import figures, quality
from jobs.tabular.served import Model, opened
from jobs.tabular.tables import numbers
from signalbox.contracts.gate import BELOW, Gate
from signalbox.contracts.model_quality import EVALUATION, ModelQuality
from signalbox.contracts.packages import CSV, SMOKE, Smoke
from signalbox.contracts.tabular import Tabular
from signalbox.errors import Rejected

GATE, COMPARISON = "gate.json", "comparison.json"
TRIED = 3
"""Rows that an endpoint is tried with."""

Floats = npt.NDArray[np.float64]


def evaluate(folders: Mapping[str, Path], workload: str, out: Path) -> dict[str, Any]:
    """Judge the model and write the files.

    Args:
        folders: ``train``, ``validation``, ``test``, ``model``, and ``approved``, absent or empty if none is.
        workload: whose model it must be.
        out: folder for the files.

    Returns:
        What gate.json says.

    Raises:
        Rejected: the model is of another workload or dataset, or a split is missing.
    """
    taught, checked, (test, schema) = (
        read(folders[name]) for name in ("train", "validation", "test")
    )
    if schema.workload != workload:
        raise Rejected(
            "other-workload", f"the test rows are of {schema.workload}, not of {workload}"
        )
    told = schema.tabular
    truth = numbers(test[told.target])[0]
    known = pa.concat_tables([taught[0], checked[0]])
    with opened(folders["model"], workload) as model:
        if model.told.dataset != schema.digest:
            raise Rejected(
                "other-dataset",
                f"model {model.told.version} was trained on another dataset than these test rows are of",
            )
        answers = model.answers(test)
        beside = _beside(model, told, known, test)
        shown = matrix(test.slice(0, TRIED), model.told.columns)
    found = quality(told.problem, truth, answers, told.threshold)
    compared = {
        "model": figures(told.problem, truth, answers, told.threshold),
        "approved": _approved(folders.get("approved"), workload, told, test, truth),
        **{
            name: figures(told.problem, truth, each, told.threshold)
            for name, each in beside.items()
        },
    }
    judged = gate(told.gate, found, workload, len(truth))
    out.mkdir(parents=True, exist_ok=True)
    (out / EVALUATION).write_text(found.text(), encoding="utf-8")
    (out / GATE).write_text(json.dumps(judged, indent=1), encoding="utf-8")
    (out / COMPARISON).write_text(
        json.dumps({"rows": len(truth), **compared}, indent=1), encoding="utf-8"
    )
    (out / SMOKE).write_text(_sample(shown, answers).model_dump_json(indent=1), encoding="utf-8")
    return judged


def _sample(shown: Matrix, answers: Floats) -> Smoke:
    """The request with these rows, as the model's endpoint takes them."""
    lines = (",".join(f"{value:.9g}" for value in row) for row in shown)
    body = "".join(f"{line}\n" for line in lines)
    known = tuple(float(answer) for answer in answers[: len(shown)])
    return Smoke(content_type=CSV, body=body, accept=CSV, answers=known)


def gate(asked: Gate, found: ModelQuality, workload: str, rows: int) -> dict[str, Any]:
    """Whether a model is good enough, in numbers and in one sentence."""
    value = found.value(asked.metric)
    passed = asked.met(value)
    sentence = (
        f"{workload}: {asked.metric} is {value:.4g} on {rows} rows, {asked.wish()} is asked"
        f"{'' if passed else f': {BELOW}'}"
    )
    return {
        "passed": int(passed), "metric": asked.metric, "value": value, "threshold": asked.bound,
        "sentence": sentence,
    }  # fmt: skip


def _beside(model: Model, told: Tabular, known: pa.Table, test: pa.Table) -> dict[str, Floats]:
    """Answers of a constant (mean, or share of yes) and of gradient boosting as scikit-learn ships it.

    Both are taught all that the model was: training and validation rows.
    """
    answers = numbers(known[told.target])[0]
    usual = estimator(told.problem, random_state=0)
    usual.fit(matrix(known, model.told.columns), answers)
    return {
        "constant": np.full(test.num_rows, answers.mean()),
        "default": answers_of(usual, told.problem, matrix(test, model.told.columns)),
    }


def _approved(
    folder: Path | None, workload: str, told: Tabular, test: pa.Table, truth: Floats
) -> dict[str, float] | None:
    """Figures of the model in service on the same rows, some of which may have taught it.

    None where there is none, or none that can be compared.
    """
    if folder is None or not folder.is_dir() or not any(folder.iterdir()):
        return None
    with opened(folder, workload) as model:
        asked = (model.told.problem, model.told.target)
        lacking = [each.name for each in model.told.columns if each.name not in test.column_names]
        if asked != (told.problem, told.target) or lacking:
            return None  # the workload asks another question since, or shows other columns
        return figures(told.problem, truth, model.answers(test), model.told.threshold)
