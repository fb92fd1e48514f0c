"""An evaluation: the exported model on the test units, beside constants and baselines.

Everything is chosen on the validation units: thresholds of the baselines too. The test units are looked
at once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.errors import BadHistory
from cycles.history import Sequences, sample
from cycles.history.alerts import (
    Ending,
    Episode,
    choose_threshold,
    ending,
    episodes,
    table_at,
    tabulate,
    thresholds_of,
)  # fmt: skip
from jobs.evaluation.baselines import fitted, window_statistics
from jobs.evaluation.metrics import (
    auc,
    auc_difference,
    auc_interval,
    brier,
    calibration,
    drawn_units,
    model_quality,
    rate_intervals,
    table_json,
)  # fmt: skip
from signalbox.adapters.onnx_model import OnnxModel, read_schema
from signalbox.contracts.model_schema import ONNX, ModelSchema
from signalbox.contracts.prediction import Prediction

MODEL = "transformer"
AT_A_TIME = 512
SWEEP_POINTS = 60
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Split:
    """Cycles drawn of a split: (n,) unit, row, label and time of each."""

    units: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int8]
    times: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """What somebody said of the validation and test cycles, and the threshold that follows."""

    name: str
    validation: npt.NDArray[np.float64]
    test: npt.NDArray[np.float64]
    threshold: float


@dataclass(frozen=True)
class Evaluation:
    """All that is known: ``report`` is evaluation.json; the rest is what pictures need."""

    schema: ModelSchema
    data: Sequences
    test: Split
    contenders: list[Contender]
    lives: dict[str, list[Episode]]
    report: dict[str, Any]


def evaluate(
    folder: Path, data: Sequences, seed: int, told: Progress = lambda _: None, draws: int = 1000
) -> Evaluation:
    """Judge the model in a folder.

    Args:
        folder: model.onnx and model.json.
        data: the dataset it was trained on.
        seed: of the drawn cycles and of the bootstrap.
        told: told of each step.
        draws: of the bootstrap.

    Raises:
        BadHistory: the model was made from another dataset, or a split has nothing to judge by.
        Rejected: there is no such model.
    """
    schema = read_schema(folder)
    if schema.dataset != data.manifest["digest"]:
        raise BadHistory(
            "other-dataset",
            f"model {schema.version} was trained on dataset {schema.dataset}, not on "
            f"{data.manifest['digest']}: its test units may have been its training units",
        )
    prediction = Prediction.model_validate(data.manifest["prediction"])
    drawn = {name: draw(data, prediction, name, seed) for name in ("train", "validation", "test")}
    told("scoring with the model")
    model = OnnxModel.open(folder / ONNX)
    said = {
        name: np.exp(scored(model, data, drawn[name], prediction.window)[:, 1].astype(np.float64))
        for name in ("validation", "test")
    }
    contenders = [Contender(MODEL, said["validation"], said["test"], schema.threshold)]
    told("fitting the baselines")
    statistics = {
        name: window_statistics(data, s.rows, prediction.window) for name, s in drawn.items()
    }
    for each in fitted(statistics["train"], drawn["train"].labels, seed):
        on = {name: each.probabilities(statistics[name]) for name in ("validation", "test")}
        found = _lives(data, drawn["validation"], on["validation"])
        threshold, _ = choose_threshold(
            found, prediction.horizon, prediction.grace, prediction.precision, prediction.threshold
        )
        contenders.append(Contender(each.name, on["validation"], on["test"], threshold))
    told("drawing units again for intervals")
    lives = {each.name: _lives(data, drawn["test"], each.test) for each in contenders}
    report = _report(schema, data, prediction, drawn["test"], contenders, lives, seed, draws)
    return Evaluation(schema, data, drawn["test"], contenders, lives, report)


def draw(data: Sequences, prediction: Prediction, split: str, seed: int) -> Split:
    """The cycles that a split is judged by, the same number of each unit.

    Raises:
        BadHistory: there is none whose label is known.
    """
    order = {"train": 1, "validation": 0, "test": 2}[split]
    units, rows = sample(
        data.labels, data.eligible, data.offsets, data.members(split), prediction.samples,
        np.random.default_rng([seed, 0, order] if order else [seed, 0]),
    )  # fmt: skip
    if not len(rows):
        raise BadHistory("empty-split", f"{split}: no unit has a cycle whose label is known")
    return Split(units, rows, data.labels[rows], data.times[rows])


def scored(model: OnnxModel, data: Sequences, split: Split, window: int) -> npt.NDArray[np.float32]:
    """(n, 2) log-probabilities of a split, features sent as they were measured."""
    parts = [
        model.log_probabilities(*shown(data, split.rows[k : k + AT_A_TIME], window))
        for k in range(0, len(split.rows), AT_A_TIME)
    ]
    return np.concatenate(parts)


def shown(
    data: Sequences, rows: npt.NDArray[np.int64], window: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """What a model is shown of cycles: (n, T, F) as they were measured, and (n,) how many are real."""
    standard = data.standard
    scale = np.where(standard.scale > 0, standard.scale, 1)
    stored, valid = data.windows(rows, window)
    return (stored.astype(np.float32) / scale + standard.centre).astype(np.float32), valid


def _lives(data: Sequences, split: Split, probabilities: npt.NDArray[np.float64]) -> list[Episode]:
    return episodes(split.units, split.times, probabilities, data.faults)


def _constant(found: Sequence[Episode], value: float) -> list[Episode]:
    return [replace(each, probabilities=np.full(len(each.times), value)) for each in found]


def _report(
    schema: ModelSchema, data: Sequences, prediction: Prediction, test: Split,
    contenders: Sequence[Contender], lives: dict[str, list[Episode]], seed: int, draws: int,
) -> dict[str, Any]:  # fmt: skip
    horizon, grace = prediction.horizon, prediction.grace
    resampled = drawn_units(test.units, seed, draws)
    rows: dict[str, Any] = {}
    for each in contenders:
        endings = [ending(life, each.threshold, horizon, grace) for life in lives[each.name]]
        rows[each.name] = _row(each, endings, test, resampled, seed, draws)
    whole = lives[contenders[0].name]
    for name, value in (("always", 1.0), ("never", 0.0)):
        table = table_at(_constant(whole, value), 0.5, horizon, grace)
        rows[name] = {"threshold": None, "auc": 0.5, "auc_interval": None, **table_json(table)}
    ours = contenders[0]
    differences = {
        each.name: auc_difference(test.labels, ours.test, each.test, resampled)
        for each in contenders[1:]
    }
    sweep = thresholds_of(whole, SWEEP_POINTS)
    return {
        **model_quality(test.labels, ours.test, schema.threshold),
        "signalbox": {
            "workload": schema.workload, "model": schema.version, "dataset": schema.dataset,
            "time": prediction.time, "horizon": horizon, "grace": grace,
            "units": {s: len(data.members(s)) for s in ("train", "validation", "test")},
            "predictions": len(test.rows), "positives": int((test.labels == 1).sum()),
            "threshold": schema.threshold, "alerts": rows, "auc_difference": differences,
            "brier": brier(test.labels, ours.test),
            "calibration": calibration(test.labels, ours.test),
            "sweep": [
                {"threshold": float(t), **table_json(table_at(whole, float(t), horizon, grace))}
                for t in sweep
            ],
            "lead_times": [
                each.lead
                for each in (ending(life, ours.threshold, horizon, grace) for life in whole)
                if each.lead is not None
            ],
            "seed": seed, "bootstrap": {"draws": draws, "over": "units"},
        },
    }  # fmt: skip


def _row(
    each: Contender, endings: Sequence[Ending], test: Split, resampled: Sequence[npt.NDArray[np.int64]],
    seed: int, draws: int,
) -> dict[str, Any]:  # fmt: skip
    return {
        "threshold": each.threshold,
        "auc": auc(test.labels, each.test),
        "auc_interval": auc_interval(test.labels, each.test, resampled),
        **table_json(tabulate(endings)),
        "intervals": rate_intervals(endings, seed, draws),
    }
