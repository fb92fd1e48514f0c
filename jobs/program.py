"""What the programs of pipelines share: arguments, folders, where a failure is told, the workload asked for.

    python3 -m jobs.tabular <command> --workload NAME [--workloads ADDRESS] [--package ARN] [--at TIME] ...

Names are folders under ``/opt/ml/processing/input`` and ``.../output``; training has its own paths and
reads hyperparameters from ``/opt/ml/input/config``. The workloads are the one file in the input
``workloads``, or what ``--workloads`` names. A failure is told in ``/opt/ml/output/message``, which becomes
the job's ExitMessage, and for training in ``/opt/ml/output/failure``. Source: SageMaker Developer Guide,
"How Amazon SageMaker Runs Your Training Image" and "Build Your Own Processing Container".
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from pydantic import ValidationError

from cycles.errors import BadHistory
from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.complaints import complaint
from signalbox.contracts.workload import Workload
from signalbox.errors import Misconfigured, Rejected, SignalboxError

MOST = 1024
"""Characters of a message. Source: shapes ExitMessage and FailureReason of SageMaker."""
RESERVED = ("_tuning_objective_metric", "sagemaker_")
"""What tuning jobs and the SDK's script mode add of their own to the hyperparameters."""


@dataclass(frozen=True)
class Asked:
    """What a command was started with.

    Attributes:
        root: in place of ``/opt/ml``.
        name: of the workload; empty for training, which has none but that of its channels.
        workloads: where all of them are written, or None for the input ``workloads``.
        package: the version of the model that predicts, or that is in service; empty if nobody said.
        at: when the run began, ISO 8601; empty if nobody said.
        skip_check: whether data are to be described and not held against the baseline.
    """

    root: Path
    name: str
    workloads: str | None
    package: str = ""
    at: str = ""
    skip_check: bool = False

    def given(self, name: str) -> Path:
        """Folder of an input."""
        return self.root / "processing" / "input" / name

    def left(self, name: str) -> Path:
        """Folder of an output."""
        return self.root / "processing" / "output" / name

    def channel(self, name: str) -> Path:
        """Folder of a channel of training."""
        return self.root / "input" / "data" / name

    def hyperparameters(self) -> dict[str, str]:
        """What training is given as text, without what others added to it.

        Raises:
            Rejected: the file holds no object.
        """
        config = self.root / "input" / "config" / "hyperparameters.json"
        if not config.is_file():
            return {}
        try:
            given = dict(json.loads(config.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as problem:
            raise Rejected("bad-hyperparameter", f"{config}: {problem}") from problem
        return {name: value for name, value in given.items() if not name.startswith(RESERVED)}

    def workload(self) -> Workload:
        """The workload.

        Raises:
            Misconfigured: it is not among the shipped ones, or these are not to be read.
        """
        found = self._shipped()
        if self.name not in found:
            known = ", ".join(found)
            raise Misconfigured(f"workload {self.name!r} is not among the shipped ones: {known}")
        return found[self.name]

    def _shipped(self) -> dict[str, Workload]:
        if self.workloads is not None and self.workloads.startswith("s3://"):
            place = urlparse(self.workloads)
            return shipped_workloads(Objects(place.netloc), place.path.lstrip("/"))
        told = self.workloads
        return _local(Path(told) if told is not None else _only(self.given("workloads")))


Command = Callable[[Asked], None]


def run(program: str, commands: Mapping[str, Command], argv: Sequence[str], root: Path) -> int:
    """Run one command; exit code 1 with the reason where SageMaker looks for it."""
    asked = _parser(program, commands).parse_args(argv)
    try:
        commands[asked.command](_told(root, asked))
    except (BadHistory, SignalboxError) as problem:
        place = root / "output" / ("failure" if asked.command == "train" else "message")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(problem)[:MOST], encoding="utf-8")
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        return 1
    return 0


def _told(root: Path, given: argparse.Namespace) -> Asked:
    skip = given.skip_check == "True"  # parameters of pipelines are text
    return Asked(root, given.workload, given.workloads, given.package, given.at, skip)


def say(line: str) -> None:
    """A line of the job's log."""
    print(line, flush=True)


def _parser(program: str, commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, allow_abbrev=False)
    steps = parser.add_subparsers(dest="command", required=True)
    for name in commands:
        step = steps.add_parser(name)
        # a training job has no workload but that of its channels
        step.add_argument("--workload", required=name != "train", default="")
        step.add_argument("--workloads", help="s3:// address or file; else the input workloads")
        step.add_argument("--package", default="", help="ARN of the model package that is used")
        step.add_argument("--at", default="", help="when the run began, ISO 8601")
        step.add_argument("--skip-check", choices=["True", "False"], default="False")
    return parser


def _only(folder: Path) -> Path:
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if len(found) != 1:
        raise Misconfigured(
            f"{folder} holds {len(found)} files; the shipped workloads are one file, or say --workloads"
        )
    return found[0]


def _local(path: Path) -> dict[str, Workload]:
    try:
        found = json.loads(path.read_bytes())
        return {name: Workload.model_validate(told) for name, told in found.items()}
    except OSError as problem:
        raise Misconfigured(f"{path} cannot be read: {problem}") from problem
    except (ValueError, AttributeError) as problem:
        where = complaint(problem) if isinstance(problem, ValidationError) else "not a JSON object"
        raise Misconfigured(
            f"{path} holds no workloads ({where}); run make package again"
        ) from problem
