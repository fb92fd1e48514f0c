"""Cycles read at a few of their rows: which rows, how many others each stands for, what is lost.

A node is a row. The first rows of a cycle are all nodes, since a start is over in seconds; after
them the nodes grow sparse and each stands for the rows around it.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from simulator.conditions import Life
from simulator.frame import Frame, cycle_frame
from simulator.plant import Transients
from simulator.rows import STEP_MS, Whole, losses, row_at, time_of
from simulator.seeds import Array

NODES = 24
FIRST = 6  # nodes that are the first rows
WIDEN = 1.8  # rows between the next two nodes; from there the steps grow by one ratio
STEP_S = STEP_MS / 1000


class Lost:
    """Rows that a unit's recordings lack over the whole span.

    Attributes:
        gaps: (gaps, 2) first row lost and first row back.
        drops: for the place of a sensor in the catalogue, (drops, 2) the same for its readings.
    """

    def __init__(self, seed: int, number: int, first_day: int, days: int) -> None:
        found = [losses(seed, number, first_day, day) for day in range(days)]
        drops = np.concatenate([day.drops for day in found])
        rows = row_at(drops[:, 1:])
        self.gaps = row_at(np.concatenate([day.gaps for day in found]))
        self.drops: dict[int, Whole] = {
            int(k): rows[drops[:, 0] == k] for k in np.unique(drops[:, 0])
        }


def extents(life: Life, lost: Lost) -> tuple[Whole, Whole, Whole]:
    """First and last row of each cycle, and how many it has, none in a gap.  # (cycles,)"""
    first = row_at(np.rint(life.cycles.start * 1000).astype(np.int64))
    last = row_at(np.rint(life.cycles.end * 1000).astype(np.int64)) - 1
    missing = np.zeros(len(first), np.int64)
    for a, b in lost.gaps.tolist():
        k = int(np.searchsorted(first, b)) - 1  # the last cycle that starts before the gap ends
        if k < 0 or last[k] < a:
            continue
        if first[k] >= a:
            first[k] = b
        elif last[k] < b:
            last[k] = a - 1
        else:
            missing[k] += b - a
    return first, last, last - first + 1 - missing


class Weights:
    """What the statistics need of the nodes' times and of the rows they stand for.

    Attributes:
        weight: (cycles, nodes) rows that each node stands for; present: whether any.
        n: (cycles,) readings.
        share, slope: (cycles, nodes) what each node adds to the mean and to the slope.
        rows, t_m2: (cycles,) sum of the weights, at least 1; spread of the times.
    """

    FIELDS = ("weight", "present", "n", "share", "slope", "rows", "t_m2")

    def __init__(self, weight: Array, t: Array, n: Whole) -> None:
        self.weight, self.present = weight, weight > 0
        self.rows = np.maximum(weight.sum(axis=1), 1.0)
        self.n = n
        self.share = weight / self.rows[:, None]
        centred = t - np.einsum("ij,ij->i", self.share, t)[:, None]
        self.t_m2 = np.maximum(np.einsum("ij,ij->i", weight, centred * centred), 1e-9)
        self.slope = weight * centred / self.t_m2[:, None]

    def with_cycles(self, cycles: npt.NDArray[np.intp], other: Weights) -> Weights:
        """The same, with some cycles from another."""
        out = object.__new__(Weights)
        for name in self.FIELDS:
            mixed = getattr(self, name).copy()
            mixed[cycles] = getattr(other, name)
            setattr(out, name, mixed)
        return out


