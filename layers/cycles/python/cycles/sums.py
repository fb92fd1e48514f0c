"""The sums that moments follow from, taken over tiles of sensors by rows that fit a core's own cache.

Nearly all time goes into a few passes over each tile: readings stay as narrow as they came for what is
exact in float32 (extremes, comparisons) and are widened once, for the sums. What only few cells of a tile
need is put right afterwards, for all tiles together.
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
Tile = tuple[int, int]  # first row, and the row after the last

MS = 1_000_000
FLOAT32_WHOLE = 2**24  # float32 holds all whole numbers up to here
ALIKE = 1024  # times their range: the size from which readings are summed off a pivot


@dataclass(frozen=True, slots=True)
class Sums:
    """Of each tile and sensor, (tiles, sensors) unless said otherwise.

    Attributes:
        n: readings.
        low, high, first, last: readings, in their own type; NaN without one.
        pivot: what was taken off the readings before they were summed.
        linear: (tiles, sensors, 2) their sum, and that of their product with the centred time.
        squares: sum of their squares.
        t_mean: (tiles,) mean time of all rows, s after the tile's first.
        t_sum, t_squares: sums of the centred time, and of its square, over the rows with a reading.
        above_ns, edge_above: as in :class:`cycles.moments.Moments`.
    """

    n: Ints
    low: Readings
    high: Readings
    first: Readings
    last: Readings
    pivot: Floats
    linear: Floats
    squares: Floats
    t_mean: Floats
    t_sum: Floats
    t_squares: Floats
    above_ns: Floats
    edge_above: npt.NDArray[np.bool_]

    @classmethod
    def empty(cls, clock: Clock, sensors: int, kind: np.dtype[np.floating]) -> Sums:
        """Room for all tiles; times as if no reading were missing."""
        tiles = len(clock.mean)
        low, high, first, last = np.empty((4, tiles, sensors), kind)
        pivot, squares, t_sum, above = np.zeros((4, tiles, sensors))
        return cls(
            n=np.repeat(np.diff(clock.starts)[:, None], sensors, axis=1),
            low=low,
            high=high,
            first=first,
            last=last,
            pivot=pivot,
            linear=np.empty((tiles, sensors, 2)),
            squares=squares,
            t_mean=clock.mean,
            t_sum=t_sum,
            t_squares=np.repeat(clock.squares[:, None], sensors, axis=1),
            above_ns=above,
            edge_above=np.zeros((tiles, sensors), np.bool_),
        )


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of the tiles' rows, one tile after the other.

    Attributes:
        starts: (tiles + 1,) where each tile's rows begin here.
        mean: (tiles,) s after the tile's first row.
        powers: (3, rows) of the centred time, that is s after the tile's mean: 1, itself, its square.
        squares: (tiles,) sums of the latter.
        steps: (rows,) in ``unit_ns``, from each row to the next of its tile, 0 for the last: whole numbers
            whose sums over a tile their type holds exactly.
    """

    starts: Ints
    mean: Floats
    powers: Floats
    squares: Floats
    steps: Readings
    unit_ns: int

    @classmethod
    def of(cls, times: Times, tiles: Sequence[Tile]) -> Clock:
        """Read the clock of the tiles."""
        lengths = np.asarray([b - a for a, b in tiles])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        own = np.concatenate([times[a:b] for a, b in tiles])
        seconds = (own - np.repeat(own[starts[:-1]], lengths)) / 1e9
        mean = np.add.reduceat(seconds, starts[:-1]) / lengths
        powers = np.ones((3, len(own)))
        powers[1] = seconds - np.repeat(mean, lengths)
        np.square(powers[1], out=powers[2])
        squares = np.add.reduceat(powers[2], starts[:-1])
        steps = np.zeros(len(own))
        steps[:-1] = np.diff(own)
        steps[starts[1:] - 1] = 0.0
        in_ms = steps / MS
        if (in_ms == np.rint(in_ms)).all() and seconds.max() * 1e3 < FLOAT32_WHOLE:
            return cls(starts, mean, powers, squares, in_ms.astype(np.float32), MS)
        return cls(starts, mean, powers, squares, steps, 1)

    def rows(self, t: int) -> slice:
        """Where tile ``t`` is."""
        return slice(int(self.starts[t]), int(self.starts[t + 1]))


def tile_sums(
    columns: Sequence[Readings],
    tiles: Sequence[Tile],
    times: Times,
    levels: Sequence[float | None],
) -> Sums:
    """Sum every tile.

    Args:
        columns: one array of readings per sensor, (rows,), all of one type; non-finite ones are missing.
        tiles: first row and row after the last, none empty.
        times: (rows,) int64 ns, strictly increasing.
        levels: per sensor the level for the time above it, or None.
    """
    clock = Clock.of(times, tiles)
    kind = columns[0].dtype
    asked = np.asarray([np.nan if level is None else level for level in levels], kind)
    sums = Sums.empty(clock, len(columns), kind)
    with np.errstate(invalid="ignore", over="ignore"):
        _sweep(sums, columns, tiles, clock, asked)
        _mend(sums, columns, tiles, clock)
    return sums


