"""What a benchmark finds, and how it is told."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Ratio:
    """A value taken once a round: its median, least and greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Sum up one value a round."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what is compared.
        value: a ratio, or a quantity where ``unit`` says so.
        bound: whether the target is the most or the least that is wanted.
        target: None for what is only told.
        unit: "x" for ratios.
        note: how it was taken.
    """

    name: str
    value: Ratio
    bound: Literal["at most", "at least"] = "at most"
    target: float | None = None
    unit: str = "x"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the target; None without one."""
        if self.target is None:
            return None
        if self.bound == "at most":
            return self.value.median <= self.target
        return self.value.median >= self.target

    def told(self) -> dict[str, Any]:
        """The figure as plain values."""
        return asdict(self) | {"met": self.met}


def machine() -> str:
    """One line about where the figures were taken: they are worth nothing without it."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if "model name" in line
        ),
        platform.processor(),
    )
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "pyarrow"))
    load = " ".join(f"{value:.1f}" for value in psutil.getloadavg())
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{cpu}, {psutil.cpu_count()} cores, {memory:.0f} GiB, load {load}; "
        f"Python {platform.python_version()}, {versions}"
    )


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def show(figures: Sequence[Figure], settings: str, console: Console) -> None:
    """Print the table, and under it how and where it was taken."""
    table = Table(title="Benchmarks: CPU time, ratios within rounds", title_justify="left")
    for column in ("figure", "median", "min to max", "target", "met"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        value, unit = figure.value, "" if figure.unit == "x" else f" {figure.unit}"
        digits = 2 if value.median < 100 else 0
        wanted = "" if figure.target is None else f"{figure.bound} {figure.target:g}{unit}"
        met = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[figure.met]
        table.add_row(
            f"{figure.name}\n[dim]{figure.note}[/]" if figure.note else figure.name,
            f"{value.median:.{digits}f}{unit}",
            f"{value.least:.{digits}f} to {value.greatest:.{digits}f}",
            wanted,
            met,
        )
    console.print(table)
    console.print(f"[dim]{settings}[/]")
    console.print(f"[dim]{machine()}[/]")


def write(figures: Sequence[Figure], settings: str, path: Path) -> None:
    """Store figures as JSON."""
    told = {
        "settings": settings,
        "machine": machine(),
        "figures": [figure.told() for figure in figures],
    }
    path.write_text(json.dumps(told, indent=1) + "\n")