def _places(span: Array) -> Array:
    """Rows after the first that are nodes, from 0 to ``span``.  # (cycles, nodes)"""
    more = NODES - FIRST
    rest = np.maximum(span - (FIRST - 1), 0)
    # Steps grow as e^(a u): the first is WIDEN rows where expm1(a) / a = rest / (more * WIDEN).
    ratio = np.maximum(rest / (more * WIDEN), 1.001)
    a = np.log(ratio) + 1.0
    for _ in range(6):
        a = np.maximum(a - (np.expm1(a) / a - ratio) / ((np.exp(a) * (a - 1) + 1) / a**2), 1e-3)
    rise = np.expm1(a * np.arange(1, more + 1) / more) / np.expm1(a)  # (cycles, more)
    first = np.minimum(np.arange(FIRST), span)
    return np.concatenate([first, np.rint(first[:, -1:] + rest * rise)], axis=1)


class Nodes:
    """Some cycles at their nodes.

    Attributes:
        row: (cycles, nodes) numbers of the rows.
        frame: what is known at them; since_first: (cycles, nodes) s since the cycle's first row.
        seconds: (cycles,) from the first row to the one after the last.
        full: weights of a sensor that never dropped out.
    """

    def __init__(
        self,
        life: Life,
        shifts: Transients,
        part: slice,
        extent: tuple[Whole, Whole, Whole],
        lost: Lost,
    ) -> None:
        self.first, self.last, n = (x[part] for x in extent)
        self._drops = lost.drops
        span = (self.last - self.first)[:, None].astype(float)
        place = _places(span)
        middle = (place[:, 1:] + place[:, :-1]) / 2
        ends = np.full(span.shape, -0.5), span + 0.5
        weight = np.diff(np.concatenate([ends[0], middle, ends[1]], axis=1), axis=1)
        self.row = place.astype(np.int64) + self.first[:, None]
        for a, b in lost.gaps.tolist():
            self._erase(weight, a, b)
        t = time_of(self.row) / 1000
        self.since_first = t - t[:, :1]
        self.seconds = self.since_first[:, -1] + STEP_S
        self.frame: Frame = cycle_frame(life, shifts, part, t)
        self.full = Weights(weight, self.since_first, n)

    def _erase(self, weight: Array, a: int, b: int) -> range:
        """Take rows a to b out of the weights; returns the cycles they belong to."""
        cycles = range(int(np.searchsorted(self.last, a)), int(np.searchsorted(self.first, b)))
        for k in cycles:
            weight[k][(self.row[k] >= a) & (self.row[k] < b)] = 0
        return cycles

    def weights(self, sensor: int) -> Weights:
        """Weights without the readings that a sensor (its place in the catalogue) dropped."""
        drops = self._drops.get(sensor, np.empty((0, 2), np.int64))
        here = drops[(drops[:, 1] > self.first[0]) & (drops[:, 0] <= self.last[-1])]
        if not len(here):
            return self.full
        weight, n = self.full.weight.copy(), self.full.n.copy()
        touched: set[int] = set()
        for a, b in here.tolist():
            for k in self._erase(weight, a, b):
                n[k] -= max(0, min(b, self.last[k] + 1) - max(a, self.first[k]))
                touched.add(k)
        if not touched:
            return self.full
        cycles = np.array(sorted(touched))
        part = Weights(weight[cycles], self.since_first[cycles], np.maximum(n[cycles], 0))
        return self.full.with_cycles(cycles, part)

    @cached_property
    def whole(self) -> Array:
        """Share of a swing of the hunting that a node stands for: alone 0, a whole one 1."""
        return np.clip(self.full.weight * STEP_S / self.frame.c.period, 0, 1)

    @cached_property
    def tail(self) -> Array:
        """Mean of the largest of a standard normal draw for each row.  # (cycles,)"""
        return expected_maximum(self.full.rows)


def expected_maximum(n: Array) -> Array:
    """Mean of the largest of n standard normal draws: Blom (1958), (n - 0.375)/(n + 0.25)."""
    tail = 1 - (n - 0.375) / (n + 0.25)
    # Upper quantile of the normal distribution, Abramowitz and Stegun 26.2.23, error < 4.5e-4
    t = np.sqrt(-2 * np.log(np.minimum(tail, 0.5)))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    return np.asarray(t - above / below)
