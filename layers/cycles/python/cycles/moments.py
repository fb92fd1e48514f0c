"""Statistics of stretches of rows, in a form that merges.

For each stretch and sensor twelve numbers are kept, from which every statistic follows, and which two
neighbouring stretches can put together exactly (n, min, max, first, last, time above a level) or to
rounding (mean, M2 and the time moments of the slope: the pairwise update of Chan, Golub and LeVeque,
"Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.sums import Clock, Sums, tile_sums

Field = npt.NDArray[Any]  # floats or whole numbers, as the field's name says
Readings = npt.NDArray[np.floating]
Times = npt.NDArray[np.int64]

FLOAT_FIELDS = ("mean", "m2", "min", "max", "first", "last", "t_mean", "t_m2", "c")
INT_FIELDS = ("n", "above_ns", "edge_above")
FIELDS = (*INT_FIELDS, *FLOAT_FIELDS)
ROUNDING = 1e-14  # a correlation with time below this is rounding, and the slope zero


@dataclass(frozen=True, slots=True)
class Moments:
    """Mergeable statistics, each field of shape (stretches, sensors).

    ``n`` readings; ``mean``, ``m2`` of the readings; ``t_mean`` (s after the stretch's start), ``t_m2``,
    ``c`` the moments of time and of time with reading over the rows that have one; ``min max first
    last``; ``above_ns`` time above the sensor's level, ``edge_above`` whether the last row is above it.
    """

    values: Mapping[str, Field]

    @classmethod
    def empty(cls, stretches: int, sensors: int) -> Moments:
        """Room for the given number of stretches and sensors: no readings yet."""
        shape = (stretches, sensors)
        ints = {name: np.zeros(shape, np.int64) for name in INT_FIELDS}
        floats = {name: np.full(shape, np.nan) for name in FLOAT_FIELDS}
        return cls({**ints, **floats})

    def __getitem__(self, name: str) -> Field:
        return self.values[name]

    def row(self, k: int) -> dict[str, Field]:
        """The fields of one stretch, each (sensors,)."""
        return {name: self.values[name][k] for name in FIELDS}

    def put(self, k: int, columns: slice, fields: Mapping[str, Field]) -> None:
        """Write one stretch's fields for a slice of the sensors."""
        for name, value in fields.items():
            self.values[name][k, columns] = value


def measure(
    columns: Sequence[Readings], stretches: int, clock: Clock, levels: Sequence[float | None]
) -> Moments:
    """Measure every stretch of a batch of sensors, in float64.

    Args:
        columns: one array of readings per sensor, (rows,), all float32 or all float64; non-finite
            readings count as missing.
        stretches: how many; those without rows have no tile.
        clock: the stretches' tiles and times.
        levels: per sensor the level for the time above it, or None.
    """
    out = Moments.empty(stretches, len(columns))
    fields = _moments_from_sums(tile_sums(columns, clock, levels), clock.unit_ns)
    for t, tile in enumerate(clock.tiles[1:], 1):
        if tile.stretch == clock.tiles[t - 1].stretch:
            before, after = ({n: v[row] for n, v in fields.items()} for row in (t - 1, t))
            for name, value in merge(before, after, tile.between).items():
                fields[name][t] = value
    owners = [tile.stretch for tile in clock.tiles]
    for name, value in fields.items():
        out.values[name][owners] = value  # of a stretch's tiles the last stands: it holds them all
    return out


def _moments_from_sums(sums: Sums, unit_ns: int) -> dict[str, Field]:
    """Moments of every tile from its sums, (tiles, sensors) each."""
    n, t_sum = sums.n, sums.t_sum
    total, with_time = sums.linear[..., 0], sums.linear[..., 1]
    low, high = sums.low.astype(np.float64), sums.high.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        offset = total / n
        constant = low == high
        moments: dict[str, Field] = {
            "n": n,
            "above_ns": sums.above.astype(np.int64) * unit_ns,
            "edge_above": sums.edge_above.astype(np.int64),
            "mean": np.where(constant, low, sums.pivot + offset),
            "m2": np.where(constant, 0.0, np.maximum(sums.squares - total * offset, 0.0)),
            "min": low,
            "max": high,
            "first": sums.first.astype(np.float64),
            "last": sums.last.astype(np.float64),
            "t_mean": sums.t_mean[:, None] + t_sum / n,
            "t_m2": np.where(n > 1, sums.t_squares - t_sum * t_sum / n, 0.0),
            "c": np.where(constant, 0.0, with_time - t_sum * offset),
        }
    none = n == 0
    if none.any():
        for name in FLOAT_FIELDS:
            moments[name][none] = np.nan
    return moments


def merge(
    a: Mapping[str, Field],
    b: Mapping[str, Field],
    between: tuple[float, int],
) -> dict[str, Field]:
    """Put a stretch and its next neighbour together, field by field, (sensors,).

    Args:
        a: fields of the earlier stretch.
        b: fields of the one that follows it row on row.
        between: seconds from a's first row to b's first row; ns from a's last row to b's first row.
    """
    shift, step_ns = between
    n_a, n_b = a["n"], b["n"]
    n = n_a + n_b
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = n_a * n_b / n
        dx, dt = b["mean"] - a["mean"], b["t_mean"] + shift - a["t_mean"]
        both = {
            "mean": a["mean"] + dx * (n_b / n),
            "m2": a["m2"] + b["m2"] + dx * dx * weight,
            "min": np.minimum(a["min"], b["min"]),
            "max": np.maximum(a["max"], b["max"]),
            "first": a["first"],
            "last": b["last"],
            "t_mean": a["t_mean"] + dt * (n_b / n),
            "t_m2": a["t_m2"] + b["t_m2"] + dt * dt * weight,
            "c": a["c"] + b["c"] + dx * dt * weight,
        }
    out: dict[str, Field] = {"n": n}
    for name, value in both.items():
        alone_b = b[name] + shift if name == "t_mean" else b[name]
        out[name] = np.where(n_a == 0, alone_b, np.where(n_b == 0, a[name], value))
    out["above_ns"] = a["above_ns"] + b["above_ns"] + a["edge_above"] * step_ns
    out["edge_above"] = b["edge_above"]
    return out


def statistics(moments: Moments) -> dict[str, Field]:
    """Every statistic of every sensor, (cycles, sensors) each; NaN where there are too few readings."""
    n = moments["n"]
    size = np.sqrt(moments["m2"] * moments["t_m2"])
    c = np.where(np.abs(moments["c"]) <= ROUNDING * size, 0.0, moments["c"])
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "n": n,
            "mean": moments["mean"],
            "std": np.where(n > 1, np.sqrt(moments["m2"] / (n - 1)), np.nan),
            "min": moments["min"],
            "max": moments["max"],
            "first": moments["first"],
            "last": moments["last"],
            "slope": np.where(moments["t_m2"] > 0, c / moments["t_m2"], np.nan),
            "above_s": np.where(n > 0, moments["above_ns"] / 1e9, np.nan),
        }
