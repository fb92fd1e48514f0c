"""Gradient boosting, stopped by the validation rows, taught again with them, and exported to ONNX.

The number of trees is what the validation rows ask for; then as many are grown on training and validation
rows together, so that the model that ships has seen all but the test rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from jobs.tabular.export import export, parity
from jobs.tabular.features import columns_of, matrix
from jobs.tabular.preprocess import read
from jobs.tabular.quality import figures
from jobs.tabular.tables import numbers
from signalbox.contracts.complaints import complaint
from signalbox.contracts.model_schema import FILE, ONNX
from signalbox.contracts.tabular import Boosting, Problem
from signalbox.contracts.tabular_model import INPUT, Shape, TableSchema, TabularModel
from signalbox.errors import Rejected

REPORT = "training.json"
RESERVED = ("_tuning_objective_metric", "sagemaker_")
"""What tuning jobs and the SDK's script mode add of their own to the hyperparameters."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """A trained estimator, how many trees, and figures on training and validation rows."""

    estimator: Any
    trees: int
    train: dict[str, float]
    validation: dict[str, float]


def settings(told: Boosting, given: Mapping[str, str]) -> tuple[Boosting, int]:
    """Hyperparameters, which come as text, in place of the workload's own; and the seed.

    Raises:
        Rejected: one is none, or holds what it cannot.
    """
    mine = {name: value for name, value in given.items() if not name.startswith(RESERVED)}
    seed = str(mine.pop("seed", "0"))
    strange = sorted(set(mine) - set(Boosting.model_fields))
    if strange:
        known = ", ".join(["seed", *Boosting.model_fields])
        raise Rejected("bad-hyperparameter", f"{', '.join(strange)}: there are {known}")
    if not seed.isdecimal():
        raise Rejected("bad-hyperparameter", f"seed: {seed!r} is no whole number from 0 on")
    try:
        return Boosting.model_validate({**told.model_dump(), **mine}), int(seed)
    except ValidationError as problem:
        raise Rejected("bad-hyperparameter", complaint(problem)) from None


def train(
    folders: Mapping[str, Path], given: Mapping[str, str], out: Path, heard: Callable[[str], None]
) -> TabularModel:
    """Train and leave a model folder.

    Args:
        folders: of the splits ``train`` and ``validation``.
        given: hyperparameters as SageMaker gives them.
        out: for model.onnx, model.json and training.json.
        heard: told of the figures, ``train_rmse=...; validation_rmse=...;``.

    Raises:
        Rejected: the splits are not of one dataset, a hyperparameter is wrong, or the exported model differs.
    """
    (table, schema), (checked, other) = read(folders["train"]), read(folders["validation"])
    if schema.digest != other.digest:
        raise Rejected("other-dataset", "train and validation are of different datasets")
    told = schema.tabular
    chosen, seed = settings(told.training, given)
    columns = columns_of(pa.concat_tables([table, checked]), told)
    shown, asked = matrix(table, columns), matrix(checked, columns)
    answers, truth = numbers(table[told.target])[0], numbers(checked[told.target])[0]
    learned = _learn(told.problem, chosen, seed, (shown, answers), (asked, truth))
    heard(_line(learned))
    out.mkdir(parents=True, exist_ok=True)
    features = [name for column in columns for name in column.features]
    export(learned.estimator, told.problem, len(features), out / ONNX)
    every = np.concatenate([shown, asked])
    found = parity(learned.estimator, told.problem, out / ONNX, every)
    model = TabularModel(
        workload=schema.workload, version=_version(schema, out / ONNX), problem=told.problem,
        target=told.target, columns=columns, features=features, threshold=told.threshold,
        dataset=schema.digest, training={**chosen.model_dump(), "seed": seed, "trees": learned.trees},
        inputs={INPUT: Shape(shape=[len(features)])},
    )  # fmt: skip
    told_of = {"train": learned.train, "validation": learned.validation, "parity": found}
    (out / REPORT).write_text(json.dumps({"version": model.version, **told_of}, indent=1))
    (out / FILE).write_text(model.model_dump_json(indent=1), encoding="utf-8")
    return model


def estimator(problem: Problem, **settings_: Any) -> Any:
    """An untaught estimator of scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = (
        HistGradientBoostingRegressor if problem == "regression" else HistGradientBoostingClassifier
    )
    return kind(**settings_)


def answers_of(model: Any, problem: Problem, shown: npt.NDArray[np.float32]) -> Floats:
    """Numbers, or probabilities of class 1: (n,)."""
    found = model.predict(shown) if problem == "regression" else model.predict_proba(shown)[:, 1]
    return np.asarray(found, np.float64)


def _learn(
    problem: Problem, chosen: Boosting, seed: int,
    rows: tuple[npt.NDArray[np.float32], Floats], checked: tuple[npt.NDArray[np.float32], Floats],
) -> Learned:  # fmt: skip
    for name, (_, answers) in (("train", rows), ("validation", checked)):
        if problem == "binary" and len(np.unique(answers)) < 2:
            raise Rejected("one-class", f"{name} rows hold one answer only; nothing can be learned")
    own = chosen.model_dump(exclude={"patience", "max_iter"}) | {"random_state": seed}
    first = estimator(
        problem, **own, max_iter=chosen.max_iter, early_stopping=True,
        n_iter_no_change=chosen.patience,
    )  # fmt: skip
    first.fit(*rows, X_val=checked[0], y_val=checked[1])
    # the last ``patience`` rounds brought nothing
    scores = np.asarray(first.validation_score_[1:])
    trees = int(np.argmax(scores)) + 1
    measured = {}
    for name, (shown, answers) in (("train", rows), ("validation", checked)):
        measured[name] = figures(problem, answers, answers_of(first, problem, shown))
    last = estimator(problem, **own, max_iter=trees, early_stopping=False)
    last.fit(np.concatenate([rows[0], checked[0]]), np.concatenate([rows[1], checked[1]]))
    return Learned(last, trees, measured["train"], measured["validation"])


def _line(learned: Learned) -> str:
    told = [f"trees={learned.trees};"]
    for split, found in (("train", learned.train), ("validation", learned.validation)):
        told += [f"{split}_{name}={value:.6f};" for name, value in found.items()]
    return " ".join(told)


def _version(schema: TableSchema, onnx_file: Path) -> str:
    weights = hashlib.sha256(onnx_file.read_bytes()).hexdigest()
    return f"{schema.digest[:8]}-{weights[:8]}"
