"""``signalbox simulate``: raw unit-days, or long cycle histories."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from cli.recordings import SUMMER
from cli.tables import Counting
from simulator.files import write_fleet
from simulator.fleet import Fleet


def run(
    console: Console, out: Path, *, units: int, days: int, seed: int, history: int, faults: float
) -> None:
    """Write the fleet under ``out``."""
    fleet = Fleet(
        units=units, seed=seed, start=SUMMER, days=history or days, faults_per_year=faults
    )
    if history:
        folder = out / "cycles" / "hvac"
        folder.mkdir(parents=True, exist_ok=True)
        with Counting(console, "histories", units) as counting:
            for unit in fleet.units:
                pq.write_table(
                    fleet.cycle_history(unit), folder / f"{unit}.parquet", compression="zstd"
                )
                counting.step(unit)
        write_fleet(fleet, out, days=())
        console.print(f"{units} histories of {history} days -> [bold]{folder}[/]")
        return
    with Counting(console, "unit-days", units * days) as counting:
        written = write_fleet(fleet, out, progress=lambda *step: counting.step(step[2].name))
    size = sum(path.stat().st_size for path in written) / 1e6
    console.print(f"{len(written)} unit-days, {size:,.0f} MB -> [bold]{out}[/]")
