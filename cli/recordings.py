"""Where the demo's files come from: the simulated fleet, or somebody's own recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cli.features import sensor_files
from cli.workloads import measured, spec_of
from cycles import BadRecording, open_recording
from signalbox.contracts.workload import Workload
from simulator.files import raw_path, write_fleet
from simulator.fleet import Fleet

SUMMER = date(2024, 7, 1)


@dataclass(frozen=True, slots=True)
class Drop:
    """A file on this machine, and the key it gets in the data bucket."""

    path: Path
    key: str
    workload: str


def simulated(
    folder: Path, units: int, days: int, seed: int, progress: Callable[[int, int, Path], None]
) -> list[Drop]:
    """Recordings of a simulated fleet in summer; those that are there from before are taken as they are."""
    fleet = Fleet(units=units, seed=seed, start=SUMMER, days=days)
    home = folder / f"seed-{seed}"
    for path in home.rglob("*.parquet"):
        if not _whole(path):
            path.unlink()  # damaged since it was written: it is made again
    write_fleet(fleet, home, progress=progress)
    return [
        Drop(home / raw_path(unit, day), raw_path(unit, day), "hvac")
        for unit in fleet.units
        for day in fleet.dates
    ]


def _whole(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def found(folder: Path) -> tuple[list[Drop], dict[Path, str]]:
    """Recordings under a folder, each given to the workload that can read it.

    Returns:
        What to drop, and for each file that no workload reads why the nearest one does not.
    """
    workloads = measured()
    drops: list[Drop] = []
    strangers: dict[Path, str] = {}
    for path in sensor_files([folder]):
        refusals = {w.name: _refusal(path, w) for w in workloads}
        fitting = next((name for name, refusal in refusals.items() if refusal is None), None)
        if fitting is None:
            strangers[path] = _nearest([r for r in refusals.values() if r is not None])
        else:
            key = f"raw/{fitting}/{path.relative_to(folder).as_posix()}"
            drops.append(Drop(path, key, fitting))
    return drops, strangers


def _refusal(path: Path, workload: Workload) -> BadRecording | None:
    """Why a workload cannot read a file; None where it can, or where the file is its own but damaged."""
    try:
        open_recording(path, spec_of(workload), path.as_posix())
    except BadRecording as problem:
        return problem if problem.reason in FOREIGN else None
    return None


# These say that a file is not of a workload; anything else, that it is, and has something wrong with it.
FOREIGN = {
    "no-such-column", "missing-unit", "not-what-it-says", "unknown-format", "empty", "truncated",
    "unreadable",
}  # fmt: skip


def _nearest(refusals: list[BadRecording]) -> str:
    """The most telling of the refusals: damage tells more than a missing column."""
    telling = [r for r in refusals if r.reason not in ("no-such-column", "missing-unit")]
    return (telling or refusals)[0].message