def _sweep(
    sums: Sums, columns: Sequence[Readings], tiles: Sequence[Tile], clock: Clock, levels: Readings
) -> None:
    """Sum all tiles, missing readings as zeros."""
    width, kind = len(columns), columns[0].dtype
    room = width * max(b - a for a, b in tiles)
    narrow, wide = np.empty(room, kind), np.empty(room)
    weights = wide.view(clock.steps.dtype)  # what is in it is used up before wide is filled
    for t, (a, b) in enumerate(tiles):
        size, shape, own = width * (b - a), (width, b - a), clock.rows(t)
        np.concatenate([column[a:b] for column in columns], out=narrow[:size])
        tile = narrow[:size].reshape(shape)
        low = np.minimum.reduce(tile, axis=1, out=sums.low[t])
        high = np.maximum.reduce(tile, axis=1, out=sums.high[t])
        sums.first[t], sums.last[t] = tile[:, 0], tile[:, -1]
        holed = (~np.isfinite(low + high)).nonzero()[0]
        filled = _hole_sums(sums, t, tile, holed, clock.powers[:, own]) if len(holed) else None
        _time_above(sums, t, tile, levels, clock.steps[own], weights[:size].reshape(shape))
        if filled is not None:
            tile[holed] = filled
        block = wide[:size].reshape(shape)
        np.copyto(block, tile)
        np.matmul(block, clock.powers[:2, own].T, out=sums.linear[t])
        np.vecdot(block, block, out=sums.squares[t])
    np.multiply(sums.above_ns, clock.unit_ns, out=sums.above_ns)


def _hole_sums(
    sums: Sums, t: int, tile: Readings, holed: npt.NDArray[np.intp], powers: Floats
) -> Readings:
    """Sum what holes change for the sensors that have some; return their rows, holes as zeros."""
    part = tile[holed]  # (holed, rows)
    present = np.isfinite(part)
    low, high = np.fmin.reduce(part, axis=1), np.fmax.reduce(part, axis=1)
    if not np.isfinite(low + high).all():  # infinite readings are missing too
        part[~present] = np.nan
        tile[holed] = part
        low, high = np.fmin.reduce(part, axis=1), np.fmax.reduce(part, axis=1)
    sums.low[t, holed], sums.high[t, holed] = low, high
    times = present.astype(np.float64) @ powers.T  # (holed, 3)
    sums.n[t, holed] = times[:, 0]
    sums.t_sum[t, holed], sums.t_squares[t, holed] = times[:, 1], times[:, 2]
    part.reshape(-1)[np.logical_not(present).reshape(-1).nonzero()[0]] = 0.0
    return part


def _time_above(
    sums: Sums, t: int, tile: Readings, levels: Readings, steps: Readings, weights: Readings
) -> None:
    """Time above the level, from a row above it to the next row, of the sensors that reach theirs."""
    reached = (sums.high[t] > levels).nonzero()[0]
    if not len(reached):
        return
    if 2 * len(reached) < len(tile):
        tile, levels, weights = tile[reached], levels[reached], weights[: len(reached)]
    else:
        reached = np.arange(len(tile))
    over = tile > levels[:, None]
    np.copyto(weights, over)
    sums.above_ns[t, reached] = weights @ steps
    sums.edge_above[t, reached] = over[:, -1]


def _mend(sums: Sums, columns: Sequence[Readings], tiles: Sequence[Tile], clock: Clock) -> None:
    """Put right the few cells for which the sweep is not: one by one, from their column.

    Sums of squares lose to rounding what the readings' size exceeds their deviation by, and that is at
    least their range over sqrt(2 n). Where the first or last row is missing, another is first or last.
    """
    low, high = sums.low, sums.high
    size = np.maximum(np.abs(low), np.abs(high))
    alike = (low < high) & ((high - low) * low.dtype.type(ALIKE) < size)
    for t, s in np.argwhere(alike):
        a, b = tiles[t]
        readings = columns[s][a:b].astype(np.float64)
        present = np.isfinite(readings)
        sums.pivot[t, s] = pivot = readings[present].mean()
        off = np.where(present, readings - pivot, 0.0)
        sums.linear[t, s] = off @ clock.powers[:2, clock.rows(t)].T
        sums.squares[t, s] = off @ off
    torn = (sums.n > 0) & ~np.isfinite(sums.first + sums.last)
    for t, s in np.argwhere(torn):
        a, b = tiles[t]
        present = np.isfinite(columns[s][a:b])
        sums.first[t, s] = columns[s][a + present.argmax()]
        sums.last[t, s] = columns[s][b - 1 - present[::-1].argmax()]
