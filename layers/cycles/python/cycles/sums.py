"""The sums that moments follow from, taken tile by tile: all sensors of a batch by some thousand rows.

Nearly all time goes into the sweep over each tile: one pass in machine code where that is there, else a few
by numpy, between which the tile stays in the cache. Readings remain as narrow as they came for what is exact
in float32 (extremes, comparisons) and are widened once, for the sums. What only few cells (one sensor in one
tile) need is put right afterwards, for all tiles together.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cycles import native

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Readings = npt.NDArray[np.floating]
Times = npt.NDArray[np.int64]

Holes = tuple[Ints, Ints]  # of each missing reading the cell, flat, and the clock's row

# With the 90 sensors of a batch, twice as many multiplications as readings: from a million on OpenBLAS
# leaves its kernel for small matrices and starts threads, at several times the CPU.
TILE_ROWS = 4096
MS = 1_000_000
FLOAT32_WHOLE = 2**24  # float32 holds all whole numbers up to here
ALIKE = 1024  # times their range: the size from which readings are summed off a pivot


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows of a recording that lie in one stretch.

    Attributes:
        stretch: which.
        a, b: the first row and the row after the last.
        rows: where the clock has them.
        between: s from the stretch's first row to this tile's, ns from the row before to this tile's first.
    """

    stretch: int
    a: int
    b: int
    rows: slice
    between: tuple[float, int]


@dataclass(frozen=True, slots=True)
class Clock:
    """Stretches cut into tiles, and the times of their rows, tile after tile.

    Attributes:
        tiles: in order; those of a stretch follow each other.
        lengths: (tiles,) their rows.
        spans: (tiles,) sums of their steps.
        mean: (tiles,) s after the tile's first row.
        design: (2, rows) ones, and the centred time: s after the tile's mean.
        sums, squares: (tiles,) of the centred time (nothing but rounding) and of its square.
        steps: (rows,) in ``unit_ns``, from each row to the next of its tile, 0 for the last: whole numbers
            whose sums over a tile their type holds exactly.
    """

    tiles: tuple[Tile, ...]
    lengths: Ints
    spans: Readings
    mean: Floats
    design: Floats
    sums: Floats
    squares: Floats
    steps: Readings
    unit_ns: int

    @classmethod
    def of(cls, times: Times, ranges: Sequence[tuple[int, int]]) -> Clock | None:
        """Read the clock of row ranges ``(i, j)``; None where all are empty.

        Args:
            times: (rows,) int64 ns, strictly increasing.
            ranges: one for each stretch, in order, not overlapping.
        """
        tiles = _tiles(times, ranges)
        if not tiles:
            return None
        lengths = np.asarray([tile.b - tile.a for tile in tiles])
        first = np.asarray([tile.rows.start for tile in tiles])
        own = np.concatenate([times[tile.a : tile.b] for tile in tiles])
        seconds = (own - np.repeat(own[first], lengths)) / 1e9
        longest_ms = seconds.max() * 1e3
        mean = np.add.reduceat(seconds, first) / lengths
        design = np.ones((2, len(own)))
        centred = np.subtract(seconds, np.repeat(mean, lengths), out=design[1])
        sums = np.add.reduceat(centred, first)
        squares = np.add.reduceat(np.square(centred, out=seconds), first)
        steps = np.zeros(len(own))
        np.subtract(own[1:], own[:-1], out=steps[:-1])
        steps[first[1:] - 1] = 0.0
        in_ms = steps / MS
        whole_ms = longest_ms < FLOAT32_WHOLE and bool((in_ms == np.rint(in_ms)).all())
        kept = in_ms.astype(np.float32) if whole_ms else steps
        return cls(
            tiles,
            lengths=lengths,
            spans=np.add.reduceat(kept, first),
            mean=mean,
            design=design,
            sums=sums,
            squares=squares,
            steps=kept,
            unit_ns=MS if whole_ms else 1,
        )


