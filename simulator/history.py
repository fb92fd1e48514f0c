"""Cycle features of long spans without making the rows.

The signal model is the one of the raw days: each cycle is read at a few of its rows, its first ones and
then ever fewer, each standing for the rows around it. Noise, rounding and the valve's hunting enter by
what they do to each statistic on average, plus a draw of the right spread.

How close it is to the kernel run over the raw days of the same fleet (held by a test): the same
cycles, start, end and rows exactly but for rows lost at their edges, ``n`` to a row in a thousand; the other
statistics as far as two recordings with different noise agree.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulator.catalogue import BY_NAME, SENSORS, Sensor
from simulator.climate import DAY_S
from simulator.conditions import Life
from simulator.frame import Frame, cycle_frame
from simulator.plant import Transients
from simulator.recording import MS_1970, sensor_offsets
from simulator.rows import STEP_MS, Whole, losses, row_at, time_of
from simulator.seeds import Array, generator
from simulator.selection import Selection, Wanted

NODES = 24
FIRST_NODES = 6  # the rows of the start are all read: it is over in seconds
CHUNK = 1024  # cycles at a time, so that arrays stay in the cache
STEP_S = STEP_MS / 1000
PHASES = np.sin(2 * np.pi * (np.arange(6) + 0.5) / 6)  # of the hunting
NOISE_DRAWS = 6  # per sensor and cycle: mean, std, min, max, first, last


class _Lost:
    """Gaps and drop-outs of the whole span, by the rows they take."""

    def __init__(self, seed: int, number: int, first_day: int, days: int) -> None:
        found = [losses(seed, number, first_day, day) for day in range(days)]
        gaps = np.concatenate([day.gaps for day in found])
        drops = np.concatenate([day.drops for day in found])
        self.gap_from, self.gap_to = row_at(gaps[:, 0]), row_at(gaps[:, 1])
        self.drops = {
            int(k): np.stack([row_at(drops[drops[:, 0] == k, c]) for c in (1, 2)], axis=1)
            for k in np.unique(drops[:, 0])
        }


def history(
    seed: int, life: Life, shifts: Transients, first_day: int, days: int, selection: Selection
) -> pa.Table:
    """All cycles of a unit; see :meth:`simulator.fleet.Fleet.cycle_history`."""
    lost = _Lost(seed, life.unit.number, first_day, days)
    first, last, rows = _extent(life, lost)
    zero = (first_day * DAY_S * 1000 - MS_1970) * 1_000_000
    start, end = time_of(first), time_of(last)
    columns: dict[str, pa.Array] = {
        "unit": pa.array([life.unit.name] * len(rows), pa.string()),
        "cycle_start": pa.array(start * 1_000_000 + zero, pa.timestamp("ns", tz="UTC")),
        "cycle_end": pa.array(end * 1_000_000 + zero, pa.timestamp("ns", tz="UTC")),
        "duration_s": pa.array((end - start) / 1000),
        "rows": pa.array(rows, pa.int64()),
    }
    offsets = sensor_offsets(seed, life.unit.number)
    places = [SENSORS.index(BY_NAME[wanted.sensor]) for wanted in selection]
    luck = [
        generator(seed, "history", life.unit.number, k).standard_normal((len(rows), NOISE_DRAWS))
        for k in places
    ]
    parts: dict[str, list[npt.NDArray[np.generic]]] = {}
    for a in range(0, len(rows), CHUNK):
        part = slice(a, min(a + CHUNK, len(rows)))
        nodes = _Nodes(life, shifts, part, first[part], last[part], lost)
        for wanted, k, drawn in zip(selection, places, luck, strict=True):
            for name, values in nodes.measure(wanted, k, float(offsets[k]), drawn[part]).items():
                parts.setdefault(f"{wanted.sensor}__{name}", []).append(values)
    for wanted in selection:
        for name in wanted.statistics:
            kind = pa.int64() if name == "n" else pa.float64()
            made = parts.get(f"{wanted.sensor}__{name}")
            values = np.concatenate(made) if made else np.empty(0)
            columns[f"{wanted.sensor}__{name}"] = pa.array(values, kind, from_pandas=True)
    return pa.table(columns)


def _extent(life: Life, lost: _Lost) -> tuple[Whole, Whole, Whole]:
    """First and last row of each cycle, and how many it has; rows in a gap are not there."""
    c = life.cycles
    first = row_at(np.rint(c.start * 1000).astype(np.int64))
    last = row_at(np.rint(c.end * 1000).astype(np.int64)) - 1
    missing = np.zeros(len(first), np.int64)
    for a, b in zip(lost.gap_from.tolist(), lost.gap_to.tolist(), strict=True):
        k = int(np.searchsorted(first, b)) - 1  # the last cycle that starts before the gap ends
        if k >= 0 and last[k] >= a:
            if first[k] >= a:
                first[k] = b
            elif last[k] < b:
                last[k] = a - 1
            else:
                missing[k] += b - a
    return first, last, last - first + 1 - missing


class _Nodes:
    """Some cycles at their nodes, and the statistics of a sensor over them.  # (cycles, nodes)"""

    def __init__(
        self, life: Life, shifts: Transients, part: slice, first: Whole, last: Whole, lost: _Lost
    ) -> None:
        self.lost = lost
        span = (last - first)[:, None]
        rise = np.expm1(np.linspace(0, 3.2, NODES)) / np.expm1(3.2)
        self.row = np.maximum(np.rint(span * rise), np.minimum(np.arange(NODES), span)).astype(np.int64)
        middle = (self.row[:, 1:] + self.row[:, :-1]) / 2
        edges = np.concatenate([np.full_like(span, -0.5, float), middle, span + 0.5], axis=1)
        self.row += first[:, None]
        self.weight = np.diff(edges, axis=1)  # rows that each node stands for
        for a, b in zip(lost.gap_from.tolist(), lost.gap_to.tolist(), strict=True):
            k = int(np.searchsorted(first, b)) - 1
            if k >= 0 and last[k] >= a:
                self.weight[k][(self.row[k] >= a) & (self.row[k] < b)] = 0
        self.first, self.last = first, last
        t = time_of(self.row) / 1000
        self.since_first = t - t[:, :1]
        self.frame: Frame = cycle_frame(life, shifts, part, t)
        self.full = _Weights(self.weight, self.since_first)
        self.runs_s = (t[:, -1] - t[:, 0]) + STEP_S

    def measure(
        self, wanted: Wanted, k: int, offset: float, luck: Array
    ) -> dict[str, npt.NDArray[np.generic]]:
        """The wanted statistics of one sensor, each (cycles,); NaN where it has no readings."""
        sensor, frame = SENSORS[k], self.frame
        value = np.broadcast_to(sensor.reads(frame), self.weight.shape) + offset
        weights, dropped = self._weights(k)
        reading = _Reading(sensor, frame, value, weights, luck, self.runs_s, self.full.tail)
        made = {name: reading.statistic(name, wanted.above) for name in wanted.statistics}
        if dropped:
            empty = weights.rows < 1
            for name, values in made.items():
                if name != "n":
                    values[empty] = np.nan
        return made

    def _weights(self, k: int) -> tuple[_Weights, bool]:
        """Weights without the rows that sensor ``k`` dropped, and whether there were any."""
        drops = self.lost.drops.get(k)
        if drops is None:
            return self.full, False
        low = np.searchsorted(self.last, drops[:, 0])
        high = np.searchsorted(self.first, drops[:, 1])
        hit = np.flatnonzero(high > low)
        if not len(hit):
            return self.full, False
        weight = self.weight.copy()
        touched: set[int] = set()
        for (a, b), *cycles in zip(drops[hit].tolist(), low[hit].tolist(), high[hit].tolist(), strict=True):
            for cycle in range(*cycles):
                weight[cycle][(self.row[cycle] >= a) & (self.row[cycle] < b)] = 0
                touched.add(cycle)
        cycles = np.array(sorted(touched))
        return self.full.with_rows(cycles, _Weights(weight[cycles], self.since_first[cycles])), True


