"""Programs of pipelines run on SageMaker's paths, each command below a root of its own."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest


class Steps:
    """Runs commands as the steps of a pipeline do.

    Attributes:
        folder: where the roots are.
        main: of the program.
        shipped: the workload.
    """

    def __init__(
        self, folder: Path, main: Callable[[Sequence[str]], int], shipped: dict[str, Any]
    ) -> None:
        self.folder, self.main, self.shipped = folder, main, shipped

    @property
    def workload(self) -> str:
        """Its name."""
        return str(self.shipped["name"])

    def run(
        self,
        command: str,
        hyperparameters: dict[str, str] | None = None,
        options: Sequence[str] = (),
        **inputs: Path,
    ) -> tuple[int, str, Path]:
        """Exit code, what it said, and the folder of its outputs; inputs are copied in by name."""
        root = self.folder / command
        shutil.rmtree(root, ignore_errors=True)
        place = root / "input" / "data" if command == "train" else root / "processing" / "input"
        for name, source in inputs.items():
            shutil.copytree(source, place / name)
        if hyperparameters is not None:
            config = root / "input" / "config" / "hyperparameters.json"
            config.parent.mkdir(parents=True)
            config.write_text(json.dumps(hyperparameters))
        (root / "workloads.json").parent.mkdir(parents=True, exist_ok=True)
        (root / "workloads.json").write_text(json.dumps({self.workload: self.shipped}))
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
            patch.setenv("SIGNALBOX_ML_ROOT", str(root))
            arguments = [] if command == "train" else ["--workload", self.workload, *options]
            code = self.main([command, *arguments, "--workloads", str(root / "workloads.json")])
        out = root / "model" if command == "train" else root / "processing" / "output"
        return code, said.getvalue(), out

    def refused(self, command: str, **inputs: Any) -> str:
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
