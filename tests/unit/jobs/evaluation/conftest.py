"""A small fleet that wears out: half of it runs to failure, and a model learned from it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from cycles.history import Sequences
from jobs.dataset.build import Sources, build
from jobs.evaluation.run import Evaluation, evaluate
from jobs.training.run import learn
from signalbox.contracts.workload import Workload

UNITS, CYCLES = 24, 150
PARTS = ("train",) * 12 + ("validation",) * 6 + ("test",) * 6
WORKLOAD = {
    "name": "pumps",
    "description": "Pumps that wear out.",
    "owner": "pumps",
    "table": {"unit": "unit", "cycle": "cycle", "features": ["heat", "flow", "noise"]},
    "prediction": {
        "time": "cycles", "horizon": 30, "grace": 15, "window": 16, "samples": 60,
        "baseline": {"compare": ["level", "own"], "reference": 10, "smooth": 4},
        "network": {"width": 16, "heads": 2, "layers": 1, "dropout": 0.0},
        "training": {"epochs": 1, "patience": 1, "batch": 32, "learning_rate": 0.01},
    },
}  # fmt: skip


def name(unit: int) -> str:
    return f"<b>{unit}</b>"


def written(folder: Path) -> Sources:
    """Every other unit fails after its last cycle, and gets hot in the 40 before that."""
    rng = np.random.default_rng(5)
    with (folder / "cycles.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "cycle", "heat", "flow", "noise"])
        for unit in range(UNITS):
            wear = np.clip(np.arange(CYCLES) - CYCLES + 40, 0, None) / 10 * (unit % 2)
            for cycle in range(CYCLES):
                heat, flow, noise = rng.normal(size=3)
                rows.writerow(
                    [name(unit), cycle + 1, heat + wear[cycle], flow - wear[cycle], noise]
                )
    with (folder / "faults.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "cycle"])
        rows.writerows([name(unit), CYCLES] for unit in range(1, UNITS, 2))
    with (folder / "split.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unit", "split"])
        rows.writerows([name(unit), PARTS[unit]] for unit in range(UNITS))
    return Sources(folder / "cycles.csv", folder / "faults.csv", folder / "split.csv")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, and its dataset in ``dataset``."""
    folder = tmp_path_factory.mktemp("pumps")
    data = build(Workload.model_validate(WORKLOAD), written(folder), folder / "dataset")
    learn(data, folder, 0, lambda *_: None)
    return folder


@pytest.fixture(scope="session")
def found(trained: Path) -> Evaluation:
    return evaluate(trained, Sequences.read(trained / "dataset"), 0, draws=50)
