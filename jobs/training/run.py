"""A training run, from a dataset to a model folder: learn, export, compare, choose the threshold.

model.onnx   model.json            what production needs
checkpoint.pt                      to go on from after a kill
training.json  training-curve.svg  how it went
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from cycles.history import Sequences
from cycles.history.alerts import choose_threshold, episodes
from jobs.training.export import Parity, export, int8_of, parity, quantize, raw_windows
from jobs.training.train import Epoch, Heard, Judged, Learning, judge, train
from signalbox.contracts.model_schema import FILE, ONNX, Adjustment, ModelSchema
from signalbox.contracts.prediction import Prediction

CHECKPOINT, REPORT, CURVE = "checkpoint.pt", "training.json", "training-curve.svg"
COMPARED = 2048  # windows, at most, that the exported model is compared on


def learn(
    data: Sequences, out: Path, seed: int, heard: Heard, *, checkpoint: Path | None = None,
    int8: bool = False,
) -> ModelSchema:  # fmt: skip
    """Train on a dataset and leave a model folder; what a killed run left there is gone on from.

    Args:
        data: the dataset; its manifest holds the settings.
        out: folder for the model.
        seed: of weights, draws and dropout.
        heard: told of every epoch.
        checkpoint: where to keep it, if not in ``out``.
        int8: also try weights of eight bits.

    Raises:
        BadHistory: there is nothing to learn from, or the exported model differs from the trained one.
    """
    prediction = Prediction.model_validate(data.manifest["prediction"])
    out.mkdir(parents=True, exist_ok=True)
    for stale in (out / FILE, out / ONNX, int8_of(out / ONNX)):
        stale.unlink(missing_ok=True)  # a folder with a model.json holds a whole model
    learning = train(data, prediction, seed, checkpoint or out / CHECKPOINT, heard)
    judged = judge(
        learning.model,
        data,
        prediction,
        "validation",
        seed,
        next(learning.model.parameters()).device,
    )
    threshold, chosen = _threshold(data, prediction, judged)
    export(learning.model, data.standard, data.features.shape[1], out / ONNX)
    some = np.linspace(0, len(judged.rows) - 1, min(len(judged.rows), COMPARED)).astype(int)
    windows, valid = raw_windows(data, judged.rows[some], prediction.window)
    found = parity(learning.model, data.standard, out / ONNX, threshold, windows, valid)
    told = {"threshold": threshold, "threshold_chosen": chosen, "parity": asdict(found)}
    if int8:
        _, share, accepted = quantize(out / ONNX, threshold, windows, valid)
        told["int8"] = {"flips": share, "accepted": accepted}
    schema = schema_of(data, prediction, threshold, out / ONNX)
    _report(out, learning, schema, told)
    (out / FILE).write_text(schema.model_dump_json(indent=1), encoding="utf-8")
    return schema


def _threshold(data: Sequences, prediction: Prediction, judged: Judged) -> tuple[float, bool]:
    """Chosen on the validation units, before anybody looks at the test units."""
    found = episodes(judged.units, data.times[judged.rows], judged.probabilities, data.faults)
    return choose_threshold(
        found, prediction.horizon, prediction.grace, prediction.precision, prediction.threshold
    )


def schema_of(
    data: Sequences, prediction: Prediction, threshold: float, onnx_file: Path
) -> ModelSchema:
    """What production must know of a model."""
    past = data.manifest["past"]
    weights = hashlib.sha256(onnx_file.read_bytes()).hexdigest()
    return ModelSchema(
        workload=data.manifest["workload"],
        version=f"{data.manifest['digest'][:8]}-{weights[:8]}",
        columns=past["columns"],
        features=data.manifest["features"],
        window=prediction.window,
        time=prediction.time,
        horizon=prediction.horizon,
        grace=prediction.grace,
        threshold=threshold,
        compare=past["compare"],
        reference=past["reference"],
        smooth=past["smooth"],
        lag=past["lag"],
        age=past["age"],
        adjustment=Adjustment(**{name: past[name] for name in Adjustment.model_fields}),
        dataset=data.manifest["digest"],
    )


def _report(out: Path, learning: Learning, schema: ModelSchema, told: dict[str, Any]) -> None:
    report = {
        "version": schema.version,
        "best_epoch": learning.best_epoch,
        "epochs": [asdict(epoch) for epoch in learning.epochs],
        "torch": torch.__version__,
        **told,
    }
    (out / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")
    draw_curve(learning.epochs, learning.best_epoch, out / CURVE)


def draw_curve(epochs: Sequence[Epoch], best: int, path: Path) -> None:
    """Losses and validation AUC over epochs, the chosen one marked."""
    with mpl.rc_context({"svg.hashsalt": "signalbox", "font.size": 9}):
        figure = Figure(figsize=(7, 3.2), layout="constrained")
        losses, ranks = figure.subplots(1, 2)
        numbers = [epoch.number for epoch in epochs]
        losses.plot(numbers, [e.train_loss for e in epochs], label="training", color="#1f5f8b")
        losses.plot(
            numbers, [e.validation_loss for e in epochs], label="validation", color="#d9822b"
        )
        losses.set(xlabel="epoch", ylabel="negative log-likelihood", ylim=(0, None))
        losses.legend(frameon=False)
        ranks.plot(numbers, [e.validation_auc for e in epochs], color="#d9822b")
        ranks.set(xlabel="epoch", ylabel="validation ROC-AUC")
        for axes in (losses, ranks):
            axes.axvline(best, color="#888888", linewidth=0.8, linestyle=":")
            axes.spines[["top", "right"]].set_visible(False)
            axes.xaxis.get_major_locator().set_params(integer=True)
        figure.savefig(path, metadata={"Date": None})


def parity_line(found: Parity) -> str:
    """For people: how close the exported model is."""
    low, high = found.spread
    return (
        f"exported model: log-probabilities within {found.difference:.1e} of the trained one on "
        f"{found.windows} windows (p1 {low:.3f}, p99 {high:.3f}), {found.flips} decisions differ"
    )
