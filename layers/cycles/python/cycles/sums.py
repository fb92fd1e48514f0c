"""The sums that moments follow from, taken over tiles of rows by sensors that fit a core's own cache.

All time goes into a few passes over each tile, so readings stay as narrow as they came for whatever is
exact in float32 (extremes, comparisons) and are widened once for the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Readings = npt.NDArray[np.floating]
Times = npt.NDArray[np.int64]

FLAT = 1024  # readings whose range is a smaller part of their size than this are summed off a pivot


@dataclass(frozen=True, slots=True)
class Sums:
    """Of each tile and sensor, (tiles, sensors) unless said otherwise.

    ``n`` readings; ``low high first last`` in the readings' own type; ``total`` and ``squares`` of
    reading - ``pivot``, ``with_time`` of that times the centred time; ``t_mean`` (tiles,) mean time of all
    rows in s after the tile's first, ``t_sum t_squares`` of the centred time over rows with a reading;
    ``above_ns`` and ``edge_above`` as in :class:`cycles.moments.Moments`.
    """

    n: Ints
    low: Readings
    high: Readings
    first: Readings
    last: Readings
    pivot: Floats
    total: Floats
    squares: Floats
    with_time: Floats
    t_mean: Floats
    t_sum: Floats
    t_squares: Floats
    above_ns: Ints
    edge_above: Ints

    @classmethod
    def empty(cls, tiles: int, sensors: int, kind: np.dtype[np.floating]) -> Sums:
        """Room for the sums of so many tiles."""
        shape = (tiles, sensors)
        kept = [np.empty(shape, kind) for _ in range(4)]
        sums = [np.zeros(shape) for _ in range(4)]
        n, above, edge = (np.zeros(shape, np.int64) for _ in range(3))
        t_sum, t_squares = np.zeros(shape), np.zeros(shape)
        return cls(n, *kept, *sums, np.zeros(tiles), t_sum, t_squares, above, edge)


def tile_sums(
    columns: Sequence[Readings],
    tiles: Sequence[tuple[int, int]],
    times: Times,
    levels: Sequence[float | None],
) -> Sums:
    """Sum every tile.

    Args:
        columns: one array of readings per sensor, (rows,), all of one type.
        tiles: row ranges, none empty.
        times: (rows,) int64 ns, strictly increasing.
        levels: per sensor the level for the time above it, or None.
    """
    width, kind = len(columns), np.result_type(*columns)
    longest = max(b - a for a, b in tiles)
    space, wide_space = np.empty(width * longest, kind), np.empty(width * longest)
    asked = np.asarray([np.nan if level is None else level for level in levels])
    sums = Sums.empty(len(tiles), width, kind)
    with np.errstate(invalid="ignore", over="ignore"):
        for t, (a, b) in enumerate(tiles):
            size = width * (b - a)
            readings = space[:size].reshape(width, b - a)
            np.concatenate([column[a:b] for column in columns], out=space[:size])
            wide = wide_space[:size].reshape(width, b - a)
            _sum_tile(sums, t, readings, wide, times[a:b], asked)
    return sums


def _sum_tile(
    sums: Sums, t: int, readings: Readings, wide: Floats, times: Times, levels: Floats
) -> None:
    """Sum one tile, (sensors, rows); its readings are used up."""
    rows = len(times)
    clock = np.empty((2, rows))
    clock[0] = 1.0
    seconds = (times - times[0]) / 1e9
    sums.t_mean[t] = np.add.reduce(seconds) / rows
    centred = np.subtract(seconds, sums.t_mean[t], out=clock[1])
    low = np.minimum.reduce(readings, axis=1, out=sums.low[t])
    high = np.maximum.reduce(readings, axis=1, out=sums.high[t])
    sums.first[t], sums.last[t] = readings[:, 0], readings[:, -1]
    sums.n[t], sums.t_squares[t] = rows, centred @ centred
    holed = np.flatnonzero(~np.isfinite(high - low))
    missing = _without_holes(sums, t, readings, holed, centred) if len(holed) else None
    flat = readings.reshape(-1)
    if missing is not None:
        flat[missing] = -np.inf  # above no level
    _time_above(sums, t, readings, times, levels)
    pivot = _pivots(low, high)
    if pivot is not None:
        sums.pivot[t] = pivot
        which = np.flatnonzero(pivot)
        readings[which] -= pivot[which, None]
    if missing is not None:
        flat[missing] = 0.0
    np.copyto(wide, readings)
    sums.total[t], sums.with_time[t] = (wide @ clock.T).T
    np.vecdot(wide, wide, out=sums.squares[t])


def _without_holes(
    sums: Sums, t: int, readings: Readings, holed: Ints, centred: Floats
) -> npt.NDArray[np.intp] | None:
    """Correct what missing readings spoil in some rows; return where they are in the flat tile."""
    rows = len(centred)
    part = readings[holed]  # (holed, rows)
    present = np.isfinite(part)
    where = np.flatnonzero(~present)
    if not len(where):
        return None
    row, when = np.divmod(where, rows)
    weights = present.astype(np.float64) @ np.stack([np.ones(rows), centred, centred**2], axis=1)
    sums.n[t, holed] = weights[:, 0]
    sums.t_sum[t, holed], sums.t_squares[t, holed] = weights[:, 1], weights[:, 2]
    first, last = part[:, 0].copy(), part[:, -1].copy()
    for r in np.flatnonzero(~present[:, 0]):
        first[r] = part[r, present[r].argmax()]
    for r in np.flatnonzero(~present[:, -1]):
        last[r] = part[r, rows - 1 - present[r, ::-1].argmax()]
    part.reshape(-1)[where] = first[row]
    sums.first[t, holed], sums.last[t, holed] = first, last
    sums.low[t, holed], sums.high[t, holed] = part.min(axis=1), part.max(axis=1)
    return holed[row] * rows + when


def _pivots(low: Readings, high: Readings) -> Readings | None:
    """Where to sum from, per sensor, or None where zero will do.

    The sum of squares loses to rounding what the readings' size exceeds their spread by. Halfway between
    the extremes x - pivot is exact (Sterbenz) where the readings are that nearly alike, and at most
    sqrt(rows) times their deviation.
    """
    middle = low * low.dtype.type(0.5) + high * low.dtype.type(0.5)
    alike = (high - low) * FLAT < np.abs(middle)
    return np.where(alike, middle, low.dtype.type(0)) if alike.any() else None


def _time_above(sums: Sums, t: int, readings: Readings, times: Times, levels: Floats) -> None:
    """Count the time above each level: from a row above it to the next row, whatever that one reads."""
    low, high, rows = sums.low[t], sums.high[t], len(times)
    reached = high > levels
    if not reached.any():
        return
    whole = (low > levels) & (sums.n[t] == rows)
    sums.above_ns[t, whole], sums.edge_above[t, whole] = times[-1] - times[0], 1
    some = np.flatnonzero(reached & ~whole)
    if len(some):
        part = readings if len(some) == len(readings) else readings[some]
        over = part > levels[some, None].astype(part.dtype)
        steps = np.diff(times).astype(np.float64)  # whole numbers below 2**53: their sum is exact
        sums.above_ns[t, some] = over[:, :-1].astype(np.float64) @ steps
        sums.edge_above[t, some] = over[:, -1]
