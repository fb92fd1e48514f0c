"""Small synthetic tables that can be learned from, and the tabular program run on SageMaker's paths."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from jobs.tabular.__main__ import main
from tests.programs import Steps

NAMES = ["sex", "width", "weight", "age"]
SECTION: dict[str, Any] = {
    "problem": "regression",
    "target": "age",
    "names": NAMES,
    "columns": {"sex": "category", "width": "number", "weight": "number"},
    "gate": {"metric": "rmse", "at_most": 1.0},
    "training": {"max_iter": 60, "patience": 10, "min_samples_leaf": 5},
}
BINARY = SECTION | {
    "gate": {"metric": "auc", "at_least": 0.8},
    "problem": "binary",
    "target": "old",
    "names": [*NAMES[:-1], "old"],
}


def shells(
    count: int, seed: int = 0, *, shift: float = 0.0, binary: bool = False
) -> list[list[str]]:
    """Rows of text: sex, width, weight, and an age that follows from them but for a little noise."""
    rng = np.random.default_rng(seed)
    width, weight = rng.uniform(1, 3, count) + shift, rng.gamma(2, 1, count)
    sex = rng.choice(["F", "I", "M"], count)
    age = 4 * width - weight + 2.0 * (sex == "F") + rng.normal(0, 0.3, count)
    if binary:
        age = (age > np.median(age)).astype(int)
    return [
        [str(s), f"{a:.4f}", f"{b:.4f}", f"{c:.3f}" if not binary else str(int(c))]
        for s, a, b, c in zip(sex, width, weight, age, strict=True)
    ]


def write(path: Path, rows: list[list[str]], header: list[str] | None = None) -> Path:
    """A CSV file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*([header] if header else []), *rows])
    return path


class Program(Steps):
    """The tabular program, on a workload with this section ``tabular``."""

    def __init__(self, folder: Path, workload: str, section: dict[str, Any]) -> None:
        told = {"name": workload, "description": "shells", "owner": "me", "tabular": section}
        super().__init__(folder, main, told)
        self.section = section
