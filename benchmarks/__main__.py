"""``make bench``: every figure the house promises, with its target. Never fails on time."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.imports import cold_imports
from benchmarks.rounds import ONE_THREAD, Ratio, interleaved, ratios
from benchmarks.unitday import UnitDay

console = Console()
UNIT_DAYS = 256


def kernel(folder: Path, rounds: int) -> list[Ratio]:
    """File to features against decoding alone, pandas and Polars; and the kernel's memory."""
    path = folder / "day.parquet"
    text = folder / "day.csv"
    UnitDay().write_parquet(path)
    UnitDay().write_csv(text)
    workers = {name: (name, str(path)) for name in ("decode", "kernel", "pandas", "polars")}
    costs = interleaved(workers | {"csv": ("csv", str(text))}, rounds)
    to_decode = ratios(costs["kernel"], costs["decode"])
    pandas = ratios(costs["pandas"], costs["kernel"])
    polars = ratios(costs["polars"], costs["kernel"])
    memory = costs["kernel"][-1].rss
    figures = [
        Ratio("file to features / decode only", to_decode, "<= 1.35, aim 1.1"),
        Ratio("per-cycle pandas / file to features", pandas, ">= 10"),
        Ratio("Polars / file to features", polars, ">= 2.5"),
        Ratio("peak memory of file to features, MB", (memory,), "<= 200", memory <= 200),
        Ratio("CSV to features / Parquet to features", ratios(costs["csv"], costs["kernel"]), "-"),
    ]
    bounds = {0: lambda v: v <= 1.35, 1: lambda v: v >= 10, 2: lambda v: v >= 2.5}
    return [
        Ratio(f.name, f.values, f.target, bounds[k](f.median) if k in bounds else f.met)
        for k, f in enumerate(figures)
    ]


def spark(folder: Path, rounds: int) -> list[Ratio]:
    """Spark by path against the embedded engine, CPU of whole process trees."""
    path = folder / "day.parquet"
    UnitDay().write_parquet(path)
    values = []
    for _ in range(max(1, rounds // 5)):
        cpu = {name: _engine_cpu(name, path) for name in ("embedded", "spark")}
        values.append(cpu["spark"] / cpu["embedded"])
    figure = Ratio(f"Spark by path / embedded, {UNIT_DAYS} unit-days", tuple(values), "<= 1.5")
    return [Ratio(figure.name, figure.values, figure.target, figure.median <= 1.5)]


def _engine_cpu(name: str, path: Path) -> float:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.spark", name, str(path), str(UNIT_DAYS)],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=dict(os.environ) | ONE_THREAD,  # noqa: TID251 - handed on, not read
    )  # fmt: skip
    return float(json.loads(ran.stdout.splitlines()[-1])["cpu"])


def imports(_folder: Path, rounds: int) -> list[Ratio]:
    """Cold imports of the built doors."""
    return cold_imports(rounds)


SUITES: dict[str, Callable[[Path, int], list[Ratio]]] = {
    "kernel": kernel,
    "spark": spark,
    "imports": imports,
}


def main(
    only: Annotated[str | None, typer.Option(help=f"One of {', '.join(SUITES)}.")] = None,
    rounds: Annotated[int, typer.Option(help="Counted rounds; the median is quoted.", min=1)] = 9,
    out: Annotated[Path | None, typer.Option("--json", help="Also write the figures here.")] = None,
) -> None:
    """Print ratios, each from one interleaved run, beside their targets."""
    if only is not None and only not in SUITES:
        raise typer.BadParameter(f"there are {', '.join(SUITES)}")
    figures: list[Ratio] = []
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        for name, suite in SUITES.items():
            if only in (None, name):
                console.print(f"{name} ...")
                figures += suite(Path(folder), rounds)
    view = Table(
        title=f"CPU ratios, median of {rounds} rounds (least to most)", title_justify="left"
    )
    for column in ("figure", "value", "target", ""):
        view.add_column(column)
    for figure in figures:
        verdict = {True: "met", False: "[red]not met[/]", None: ""}[figure.met]
        view.add_row(figure.name, figure.shown(), figure.target, verdict)
    console.print(view)
    console.print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    if out is not None:
        out.write_text(json.dumps([asdict(f) for f in figures], indent=1), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
