"""Statistics of stretches of rows, in a form that merges.

For each stretch and sensor twelve numbers are kept, from which every statistic follows, and which two
neighbouring stretches can put together exactly (n, min, max, first, last, time above a level) or to
rounding (mean, M2 and the time moments of the slope: the pairwise update of Chan, Golub and LeVeque,
"Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cycles.spec import CycleSpec

Floats = npt.NDArray[np.float64]
Readings = npt.NDArray[np.floating]
Times = npt.NDArray[np.int64]

FLOAT_FIELDS = ("mean", "m2", "min", "max", "first", "last", "t_mean", "t_m2", "c")
INT_FIELDS = ("n", "above_ns", "edge_above")
FIELDS = (*INT_FIELDS, *FLOAT_FIELDS)
TILE_ROWS = 4096  # a tile of 45 float32 sensors stays within a core's second-level cache
PIVOT_SAMPLES = 32
ROUNDING = 1e-14  # a correlation with time below this is rounding, and the slope zero


@dataclass(frozen=True, slots=True)
class Moments:
    """Mergeable statistics, each field of shape (stretches, sensors).

    ``n`` readings; ``mean``, ``m2`` of the readings; ``t_mean`` (s after the stretch's start), ``t_m2``,
    ``c`` the moments of time and of time with reading over the rows that have one; ``min max first
    last``; ``above_ns`` time above the sensor's level, ``edge_above`` whether the last row is above it.
    """

    values: Mapping[str, npt.NDArray[np.generic]]

    @classmethod
    def empty(cls, stretches: int, sensors: int) -> Moments:
        """Room for the given number of stretches and sensors: no readings yet."""
        shape = (stretches, sensors)
        ints = {name: np.zeros(shape, np.int64) for name in INT_FIELDS}
        floats = {name: np.full(shape, np.nan) for name in FLOAT_FIELDS}
        return cls({**ints, **floats})

    def __getitem__(self, name: str) -> npt.NDArray[np.generic]:
        return self.values[name]

    def row(self, k: int) -> dict[str, npt.NDArray[np.generic]]:
        """The fields of one stretch, each (sensors,)."""
        return {name: self.values[name][k] for name in FIELDS}

    def put(self, k: int, columns: slice, fields: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Write one stretch's fields for a slice of the sensors."""
        for name, value in fields.items():
            self.values[name][k, columns] = value


def measure(
    columns: Sequence[Readings],
    ranges: Sequence[tuple[int, int]],
    times: Times,
    levels: Sequence[float | None],
) -> Moments:
    """Measure every row range of a batch of sensors, in float64.

    The sums of float64 readings are taken relative to a pivot near their mean; for float32 readings,
    whose squares float64 holds exactly, that would only cost time.

    Args:
        columns: one array of readings per sensor, (rows,), all float32 or all float64; non-finite
            readings count as missing.
        ranges: row ranges ``(i, j)``, in order, not overlapping.
        times: (rows,) int64 ns, strictly increasing.
        levels: per sensor the level for the time above it, or None.
    """
    out = Moments.empty(len(ranges), len(columns))
    pivoted = any(column.dtype == np.float64 for column in columns)
    longest = max((min(j - i, TILE_ROWS) for i, j in ranges), default=0)
    tile = np.empty((len(columns), longest), np.float64)
    for k, (i, j) in enumerate(ranges):
        fields: dict[str, npt.NDArray[np.generic]] | None = None
        for a in range(i, j, TILE_ROWS):
            b = min(a + TILE_ROWS, j)
            block = tile[:, : b - a]  # (sensors, rows of the tile)
            for s, column in enumerate(columns):
                block[s] = column[a:b]
            part = _tile_moments(block, times[a:b], pivoted=pivoted)
            _time_above(part, block_columns=columns, rows=(a, b), times=times, levels=levels)
            fields = part if fields is None else merge(fields, part, _between(times, i, a))
        if fields is not None:
            out.put(k, slice(None), fields)
    return out


def _between(times: Times, i: int, a: int) -> tuple[float, int]:
    """Seconds from the stretch's start to the tile's, and ns from the row before to the tile's first."""
    return (int(times[a]) - int(times[i])) / 1e9, int(times[a]) - int(times[a - 1])


def _tile_moments(
    block: Floats, times: Times, *, pivoted: bool
) -> dict[str, npt.NDArray[np.generic]]:
    """Moments of one tile, (sensors,) each; the block is used up."""
    rows = block.shape[1]
    seconds = (times - times[0]) / 1e9
    t_mean = seconds.mean()
    centred = seconds - t_mean  # (rows,)
    low, high = block.min(axis=1), block.max(axis=1)
    n = np.full(len(block), rows, np.int64)
    t_sum, t_sq = np.zeros(len(block)), np.full(len(block), centred @ centred)
    holes = np.flatnonzero(~(np.isfinite(low) & np.isfinite(high)))
    present = np.empty((0, rows))
    if len(holes):
        present = _fill_holes(block, holes)
        low[holes], high[holes] = block[holes].min(axis=1), block[holes].max(axis=1)
        n[holes] = present.sum(axis=1)
        t_sum[holes], t_sq[holes] = present @ centred, present @ (centred * centred)
    first, last = block[:, 0].copy(), block[:, -1].copy()
    pivot = np.zeros(len(block))
    if pivoted:
        pivot = block[:, :: max(1, rows // PIVOT_SAMPLES)].mean(axis=1)
        block -= pivot[:, None]
    if len(holes):
        block[holes] = np.where(present > 0, block[holes], 0.0)
    sums = block @ np.stack([np.ones(rows), centred], axis=1)  # (sensors, 2)
    squares = np.vecdot(block, block)
    return _moments_from_sums(
        n, pivot, (sums[:, 0], squares, sums[:, 1]), (t_mean, t_sum, t_sq), (low, high, first, last)
    )


def _fill_holes(block: Floats, holes: npt.NDArray[np.int64]) -> Floats:
    """Fill missing readings in some rows; return where there was one, (holes, rows) of 1.0 and 0.0.

    A hole takes the first reading, and a trailing one the last: so the ends of each row are its first and
    last reading and its extremes its own.
    """
    part = block[holes]
    present = np.isfinite(part)
    head = present.argmax(axis=1)
    tail = part.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    which, when = np.nonzero(~present)
    source = np.where(when > tail[which], tail[which], head[which])
    part[which, when] = part[which, source]
    block[holes] = part
    return present.astype(np.float64)


def _moments_from_sums(
    n: npt.NDArray[np.int64],
    pivot: Floats,
    sums: tuple[Floats, Floats, Floats],
    time_sums: tuple[float, Floats, Floats],
    kept: tuple[Floats, Floats, Floats, Floats],
) -> dict[str, npt.NDArray[np.generic]]:
    total, squares, with_time = sums
    t_mean, t_sum, t_sq = time_sums
    low, high, first, last = kept
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        offset = total / n
        constant = low == high
        none = n == 0
        moments: dict[str, npt.NDArray[np.generic]] = {
            "n": n,
            "mean": np.where(constant, low, pivot + offset),
            "m2": np.where(constant, 0.0, np.maximum(squares - n * offset * offset, 0.0)),
            "min": low,
            "max": high,
            "first": first,
            "last": last,
            "t_mean": t_mean + t_sum / n,
            "t_m2": np.where(n > 1, t_sq - t_sum * t_sum / n, 0.0),
            "c": np.where(constant, 0.0, with_time - t_sum * offset),
        }
    for name in FLOAT_FIELDS:
        moments[name][none] = np.nan
    return moments


def _time_above(
    part: dict[str, npt.NDArray[np.generic]],
    *,
    block_columns: Sequence[Readings],
    rows: tuple[int, int],
    times: Times,
    levels: Sequence[float | None],
) -> None:
    """Add the time above each level: from a row above it to the next row, whatever that one reads."""
    a, b = rows
    above, edge = np.zeros(len(levels), np.int64), np.zeros(len(levels), np.int64)
    for s, level in enumerate(levels):
        if level is not None:
            over = block_columns[s][a:b] > level
            above[s] = np.diff(times[a:b])[over[:-1]].sum()
            edge[s] = over[-1]
    part["above_ns"], part["edge_above"] = above, edge


def merge(
    a: Mapping[str, npt.NDArray[np.generic]],
    b: Mapping[str, npt.NDArray[np.generic]],
    between: tuple[float, int],
) -> dict[str, npt.NDArray[np.generic]]:
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
    out: dict[str, npt.NDArray[np.generic]] = {"n": n}
    for name, value in both.items():
        alone_b = b[name] + shift if name == "t_mean" else b[name]
        out[name] = np.where(n_a == 0, alone_b, np.where(n_b == 0, a[name], value))
    out["above_ns"] = a["above_ns"] + b["above_ns"] + a["edge_above"] * step_ns
    out["edge_above"] = b["edge_above"]
    return out


def statistics(moments: Moments, spec: CycleSpec) -> dict[str, npt.NDArray[np.generic]]:
    """Result columns ``<sensor>__<stat>``, each (cycles,); NaN where there are too few readings."""
    n = moments["n"]
    size = np.sqrt(moments["m2"] * moments["t_m2"])
    c = np.where(np.abs(moments["c"]) <= ROUNDING * size, 0.0, moments["c"])
    with np.errstate(invalid="ignore", divide="ignore"):
        by_name = {
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
    return {
        f"{sensor.name}__{stat}": by_name[stat][:, s]
        for s, sensor in enumerate(spec.sensors)
        for stat in sensor.statistics
    }
