"""Where the demo's files come from: the simulated fleet, or somebody's own recordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cli.features import sensor_files
from cli.workloads import load, names, spec_of
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
    home = folder / f"seed-{seed}-days-{days}"
    write_fleet(fleet, home, progress=progress)
    return [
        Drop(home / raw_path(unit, day), raw_path(unit, day), "hvac")
        for unit in fleet.units
        for day in fleet.dates
    ]


def found(folder: Path) -> tuple[list[Drop], list[Path]]:
    """Recordings under a folder, each given to the workload that can read it, and files nobody can."""
    workloads = [load(name) for name in names()]
    drops: list[Drop] = []
    strangers: list[Path] = []
    for path in sensor_files([folder]):
        fitting = next((w for w in workloads if _fits(path, w)), None)
        if fitting is None:
            strangers.append(path)
        else:
            key = f"raw/{fitting.name}/{path.relative_to(folder).as_posix()}"
            drops.append(Drop(path, key, fitting.name))
    return drops, strangers


def _fits(path: Path, workload: Workload) -> bool:
    try:
        open_recording(path, spec_of(workload), path.as_posix())
    except BadRecording as problem:
        # A recording that is merely damaged belongs to its workload all the same, and is rejected there.
        return problem.reason in {
            "time-back",
            "time-twice",
            "clock-jump",
            "torn-line",
            "not-a-number",
        }
    return True