def _tiles(times: Times, ranges: Sequence[tuple[int, int]]) -> tuple[Tile, ...]:
    tiles: list[Tile] = []
    at = 0
    for k, (i, j) in enumerate(ranges):
        for a in range(i, j, TILE_ROWS):
            b = min(a + TILE_ROWS, j)
            since = int(times[a]) - int(times[i])
            step = int(times[a]) - int(times[a - 1]) if a > i else 0
            tiles.append(Tile(k, a, b, slice(at, at + b - a), (since / 1e9, step)))
            at += b - a
    return tuple(tiles)


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
        above: time above the level, in the clock's unit and type; ``edge_above`` whether the last row is.
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
    above: Readings
    edge_above: npt.NDArray[np.bool_]

    @classmethod
    def empty(cls, clock: Clock, sensors: int, kind: np.dtype[np.floating]) -> Sums:
        """Room for all tiles; times as if no reading were missing."""
        tiles = len(clock.mean)
        low, high, first, last = np.empty((4, tiles, sensors), kind)
        pivot, squares = np.zeros((2, tiles, sensors))
        return cls(
            n=np.repeat(clock.lengths[:, None], sensors, axis=1),
            low=low,
            high=high,
            first=first,
            last=last,
            pivot=pivot,
            linear=np.empty((tiles, sensors, 2)),
            squares=squares,
            t_mean=clock.mean,
            t_sum=np.repeat(clock.sums[:, None], sensors, axis=1),
            t_squares=np.repeat(clock.squares[:, None], sensors, axis=1),
            above=np.zeros((tiles, sensors), clock.steps.dtype),
            edge_above=np.zeros((tiles, sensors), np.bool_),
        )


