"""A fleet as files: what its gateways, its registry and its service department would hand over."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa

from simulator.fleet import Fleet, write_raw_day

RAW = "raw/hvac"
REGISTRY = "registry/hvac/units.csv"
FAULTS = "faults/hvac/faults.csv"

FLEET = "fleet.json"

Progress = Callable[[int, int, Path], None]


class OtherFleet(ValueError):  # noqa: N818 - named for what it says
    """The folder holds the recordings of another fleet; their labels would be wrong beside these."""


def raw_path(unit: str, day: date) -> str:
    """Where a unit-day lies below the output folder: ``raw/hvac/unit=<unit>/<date>.parquet``."""
    return f"{RAW}/unit={unit}/{day.isoformat()}.parquet"


def write_fleet(
    fleet: Fleet,
    out_dir: Path,
    days: Sequence[date] | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Write raw unit-days, registry and fault log below ``out_dir``, each where a bucket has it.

    A file that is there is complete (it got its name last) and is left alone, so a run that was
    stopped goes on where it was. One folder holds one fleet: ``fleet.json`` notes which.

    Args:
        fleet: whose recordings to write.
        out_dir: made if it is not there.
        days: which days; all of the fleet's where None.
        progress: called after each unit-day with how many are done, of how many, and the file.

    Returns:
        list[Path]: every unit-day's file, unit by unit, whether written now or before.
    """
    chosen = fleet.dates if days is None else days
    wanted = [(unit, day) for unit in fleet.units for day in chosen]
    _claim(fleet, out_dir)
    _write(out_dir / REGISTRY, partial(_csv, fleet.registry()), anew=True)
    _write(out_dir / FAULTS, partial(_csv, fleet.fault_log()), anew=True)
    paths = []
    for done, (unit, day) in enumerate(wanted, start=1):
        path = out_dir / raw_path(unit, day)
        _write(path, partial(write_raw_day, fleet, unit, day))
        paths.append(path)
        if progress is not None:
            progress(done, len(wanted), path)
    return paths


def _claim(fleet: Fleet, out_dir: Path) -> None:
    """Note whose folder this is, or refuse one that is another fleet's."""
    note = out_dir / FLEET
    ours = {"seed": fleet.seed, "start": fleet.start.isoformat()}
    if note.exists():
        theirs = json.loads(note.read_text(encoding="utf-8"))
        if theirs != ours:
            raise OtherFleet(f"{out_dir} holds the fleet {theirs}, not {ours}; take another folder")
        return
    out_dir.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(ours), encoding="utf-8")


def _write(path: Path, write: Callable[[Path], None], *, anew: bool = False) -> None:
    """Write under another name and rename, so that a file with its own name is whole."""
    if path.exists() and not anew:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _csv(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(table.column_names)
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            rows.writerow([_text(value) for value in row])


def _text(value: str | date | datetime | None) -> str:
    """Times in ISO 8601 with their zone, nothing for null."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "" if value is None else str(value)
