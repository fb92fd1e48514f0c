"""The exported fault model in ONNX Runtime against the same weights in PyTorch, one thread each.

Both run every batch size once a round, and each is taken at the size that suits it best; the eager model
is the one that training uses, with PyTorch's fused attention.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.figures import Figure, Ratio
from cycles.history import Standard
from jobs.training.export import export, parity
from jobs.training.model import FaultModel, Served
from signalbox.adapters.onnx_model import OnnxModel

FEATURES, WINDOW, WIDTH, HEADS, LAYERS = 67, 128, 64, 4, 3
BATCHES, FEWEST = (1, 4, 8, 16, 64, 1024), 256
BEST_TARGET, LARGE_TARGET = 1.1, 2.0
THRESHOLD = 0.99

Speeds = list[dict[int, float]]


def inference(folder: Path, rounds: int) -> list[Figure]:
    """Windows a second of ONNX Runtime and of eager PyTorch by batch size, one thread."""
    path = folder / "model.onnx"
    model, standard = perturbed(), any_standard()
    export(model, standard, FEATURES, path)
    given = windows(max(BATCHES), standard)
    close = parity(model, standard, path, THRESHOLD, given["windows"][:256], given["valid"][:256])
    run = {"eager": eager(model, standard, given), "ort": exported(path, given)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        speeds = measured(run, BATCHES, rounds)
    finally:
        torch.set_num_threads(threads)
    best = {name: best_batch(each) for name, each in speeds.items()}
    ort = [each[best["ort"]] for each in speeds["ort"]]
    told = f"{close.windows} windows differ by {close.difference:.1g} at most"
    low, high = close.spread
    return [
        Figure(
            "ONNX Runtime / eager, each at its best batch",
            _ratio(ort, [each[best["eager"]] for each in speeds["eager"]]),
            "at least", BEST_TARGET,
            note=f"batches {best['ort']} and {best['eager']}; {told}, p1 to p99 {low:.2f} to {high:.2f}",
        ),
        Figure(
            f"ONNX Runtime at its best batch / eager at {max(BATCHES)}",
            _ratio(ort, [each[max(BATCHES)] for each in speeds["eager"]]),
            "at least", LARGE_TARGET,
        ),
        *(
            Figure(
                f"ONNX Runtime / eager, batch {size}",
                _ratio(*([each[size] for each in speeds[name]] for name in ("ort", "eager"))),
                note=", ".join(
                    f"{name} {median(each[size] for each in speeds[name]):.0f} windows/s"
                    for name in speeds
                ),
            )
            for size in BATCHES
        ),
    ]  # fmt: skip


def perturbed(width: int = WIDTH) -> FaultModel:
    """A model whose layers differ and whose answers spread, as a trained one's do.

    Layers that are equal, as untrained layer norms are, become one in the exported file.
    """
    torch.manual_seed(5)
    model = FaultModel(FEATURES, WINDOW, width=width, heads=HEADS, layers=LAYERS, dropout=0.1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(0.05 * torch.randn_like(weights))
        last = model.classifier[-1]
        model.eval()
        given = windows(256, any_standard())
        told = Served(model, any_standard())(*map(torch.from_numpy, given.values()))
        odds = told[:, 1] - told[:, 0]
        scale = 2.0 / odds.std()  # log odds of standard deviation 2 about 0
        last.weight *= scale
        last.bias *= scale
        last.bias += torch.tensor([0.5, -0.5]) * odds.mean() * scale
    return model


def any_standard() -> Standard:
    """Centre and scale of features that were measured in units of their own."""
    rng = np.random.default_rng(8)
    return Standard.of(rng.normal(50, 20, FEATURES), rng.uniform(1, 10, FEATURES))


def windows(count: int, standard: Standard) -> dict[str, Any]:
    """Raw windows; units differ in level, a few have fewer cycles than a window."""
    rng = np.random.default_rng(9)
    told = rng.standard_normal((count, WINDOW, FEATURES), np.float32)
    told += rng.standard_normal((count, 1, FEATURES), np.float32)
    valid = np.where(rng.random(count) < 0.1, rng.integers(1, WINDOW, count), WINDOW)
    return {"windows": told / standard.scale + standard.centre, "valid": valid}


def eager(model: FaultModel, standard: Standard, given: Mapping[str, Any]) -> Callable[..., object]:
    """The model that training uses, on the first windows."""
    served = Served(model, standard).eval()
    tensors = [torch.from_numpy(each) for each in given.values()]

    def run(size: int) -> object:
        with torch.inference_mode():
            return served(*(each[:size] for each in tensors))

    return run


def exported(path: Path, given: Mapping[str, Any]) -> Callable[..., object]:
    """The exported model as the adapter loads it, on the first windows."""
    session = OnnxModel.open(path, threads=1).session
    return lambda size: session.run(None, {name: each[:size] for name, each in given.items()})


def measured(
    run: Mapping[str, Callable[..., object]], sizes: Sequence[int], rounds: int
) -> dict[str, Speeds]:
    """Windows per second of CPU, by contender, round and batch size."""
    found: dict[str, Speeds] = {name: [] for name in run}
    for k in range(rounds + 1):
        speeds: dict[str, dict[int, float]] = {name: {} for name in run}
        for size in sizes:
            times = max(1, FEWEST // size)
            for name, work in run.items():
                if times > 1:
                    work(size)  # what the other left in the caches is gone from here on
                start = time.process_time()
                for _ in range(times):
                    work(size)
                speeds[name][size] = size * times / (time.process_time() - start)
        if k:  # the first warms up
            for name, each in speeds.items():
                found[name].append(each)
    return found


def best_batch(speeds: Speeds) -> int:
    """The size whose median is the greatest."""
    return max(speeds[0], key=lambda size: median(each[size] for each in speeds))


def _ratio(of: Sequence[float], to: Sequence[float]) -> Ratio:
    return Ratio.of([a / b for a, b in zip(of, to, strict=True)])