def tile_sums(columns: Sequence[Readings], clock: Clock, levels: Sequence[float | None]) -> Sums:
    """Sum every tile.

    Args:
        columns: one array of readings per sensor, (rows,), all of one type; non-finite ones are missing.
        clock: the tiles, of the same recording.
        levels: per sensor the level for the time above it, or None.
    """
    kind = columns[0].dtype
    asked = np.asarray([np.nan if level is None else level for level in levels], kind)
    sums = Sums.empty(clock, len(columns), kind)
    columns = [np.ascontiguousarray(column) for column in columns]
    compiled = native.sweep(kind, clock.steps.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        if compiled:
            _sweep_compiled(compiled, sums, columns, clock, asked)
        else:
            _count_holes(sums, _sweep(sums, columns, clock, asked), clock)
        whole = (sums.low > asked) & (sums.n == clock.lengths[:, None])
        np.copyto(sums.above, clock.spans[:, None], where=whole)
        np.copyto(sums.edge_above, True, where=whole)
        _mend(sums, columns, clock, asked)
    return sums


def _sweep_compiled(
    compiled: Callable[..., None],
    sums: Sums,
    columns: Sequence[Readings],
    clock: Clock,
    levels: Readings,
) -> None:
    """Sum all tiles over the rows with a reading."""
    data = native.addresses(columns)
    for t, tile in enumerate(clock.tiles):
        places = (
            sums.n, sums.low, sums.high, sums.first, sums.last, sums.linear, sums.squares,
            sums.t_sum, sums.t_squares, sums.above, sums.edge_above,
        )  # fmt: skip
        compiled(
            ctypes.c_int64(len(columns)),
            data,
            ctypes.c_int64(tile.a),
            ctypes.c_int64(tile.b - tile.a),
            native.at(clock.design[1], tile.rows.start),
            native.at(clock.steps, tile.rows.start),
            native.at(levels, 0),
            *(native.at(place, t) for place in places),
        )


def _sweep(sums: Sums, columns: Sequence[Readings], clock: Clock, levels: Readings) -> list[Holes]:
    """Sum all tiles with missing readings as zeros; return where those are."""
    width, holes = len(columns), list[Holes]()
    views = [column.data for column in columns]
    wide = np.empty(width * int(clock.lengths.max()))
    for t, tile in enumerate(clock.tiles):
        # To join buffers takes half the time of concatenating as many short arrays.
        joined = bytearray().join([view[tile.a : tile.b] for view in views])
        readings = np.frombuffer(joined, levels.dtype).reshape(width, -1)
        low = np.minimum.reduce(readings, axis=1, out=sums.low[t])
        high = np.fmax.reduce(readings, axis=1, out=sums.high[t])
        sums.first[t], sums.last[t] = readings[:, 0], readings[:, -1]
        crossing = ((high > levels) & ~(low > levels)).nonzero()[0]  # or holed: low is NaN then
        if len(crossing):
            over = readings[crossing] > levels[crossing, None]
            steps = clock.steps[tile.rows]
            sums.above[t, crossing] = over.astype(steps.dtype) @ steps
            sums.edge_above[t, crossing] = over[:, -1]
        holed = (~np.isfinite(low + high)).nonzero()[0]
        if len(holed):
            torn = readings[holed]
            low[holed] = np.fmin.reduce(torn, axis=1)
            missing = (~np.isfinite(torn)).reshape(-1).nonzero()[0]
            torn.reshape(-1)[missing] = 0.0
            readings[holed] = torn
            row = missing // (tile.b - tile.a)  # several times as fast as divmod
            when = missing - row * (tile.b - tile.a)
            holes.append((holed[row] + t * width, when + tile.rows.start))
        block = wide[: readings.size].reshape(readings.shape)
        np.copyto(block, readings)
        np.matmul(block, clock.design[:, tile.rows].T, out=sums.linear[t])
        np.vecdot(block, block, out=sums.squares[t])
    return holes


def _count_holes(sums: Sums, holes: Sequence[Holes], clock: Clock) -> None:
    """Take missing readings out of the counts and the sums of time."""
    if not holes:
        return
    cell, row = (np.concatenate(side) for side in zip(*holes, strict=True))
    centred, shape = clock.design[1, row], sums.n.shape
    sums.n[...] -= np.bincount(cell, minlength=sums.n.size).reshape(shape)
    sums.t_sum[...] -= np.bincount(cell, centred, sums.n.size).reshape(shape)
    sums.t_squares[...] -= np.bincount(cell, centred * centred, sums.n.size).reshape(shape)


def _mend(sums: Sums, columns: Sequence[Readings], clock: Clock, levels: Readings) -> None:
    """Put right the few cells for which the sweep is not: one by one, from their column.

    Sums of squares lose to rounding what the readings' size exceeds their deviation by, and that is at
    least their range over sqrt(2 n); differences of time sums lose digits where most rows are missing.
    Infinite readings are missing ones. Where the first or last row is missing, another is first or last.
    """
    low, high, n = sums.low, sums.high, sums.n
    size = np.maximum(np.abs(low), np.abs(high))
    again = (low < high) & ((high - low) * low.dtype.type(ALIKE) < size)
    again |= (2 * n < clock.lengths[:, None]) | ~np.isfinite(size)
    again &= n > 0
    sums.above[n == 0], sums.edge_above[n == 0] = 0, False
    for t, s in np.argwhere(again).tolist():
        _sum_cell(sums, t, s, columns[s], clock, levels[s])
    torn = (n > 0) & ~np.isfinite(sums.first + sums.last) & ~again
    for t, s in np.argwhere(torn).tolist():
        tile = clock.tiles[t]
        rows = columns[s][tile.a : tile.b]
        sums.first[t, s] = rows[np.isfinite(rows).argmax()]
        sums.last[t, s] = rows[::-1][np.isfinite(rows[::-1]).argmax()]


def _sum_cell(
    sums: Sums, t: int, s: int, column: Readings, clock: Clock, level: np.floating
) -> None:
    """Sum one sensor's readings of one tile off their mean."""
    tile = clock.tiles[t]
    rows = column[tile.a : tile.b]
    present = np.isfinite(rows)
    kept, time = rows[present], clock.design[1, tile.rows][present]
    sums.low[t, s], sums.high[t, s] = kept.min(), kept.max()
    sums.first[t, s], sums.last[t, s] = kept[0], kept[-1]
    readings = kept.astype(np.float64)
    sums.pivot[t, s] = pivot = readings.mean()
    readings -= pivot
    sums.linear[t, s] = readings.sum(), readings @ time
    sums.squares[t, s] = readings @ readings
    sums.t_sum[t, s], sums.t_squares[t, s] = time.sum(), time @ time
    over = present & (rows > level)
    sums.above[t, s] = clock.steps[tile.rows][over].sum()
    sums.edge_above[t, s] = over[-1]
