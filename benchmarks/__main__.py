"""``python -m benchmarks``: run them all, or some, and print one table."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.chains import chains
from benchmarks.coldstart import coldstart
from benchmarks.container import container_throughput
from benchmarks.deploys import deploys
from benchmarks.features import csv, features, hvac
from benchmarks.figures import Figure, show, write
from benchmarks.fleet import fleet
from benchmarks.gather import gather_windows
from benchmarks.inference import inference
from benchmarks.spark import spark

Benchmark = Callable[[Path, int], list[Figure]]

BENCHMARKS: dict[str, Benchmark] = {
    "features": features,
    "hvac": hvac,
    "csv": csv,
    "spark": spark,
    "coldstart": coldstart,
    "chains": chains,
    "deploys": deploys,
    "container": container_throughput,
    "gather": gather_windows,
    "inference": inference,
    "fleet": fleet,
}
"""By name; each gets an empty folder and the number of rounds, and returns what it found."""

ROUNDS, QUICK_ROUNDS = 15, 5


def main(argv: Sequence[str] | None = None) -> None:
    """Run what was asked for; a target that is missed is told, not failed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, not {ROUNDS}")
    parser.add_argument("--only", action="append", choices=sorted(BENCHMARKS), metavar="NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    asked = parser.parse_args(argv)
    rounds, console = QUICK_ROUNDS if asked.quick else ROUNDS, Console()
    settings = f"{rounds} rounds, in turns, medians of the ratios of each round"
    figures: list[Figure] = []
    try:
        for name in asked.only or BENCHMARKS:
            with (
                tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder,
                console.status(f"{name}: {BENCHMARKS[name].__doc__}"),
            ):
                figures += BENCHMARKS[name](Path(folder), rounds)
    finally:  # what was found is told even where a later one breaks
        if figures:
            show(figures, settings, console)
            if asked.json:
                write(figures, settings, asked.json)


if __name__ == "__main__":
    main()
