"""The same features of the same file by different means, each as one would write it there.

Every engine gets the path of a unit-day and returns ``{"<sensor>__<stat>": (cycles,) floats}``, but for
``decode``, which only reads. Pandas and Polars are told where the cycles are; the kernel finds them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Features = dict[str, npt.NDArray[np.float64]]
Engine = Callable[[], Features]


@dataclass(frozen=True)
class Task:
    """What an engine is asked for.

    Attributes:
        path: the file.
        workload: mapping of the workload.
        ranges: row ranges ``(first, after the last)`` of the cycles.
    """

    path: Path
    workload: dict[str, Any]
    ranges: list[tuple[int, int]]

    @classmethod
    def read(cls, folder: Path) -> Task:
        """Read the task that :meth:`write` left."""
        told = json.loads((folder / "task.json").read_text())
        ranges = [(a, b) for a, b in told["ranges"]]
        return cls(folder / told["file"], told["workload"], ranges)

    def write(self, folder: Path) -> None:
        """Leave the task beside its file."""
        told = {"file": self.path.name, "workload": self.workload, "ranges": self.ranges}
        (folder / "task.json").write_text(json.dumps(told))

    @property
    def sensors(self) -> list[str]:
        """Names of the selected sensors."""
        return [sensor["name"] for sensor in self.workload["sensors"]]

    @property
    def head(self) -> list[str]:
        """Time, unit and signal: what detection reads."""
        return ["ts", "unit", self.workload["cycles"]["running"]["signal"]]

    @property
    def levels(self) -> dict[str, float]:
        """Level of each sensor whose time above it is counted."""
        return {s["name"]: s["above"] for s in self.workload["sensors"] if "above" in s}


def decode(task: Task) -> Engine:
    """Read what the kernel reads, in the same batches, single-threaded, to arrays and no further."""
    import pyarrow.parquet as pq

    from cycles.readers.parquet import DECODED_COLUMNS
    from cycles.readers.recording import BATCH_COLUMNS

    def run() -> Features:
        file = pq.ParquetFile(task.path, memory_map=True)
        present = set(file.schema_arrow.names)
        head = _arrays(file.read(columns=task.head, use_threads=False))
        rest = [name for name in task.sensors if name in present and name not in task.head]
        for k in range(0, len(rest), BATCH_COLUMNS):
            held = []
            for names in _groups(rest[k : k + BATCH_COLUMNS], DECODED_COLUMNS):
                held += _arrays(file.read(columns=names, use_threads=False))
            del held
        del head
        return {}

    return run


def _groups(names: list[str], size: int) -> list[list[str]]:
    return [names[k : k + size] for k in range(0, len(names), size)]


def _arrays(table: Any) -> list[npt.NDArray[Any]]:
    return [
        column.chunk(0).to_numpy(zero_copy_only=False)
        for name, column in zip(table.column_names, table.itercolumns(), strict=True)
        if name != "unit"
    ]


def kernel(task: Task) -> Engine:
    """Cut the file and stitch its cycles: what Lambda and every Spark task do."""
    from cycles import CycleSpec, cut, stitch

    spec = CycleSpec.from_mapping(task.workload)

    def never(name: str) -> Any:
        raise AssertionError(f"{name} needs no second reading")

    def run() -> Features:
        name = f"raw/bench/{task.path.name}"
        table = stitch([(name, cut(task.path, spec, name))], spec, never).table
        return _FromTable(table)

    return run


class _FromTable(dict[str, npt.NDArray[np.float64]]):
    """Features of an Arrow table, converted when asked for: comparing is not part of the engine's work."""

    def __init__(self, table: Any) -> None:
        super().__init__()
        self.table = table

    def __missing__(self, name: str) -> npt.NDArray[np.float64]:
        column = self.table[name].combine_chunks().cast("float64")
        values: npt.NDArray[np.float64] = column.to_numpy(zero_copy_only=False)
        return values


def pandas(task: Task) -> Engine:
    """Read the file, take each cycle's rows, use the methods of DataFrame, fit each slope."""
    import pandas as pd

    levels = pd.Series(task.levels)

    def run() -> Features:
        frame = pd.read_parquet(task.path, columns=["ts", *task.sensors])
        rows = []
        for a, b in task.ranges:
            cycle = frame.iloc[a:b]
            seconds = (cycle["ts"] - cycle["ts"].iloc[0]).dt.total_seconds()
            rows.append(_pandas_cycle(cycle[task.sensors], seconds, levels))
        table = pd.DataFrame(rows)
        return {str(name): table[name].to_numpy(float) for name in table}

    return run


def _pandas_cycle(cycle: Any, seconds: Any, levels: Any) -> dict[str, float]:
    steps = (seconds.shift(-1) - seconds).fillna(0.0)
    found = {
        "n": cycle.count(),
        "mean": cycle.mean(),
        "std": cycle.std(),
        "min": cycle.min(),
        "max": cycle.max(),
        "first": cycle.bfill().iloc[0],
        "last": cycle.ffill().iloc[-1],
        "above_s": cycle[levels.index].gt(levels, axis=1).mul(steps, axis=0).sum(),
    }
    row = {f"{name}__{stat}": value for stat, s in found.items() for name, value in s.items()}
    for name in cycle:
        present = cycle[name].notna()
        if present.sum() > 1:
            slope = np.polyfit(seconds[present], cycle[name][present], 1)[0]
            row[f"{name}__slope"] = float(slope)
    return row


def polars(task: Task) -> Engine:
    """Read the file and group by cycle, every statistic an expression."""
    import polars as pl

    rows = max(b for _, b in task.ranges)
    number = np.full(rows, -1, np.int32)
    for k, (a, b) in enumerate(task.ranges):
        number[a:b] = k
    cycle = pl.Series("cycle", number)
    time = pl.col("t")
    asked = [time.first().alias("start")]
    for name in task.sensors:
        x = pl.col(name)
        value = x.drop_nulls()
        found = {
            "n": x.count(),
            "mean": x.mean(),
            "std": x.std(),
            "min": x.min(),
            "max": x.max(),
            "first": value.first(),
            "last": value.last(),
            "slope": pl.cov(time, x) / time.filter(x.is_not_null()).var(),
        }
        if name in task.levels:
            found["above_s"] = pl.col("step").filter(x > task.levels[name]).sum()
        asked += [expression.alias(f"{name}__{stat}") for stat, expression in found.items()]

    def run() -> Features:
        frame = pl.read_parquet(task.path, columns=["ts", *task.sensors]).head(rows)
        seconds = pl.col("ts").dt.epoch("ms") / 1000.0
        prepared = frame.with_columns(cycle).filter(pl.col("cycle") >= 0).with_columns(
            pl.col(task.sensors).fill_nan(None),
            (seconds - seconds.first().over("cycle")).alias("t"),
            (seconds.shift(-1).over("cycle") - seconds).fill_null(0.0).alias("step"),
        )  # fmt: skip
        table = prepared.group_by("cycle", maintain_order=True).agg(asked)
        return {
            name: table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
            for name in table.columns
            if "__" in name
        }

    return run


ENGINES: dict[str, Callable[[Task], Engine]] = {
    "decode": decode,
    "kernel": kernel,
    "pandas": pandas,
    "polars": polars,
}
