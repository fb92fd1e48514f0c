"""Small synthetic tables that can be learned from, and the tabular program run on SageMaker's paths."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.tabular.__main__ import main

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


@dataclass(frozen=True)
class Program:
    """Runs commands, each below a root of its own, as the steps of a pipeline do.

    Attributes:
        folder: where the roots are.
        workload: its name.
        section: its section ``tabular``.
    """

    folder: Path
    workload: str
    section: dict[str, Any]

    def run(self, command: str, **inputs: Path) -> tuple[int, str, Path]:
        """Exit code, what it said, and the folder of its outputs; inputs are copied in by name."""
        root = self.folder / command
        shutil.rmtree(root, ignore_errors=True)
        place = root / "input" / "data" if command == "train" else root / "processing" / "input"
        for name, source in inputs.items():
            shutil.copytree(source, place / name)
        shipped = {
            "name": self.workload, "description": "shells", "owner": "me", "tabular": self.section,
        }  # fmt: skip
        (root / "workloads.json").parent.mkdir(parents=True, exist_ok=True)
        (root / "workloads.json").write_text(json.dumps({self.workload: shipped}))
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
            patch.setenv("SIGNALBOX_ML_ROOT", str(root))
            arguments = [] if command == "train" else ["--workload", self.workload]
            code = main([command, *arguments, "--workloads", str(root / "workloads.json")])
        out = root / "model" if command == "train" else root / "processing" / "output"
        return code, said.getvalue(), out

    def refused(self, command: str, **inputs: Path) -> str:
        """Run what must fail, and return the message that SageMaker shows."""
        code, _, _ = self.run(command, **inputs)
        assert code == 1
        name = "failure" if command == "train" else "message"
        return (self.folder / command / "output" / name).read_text()

    def trained(self, data: Path) -> dict[str, Path]:
        """Folders of splits, baseline, model archive and judgement, from a folder of files."""
        code, _, splits = self.run("preprocess", data=data)
        assert code == 0
        code, _, baseline = self.run("baseline", train=splits / "train")
        assert code == 0
        of = {name: splits / name for name in ("train", "validation", "test")}
        code, said, model = self.run("train", train=of["train"], validation=of["validation"])
        assert code == 0, said
        archive = self.folder / "package"
        archive.mkdir(exist_ok=True)
        with tarfile.open(archive / "model.tar.gz", "w:gz") as tar:
            for path in sorted(model.iterdir()):
                tar.add(path, path.name)
        code, _, judged = self.run("evaluate", **of, model=archive)
        assert code == 0
        (self.folder / "said.txt").write_text(said)
        return of | {
            "baseline": baseline / "baseline", "model": archive, "evaluation": judged / "evaluation",
            "unpacked": model,
        }  # fmt: skip
