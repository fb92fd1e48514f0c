"""Workload files: found by name or path, validated, with errors that name the field."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from cycles import CycleSpec
from signalbox.contracts.workload import Workload

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = ROOT / "workloads"


class UnusableWorkload(Exception):  # noqa: N818 - named for what it says
    """A workload that does not exist or does not validate; the message is for the person who wrote it."""


def names() -> list[str]:
    """The workloads that come with the house."""
    return sorted(path.stem for path in WORKLOADS.glob("*.yaml"))


def measured() -> list[Workload]:
    """Those of them that turn sensor files into cycles; of the others cycles come ready."""
    return [found for found in map(load, names()) if found.recording is not None]


def load(name_or_path: str) -> Workload:
    """Load a workload by its name, or from a yaml file of one's own.

    Raises:
        UnusableWorkload: no such workload, not yaml, or a field that does not hold.
    """
    path = WORKLOADS / f"{name_or_path}.yaml"
    if name_or_path.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(names())
        raise UnusableWorkload(f"no workload {name_or_path!r}: give a yaml file, or one of {known}")
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Workload.model_validate(found)
    except yaml.YAMLError as problem:
        raise UnusableWorkload(f"{path}: not yaml: {problem}") from problem
    except ValidationError as problem:
        lines = [f"  {_place(error['loc'])}: {error['msg']}" for error in problem.errors()]
        raise UnusableWorkload("\n".join([f"{path} is no workload:", *lines])) from problem


def spec_of(workload: Workload) -> CycleSpec:
    """The kernel's specification of a workload, built just as Lambda and Spark build it.

    Raises:
        UnusableWorkload: its cycles come ready, or it has none.
    """
    if workload.recording is None:
        what = "rows are no cycles" if workload.tabular else "cycles come ready"
        raise UnusableWorkload(f"{workload.name}: its {what}; no sensor file is read")
    return CycleSpec.from_mapping(workload.mapping())


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "(whole file)"
