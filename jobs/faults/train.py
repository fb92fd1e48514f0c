"""A training run, from two parts to a model folder.

model.onnx   model.json   what production needs
training.json             how it went
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cycles.history import Sequences
from jobs.evaluation.run import draw, scored
from jobs.faults.parts import together
from jobs.tabular.quality import figures
from jobs.training.hyperparameters import switches, tuned
from jobs.training.run import CHECKPOINT, CURVE, REPORT, learn
from signalbox.adapters.onnx_model import OnnxModel
from signalbox.contracts.model_schema import ONNX, ModelSchema
from signalbox.contracts.prediction import Prediction


@dataclass(frozen=True)
class Places:
    """Folders of a training job: what becomes model.tar.gz, checkpoints, and output.tar.gz."""

    model: Path
    checkpoints: Path
    extra: Path


def train(
    channels: Sequence[Path], given: Mapping[str, str], places: Places, heard: Callable[[str], None]
) -> ModelSchema:
    """Train and leave a model folder; what a killed run kept is gone on from.

    Args:
        channels: folders of the parts ``train`` and ``validation``.
        given: hyperparameters as SageMaker gives them.
        places: where to leave what.
        heard: told of every epoch, and last of the model that is kept.

    Raises:
        BadHistory: a part or a hyperparameter is none, or nothing can be learned.
        Rejected: the parts are not of one dataset.
    """
    data = together([Sequences.read(folder) for folder in channels])
    seed, int8 = switches(given)
    data.manifest["prediction"].update(tuned(data.manifest["prediction"], given))
    for folder in (places.checkpoints, places.extra):
        folder.mkdir(parents=True, exist_ok=True)
    schema = learn(
        data, places.model, seed, lambda epoch: heard(epoch.line()),
        checkpoint=places.checkpoints / CHECKPOINT, int8=int8,
    )  # fmt: skip
    (places.model / CURVE).replace(places.extra / CURVE)
    found = _validated(data, places.model, schema, seed)
    report = json.loads((places.model / REPORT).read_text(encoding="utf-8"))
    report |= {"validation": found, "seed": seed}
    (places.model / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")
    heard(" ".join(f"validation_{name}={value:.6f};" for name, value in found.items()))
    return schema


def _validated(data: Sequences, model: Path, schema: ModelSchema, seed: int) -> dict[str, float]:
    """Figures of the exported model on the drawn cycles of the validation units."""
    prediction = Prediction.model_validate(data.manifest["prediction"])
    drawn = draw(data, prediction, "validation", seed)
    said = scored(OnnxModel.open(model / ONNX), data, drawn, prediction.window)[:, 1]
    truth = drawn.labels.astype(np.float64)
    return figures("binary", truth, np.exp(said.astype(np.float64)), schema.threshold)
