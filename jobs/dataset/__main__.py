"""What SageMaker starts: ``python3 -m jobs.dataset windows`` for scoring, ``… build`` for training.

A failure is told in ``/opt/ml/output/message``, which becomes the job's ExitMessage.
``SIGNALBOX_ML_ROOT`` stands in for ``/opt/ml``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlparse

from pydantic import ValidationError

from cycles.errors import BadHistory
from jobs.dataset.build import Sources, build
from jobs.dataset.production import make_windows
from signalbox.adapters.fleet_table import FleetTable
from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.complaints import complaint
from signalbox.contracts.scoring import ScoringRequest
from signalbox.contracts.workload import Workload
from signalbox.errors import Misconfigured, SignalboxError


def main(argv: Sequence[str]) -> int:
    """Run one of the steps; exit code 1 with the reason in ``message``."""
    asked = _parser().parse_args(argv)
    root = Path(os.environ.get("SIGNALBOX_ML_ROOT", "/opt/ml"))  # noqa: TID251 - once, in main
    try:
        workloads = _workloads(asked.workloads)
        (_windows if asked.step == "windows" else _build)(asked, workloads)
    except (BadHistory, SignalboxError) as problem:
        place = root / "output" / "message"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{type(problem).__name__}: {problem}", encoding="utf-8")
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dataset", allow_abbrev=False)
    steps = parser.add_subparsers(dest="step", required=True)
    windows = steps.add_parser("windows", help="windows of units, for the model in service")
    for name in ("--data-bucket", "--fleet-table", "--request", "--workloads"):
        windows.add_argument(name, required=True)
    made = steps.add_parser("build", help="a dataset to learn from, of cycle tables")
    for name in ("--workload", "--workloads", "--cycles", "--out"):
        made.add_argument(name, required=True)
    made.add_argument("--faults", type=Path)
    made.add_argument("--split", type=Path)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--leave-out", action="store_true")
    return parser


def _workloads(uri: str) -> dict[str, Workload]:
    place = urlparse(uri)
    return shipped_workloads(Objects(place.netloc), place.path.lstrip("/"))


def _named(workloads: dict[str, Workload], name: str) -> Workload:
    if name not in workloads:
        raise Misconfigured(f"workload {name!r} is not among the shipped ones")
    return workloads[name]


def _windows(asked: argparse.Namespace, workloads: dict[str, Workload]) -> None:
    objects = Objects(asked.data_bucket)
    try:
        request = ScoringRequest.model_validate_json(objects.read(asked.request))
    except ValidationError as problem:
        raise Misconfigured(f"{asked.request!r}: {complaint(problem)}") from None
    manifest = make_windows(
        objects, FleetTable(asked.fleet_table), _named(workloads, request.workload), request
    )
    print(
        f"windows of {manifest.units} units in {len(manifest.parts)} parts, "
        f"skipped: {len(manifest.skipped)}", flush=True,
    )  # fmt: skip


def _build(asked: argparse.Namespace, workloads: dict[str, Workload]) -> None:
    sources = Sources(Path(asked.cycles), asked.faults, asked.split, asked.seed, asked.leave_out)
    made = build(_named(workloads, asked.workload), sources, Path(asked.out))
    for line in made.manifest["left_out"]:
        print(f"left out {line}", flush=True)
    print(f"dataset {made.manifest['digest']}: {len(made.units)} units", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