class _Weights:
    """What the statistics need of the nodes' times and of the rows they stand for."""

    FIELDS = ("weight", "rows", "share", "safe", "t_m2", "slope", "present")

    def __init__(self, weight: Array, t: Array) -> None:
        self.weight = weight
        self.rows = weight.sum(axis=1)
        self.safe = np.maximum(self.rows, 1)
        self.share = weight / self.safe[:, None]
        centred = t - np.einsum("ij,ij->i", self.share, t)[:, None]
        self.t_m2 = np.maximum(np.einsum("ij,ij->i", weight, centred * centred), 1e-9)
        self.slope = weight * centred / self.t_m2[:, None]
        self.present = weight > 0

    def with_rows(self, cycles: npt.NDArray[np.int64], other: _Weights) -> _Weights:
        """The same, with those of some cycles from another."""
        out = object.__new__(_Weights)
        for name in self.FIELDS:
            mixed = getattr(self, name).copy()
            mixed[cycles] = getattr(other, name)
            setattr(out, name, mixed)
        return out

    @cached_property
    def tail(self) -> Array:
        """What noise is likely to add to the largest of each node's rows, in standard deviations."""
        return _expected_maximum(np.maximum(self.weight, 1.0))


class _Reading:
    """One sensor over some cycles: true values at the nodes, and what noise adds to each statistic."""

    def __init__(
        self,
        sensor: Sensor,
        frame: Frame,
        value: Array,
        weights: _Weights,
        luck: Array,
        runs_s: Array,
        tail: Array,
    ) -> None:
        self.sensor, self.frame, self.value, self.w, self.luck = sensor, frame, value, weights, luck
        self.tail = tail
        c = frame.c
        self.swing = sensor.hunt * c.hunt[:, 0]  # amplitude of the hunting as this sensor feels it
        self.sigma = sensor.noise * (1 + sensor.shaky * c.fan[:, 0])
        self.runs_s = runs_s
        self.mean = np.einsum("ij,ij->i", weights.share, value)
        self.var_noise = self.sigma**2 + sensor.step**2 / 12 * (sensor.noise > 0)

    def statistic(self, name: str, above: float | None) -> npt.NDArray[np.generic]:
        """One statistic, (cycles,)."""
        if name == "n":
            return np.rint(self.w.rows).astype(np.int64)
        if name == "above_s":
            return self._above(0.0 if above is None else above)
        return getattr(self, f"_{name}")()  # type: ignore[no-any-return]

    def _mean(self) -> Array:
        return self.mean + self._hunted_mean() + self.luck[:, 0] * np.sqrt(self.var_noise / self.w.safe)

    def _hunted_mean(self) -> Array:
        """Mean of the hunting over the cycle: whole swings cancel."""
        if not self.sensor.hunt:
            return self.swing
        c = self.frame.c
        turn = 2 * np.pi / c.period[:, 0]
        first, phase = self.frame.since[:, 0], c.phase[:, 0]
        a, b = turn * first + phase, turn * (first + self.runs_s) + phase
        return np.asarray(self.swing * (np.cos(a) - np.cos(b)) / (turn * self.runs_s))

    def _std(self) -> Array:
        centred = self.value - self.mean[:, None]
        spread = np.einsum("ij,ij->i", self.w.share, centred**2)
        spread = spread + self.var_noise + self.swing**2 / 2
        bessel = self.w.safe / np.maximum(self.w.safe - 1, 1)
        shake = 1 + self.luck[:, 1] * self.var_noise / np.maximum(spread, 1e-12) / np.sqrt(2 * self.w.safe)
        return np.asarray(np.sqrt(spread * bessel) * shake)

    def _slope(self) -> Array:
        made = np.einsum("ij,ij->i", self.w.slope, self.value - self.mean[:, None])
        return np.asarray(made + self.luck[:, 0] * np.sqrt(self.var_noise / self.w.t_m2))

    def _max(self) -> Array:
        return self._extreme(1.0, self.luck[:, 3])

    def _min(self) -> Array:
        return self._extreme(-1.0, self.luck[:, 2])

    def _extreme(self, sign: float, luck: Array) -> Array:
        """The largest of each node's value plus the largest its rows' noise is likely to add."""
        tail = self.tail * self.sigma[:, None]
        swing = np.abs(self.swing)[:, None] * np.clip(
            self.w.weight * STEP_S / self.frame.c.period, 0, 1
        )
        hunting = sign * self.sensor.hunt * self.frame.hunting
        swing = np.maximum(swing, hunting)
        candidates = np.where(self.w.present, sign * self.value + swing + tail, -np.inf)
        top = candidates.max(axis=1)
        # Gumbel spread of the maximum of n draws: about sigma / sqrt(2 ln n)
        gumbel = -np.log(-np.log(_uniform(luck))) - 0.5772
        top = top + self.sigma * gumbel / np.sqrt(2 * np.log(self.w.safe + 3))
        return sign * self._rounded(np.where(np.isfinite(top), top, 0.0) * 1.0)

    def _rounded(self, value: Array) -> Array:
        return np.asarray(np.rint(value / self.sensor.step) * self.sensor.step)

    def _first(self) -> Array:
        return self._single(self.w.present.argmax(axis=1), self.luck[:, 4])

    def _last(self) -> Array:
        nodes = self.value.shape[1]
        return self._single(nodes - 1 - self.w.present[:, ::-1].argmax(axis=1), self.luck[:, 5])

    def _single(self, node: npt.NDArray[np.intp], luck: Array) -> Array:
        cycles = np.arange(len(node))
        hunting = self.sensor.hunt * self.frame.hunting[cycles, node]
        return self._rounded(self.value[cycles, node] + hunting + self.sigma * luck)

    def _above(self, level: float) -> Array:
        """Seconds above a level: the share of rows above it, over phases of the hunting and noise."""
        sigma = np.sqrt(np.maximum(self.var_noise, 1e-12))[:, None]
        over = 0.5 + 0.3 * (self.value - level) / sigma  # the normal distribution as a ramp
        swing = 0.3 * self.swing[:, None] / sigma
        share = np.zeros_like(self.value)
        for phase in PHASES:
            share += np.clip(over + swing * phase, 0, 1)
        return np.asarray(np.einsum("ij,ij->i", self.w.weight, share) / len(PHASES) * STEP_S)


def _expected_maximum(n: Array) -> Array:
    """Mean of the largest of n standard normal draws (Blom 1958: the quantile at (n - 0.375)/(n + 0.25))."""
    tail = 1 - (n - 0.375) / (n + 0.25)
    # Quantile of the upper tail, Abramowitz and Stegun 26.2.23, error below 4.5e-4
    t = np.sqrt(-2 * np.log(np.minimum(tail, 0.5)))
    return np.asarray(
        t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    )


def _uniform(luck: Array) -> Array:
    """From normal draws to uniform ones, kept off 0 and 1."""
    z = luck
    return np.asarray(np.clip(0.5 * (1 + np.tanh(0.79788456 * z * (1 + 0.044715 * z * z))), 1e-6, 1 - 1e-6))
