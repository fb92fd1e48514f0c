"""A training run, from two splits to a model folder: learn, export, compare.

model.onnx   model.json   what production needs
training.json             how it went
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import ValidationError

from jobs.tabular.boosting import Rows, learn
from jobs.tabular.export import export, parity
from jobs.tabular.features import columns_of, matrix
from jobs.tabular.preprocess import read
from jobs.tabular.tables import numbers
from signalbox.contracts.complaints import complaint
from signalbox.contracts.model_schema import FILE, ONNX
from signalbox.contracts.tabular import Boosting
from signalbox.contracts.tabular_model import INPUT, Shape, TabularModel
from signalbox.errors import Rejected

REPORT = "training.json"


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
        Rejected: the splits are not of one dataset, a hyperparameter is wrong, nothing can be learned, or
            the exported model differs.
    """
    (table, schema), (checked, other) = read(folders["train"]), read(folders["validation"])
    if schema.digest != other.digest:
        raise Rejected("other-dataset", "train and validation are of different datasets")
    told = schema.tabular
    chosen, seed = settings(told.training, given)
    columns = columns_of(pa.concat_tables([table, checked]), told)
    taught, judging = (
        Rows(matrix(rows, columns), numbers(rows[told.target])[0]) for rows in (table, checked)
    )
    learned = learn(told, chosen, seed, taught, judging)
    heard(learned.line())
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).unlink(missing_ok=True)  # a folder with a model.json holds a whole model
    features = [name for column in columns for name in column.features]
    export(learned.estimator, told.problem, len(features), out / ONNX)
    every = np.concatenate([taught.shown, judging.shown])
    found = parity(learned.estimator, told.problem, out / ONNX, every)
    weights = hashlib.sha256((out / ONNX).read_bytes()).hexdigest()
    model = TabularModel(
        workload=schema.workload, version=f"{schema.digest[:8]}-{weights[:8]}", problem=told.problem,
        target=told.target, columns=columns, features=features, threshold=told.threshold,
        dataset=schema.digest, training={**chosen.model_dump(), "seed": seed, "trees": learned.trees},
        inputs={INPUT: Shape(shape=[len(features)])},
    )  # fmt: skip
    report = {"version": model.version, **learned.figures, "parity": found}
    (out / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")
    (out / FILE).write_text(model.model_dump_json(indent=1), encoding="utf-8")
    return model


def settings(told: Boosting, given: Mapping[str, str]) -> tuple[Boosting, int]:
    """Hyperparameters, which come as text, in place of the workload's own; and the seed.

    Raises:
        Rejected: one is none, or holds what it cannot.
    """
    mine = dict(given)
    seed = str(mine.pop("seed", "0"))
    strange = sorted(set(mine) - set(Boosting.model_fields))
    if strange:
        known = ", ".join(["seed", *Boosting.model_fields])
        raise Rejected("bad-hyperparameter", f"{', '.join(strange)}: there are {known}")
    if not seed.isdecimal() or int(seed) >= 2**32:
        raise Rejected("bad-hyperparameter", f"seed: {seed!r} is no whole number below 2^32")
    try:
        return Boosting.model_validate({**told.model_dump(), **mine}), int(seed)
    except ValidationError as problem:
        raise Rejected("bad-hyperparameter", complaint(problem)) from None
