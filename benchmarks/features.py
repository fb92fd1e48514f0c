"""File to features: the kernel against reading alone, and against Pandas and Polars.

``decode`` reads the same columns in the same batches and does nothing with them, so what the kernel costs
above it is the kernel. Pandas and Polars get the cycles' rows for nothing; the kernel finds them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml

from benchmarks.engines import Task, kernel
from benchmarks.figures import Figure, Ratio
from benchmarks.rounds import Cost, ratio, take_turns
from benchmarks.unitday import UnitDay
from simulator.fleet import Fleet, write_raw_day

ROOT = Path(__file__).resolve().parent.parent
DECODE_TARGET, PANDAS_TARGET, POLARS_TARGET, CSV_TARGET = 1.35, 10.0, 2.5, 5.0
RSS_TARGET_MB = 200.0


def features(folder: Path, rounds: int) -> list[Figure]:
    """All nine statistics of ninety sensors: kernel, reading alone, Pandas, Polars."""
    task = unit_day(folder / "day", UnitDay())
    names = ("decode", "kernel", "pandas", "polars")
    costs = take_turns({name: (name, task.path.parent) for name in names}, rounds)
    held = Ratio.of([cost.rss_mb for cost in costs["kernel"]])
    return [
        Figure(
            "kernel / decode only", ratio(costs["kernel"], costs["decode"]),
            "at most", DECODE_TARGET, note=_note(costs, "kernel", "decode"),
        ),
        Figure(
            "per-cycle Pandas / kernel", ratio(costs["pandas"], costs["kernel"]),
            "at least", PANDAS_TARGET, note=_note(costs, "pandas"),
        ),
        Figure(
            "Polars group_by / kernel", ratio(costs["polars"], costs["kernel"]),
            "at least", POLARS_TARGET, note=_note(costs, "polars"),
        ),
        Figure("peak memory of the kernel", held, "at most", RSS_TARGET_MB, unit="MB"),
        *(
            Figure(f"peak memory of {name}", Ratio.of([c.rss_mb for c in costs[name]]), unit="MB")
            for name in ("decode", "pandas", "polars")
        ),
    ]  # fmt: skip


def hvac(folder: Path, rounds: int) -> list[Figure]:
    """The shipped workload's selection on a simulated unit-day."""
    place = folder / "hvac"
    place.mkdir()
    workload = yaml.safe_load((ROOT / "workloads" / "hvac.yaml").read_text())
    fleet = Fleet(units=4, days=60)
    unit, path = fleet.units[3], place / "day.parquet"
    write_raw_day(fleet, unit, date(2024, 7, 16), path)
    task = Task(path, workload, [])
    task.write(place)
    costs = take_turns({name: (name, place) for name in ("decode", "kernel")}, rounds)
    count = sum(len(s.get("statistics", ())) for s in workload["sensors"])
    name = f"hvac workload: kernel / decode only ({len(task.sensors)} sensors, {count} numbers)"
    value = ratio(costs["kernel"], costs["decode"])
    note = _note(costs, "kernel", "decode")
    return [Figure(name, value, "at most", DECODE_TARGET, note=note)]


def csv(folder: Path, rounds: int) -> list[Figure]:
    """The same unit-day as text and as Parquet."""
    day = UnitDay()
    task = unit_day(folder / "parquet", day)
    place = folder / "csv"
    place.mkdir()
    day.write_csv(place / "day.csv")
    Task(place / "day.csv", day.workload(), task.ranges).write(place)
    folders = {"parquet": ("kernel", task.path.parent), "csv": ("kernel", place)}
    costs = take_turns(folders, rounds)
    note = _note(costs, "csv", "parquet")
    value = ratio(costs["csv"], costs["parquet"])
    return [Figure("kernel: CSV / Parquet", value, "at most", CSV_TARGET, note=note)]


def unit_day(folder: Path, day: UnitDay) -> Task:
    """Write a unit-day and the task to make all features of it."""
    folder.mkdir()
    path = folder / "day.parquet"
    day.write_parquet(path)
    task = Task(path, day.workload(), [(a, b) for a, b in day.edges.tolist()])
    refuse_other_cycles(task)
    task.write(folder)
    return task


def refuse_other_cycles(task: Task) -> None:
    """See that the cycles given away are those the kernel finds; or engines would not do the same work."""
    found = kernel(task)()["rows"].tolist()
    given = [b - a for a, b in task.ranges]
    if found != given:
        raise ValueError(f"the kernel finds cycles of {found} rows, the others are given {given}")


def _note(costs: dict[str, list[Cost]], *names: str) -> str:
    medians = (
        f"{name} {Ratio.of([c.cpu_s for c in costs[name]]).median * 1e3:.1f} ms" for name in names
    )
    return ", ".join(medians)
