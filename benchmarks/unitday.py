"""The recording every figure is taken on: one unit-day of eight million readings, made from a seed.

88,889 rows (one every 972 ms) of 90 float32 sensors, 18 cycles in which the unit runs 49 % of the time.
Readings are rounded to a step, as a gateway sends them. Every sensor but the running signal drops
out in a few stretches and in single rows. One row group, dictionaries, zstd level 3: about half a
byte a reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

STEP_MS = 972
START_MS = 1_717_200_000_000  # 2024-06-01, UTC
UNIT = "B1"
SIGNAL = "s00"
RUNNING_SHARE = 0.5
STATISTICS = ["n", "mean", "std", "min", "max", "first", "last", "slope", "above_s"]
DROP_STRETCHES, DROP_SINGLES = 3, 4  # of each sensor
LEVELS = (4.0, 20.0, -20.0)  # above a sensor's base: crossed, never reached, always exceeded

Readings = npt.NDArray[np.float32]


@dataclass(frozen=True)
class UnitDay:
    """A seeded recording of one unit.

    Attributes:
        rows: how many rows.
        sensors: how many sensors; the first is the signal that says when the unit runs.
        cycles: how often it runs.
        seed: of all that is drawn.
    """

    rows: int = 88_889
    sensors: int = 90
    cycles: int = 18
    seed: int = 7

    @property
    def names(self) -> list[str]:
        """Names of the sensors."""
        return [f"s{k:02d}" for k in range(self.sensors)]

    @cached_property
    def edges(self) -> npt.NDArray[np.int64]:
        """First row of each cycle and the row after its last.  # (cycles, 2)"""
        rng = np.random.default_rng((self.seed, 1))
        period = self.rows / self.cycles
        lengths = period * RUNNING_SHARE * rng.uniform(0.7, 1.3, self.cycles)
        starts = period * (np.arange(self.cycles) + rng.uniform(0.05, 0.3, self.cycles))
        return np.stack([starts, starts + lengths], axis=1).astype(np.int64)

    @cached_property
    def levels(self) -> dict[str, float]:
        """For each sensor the level above which its time is counted."""
        return {name: 20.0 + 3.0 * k + LEVELS[k % 3] for k, name in enumerate(self.names)}

    def workload(self) -> dict[str, Any]:
        """All nine statistics of all sensors."""
        return {
            "name": "bench",
            "recording": {"timestamp": {"column": "ts"}, "unit": {"column": "unit"}},
            "cycles": {
                "running": {"signal": SIGNAL, "above": 22.0, "release": 21.0},
                "min_on_s": 60,
                "min_off_s": 30,
                "max_gap_s": 300,
            },
            "statistics": STATISTICS,
            "sensors": [{"name": name, "above": self.levels[name]} for name in self.names],
        }

    def table(self) -> pa.Table:
        """The recording: ts (timestamp[ms, UTC]), unit, and the sensors as float32."""
        on = np.zeros(self.rows, bool)
        for a, b in self.edges.tolist():
            on[a:b] = True
        change = np.flatnonzero(np.diff(on, prepend=~on[0]))
        since = np.arange(self.rows) - np.repeat(change, np.diff([*change, self.rows]))
        age = since * (STEP_MS / 60_000)  # minutes since the unit started or stopped
        stamps = START_MS + STEP_MS * np.arange(self.rows, dtype=np.int64)
        columns: dict[str, pa.Array] = {
            "ts": pa.array(stamps, pa.timestamp("ms", tz="UTC")),
            "unit": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(self.rows, np.int32)), pa.array([UNIT])
            ),
        }
        for k, name in enumerate(self.names):
            columns[name] = pa.array(self._readings(k, on, age))
        return pa.table(columns)

    def _readings(
        self, k: int, on: npt.NDArray[np.bool_], age: npt.NDArray[np.floating]
    ) -> Readings:
        rng = np.random.default_rng((self.seed, 2, k))
        settled = 1.0 - np.exp(-age / rng.uniform(0.5, 6.0))
        swing = rng.uniform(1.0, 3.0) * np.sin(np.arange(self.rows) / rng.uniform(2e3, 2e4))
        value = 20.0 + 3.0 * k + np.where(on, 4.0 + settled * rng.uniform(0.5, 3.0), -settled)
        if k:  # the signal itself stays clear of its thresholds
            value += swing + rng.uniform(0.0, 0.09) * rng.standard_normal(self.rows)
        out = (np.rint(value * 10.0) / 10.0).astype(np.float32)
        if k:  # were the signal missing at an edge, the cycle would begin later than the others are told
            for start in rng.integers(0, self.rows, DROP_STRETCHES):
                out[start : start + int(rng.integers(20, 400))] = np.nan
            out[rng.integers(0, self.rows, DROP_SINGLES)] = np.nan
        return out

    def write_parquet(self, path: Path) -> None:
        """Store it as gateways do: one row group, dictionaries, zstd level 3."""
        pq.write_table(
            self.table(), path, row_group_size=self.rows,
            compression="zstd", compression_level=3, use_dictionary=True,
        )  # fmt: skip

    def write_csv(self, path: Path) -> None:
        """Store it as text, missing readings as empty fields."""
        table = self.table()
        columns = {}
        for name in table.column_names:
            column = table[name]
            if name == "unit":
                column = column.cast(pa.string())
            elif name != "ts":
                values = column.to_numpy()
                column = pa.array(values, mask=np.isnan(values))
            columns[name] = column
        pacsv.write_csv(pa.table(columns), path)
