"""One sensor's statistics over cycles read at nodes: the truth, and what the sensor does to it.

Noise, rounding and the expansion valve's hunting are not sampled. They enter each statistic by
their mean effect and a draw of the right spread.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.catalogue import Sensor
from simulator.nodes import STEP_S, Nodes, Weights
from simulator.seeds import Array

PHASES = np.sin(2 * np.pi * (np.arange(6) + 0.5) / 6)  # of the hunting
DRAWS = 6  # for mean, std, min, max, first, last
EULER = 0.5772  # mean of a standard Gumbel draw


class Reading:
    """One sensor over some cycles.

    Args:
        sensor: what reads; place: its place in the catalogue; offset: its constant error.
        nodes: the cycles.
        luck: (cycles, DRAWS) standard normal draws.
    """

    def __init__(
        self, sensor: Sensor, place: int, offset: float, nodes: Nodes, luck: Array
    ) -> None:
        self.sensor, self.nodes, self.luck = sensor, nodes, luck
        self.frame = nodes.frame
        self.w: Weights = nodes.weights(place)
        self.value = np.broadcast_to(sensor.reads(self.frame), self.w.weight.shape) + offset
        self.centre = np.einsum("ij,ij->i", self.w.share, self.value)
        self.swing = sensor.hunt * self.frame.c.hunt[:, 0]  # amplitude of the hunting in it
        self.sigma = sensor.noise * (1 + sensor.shaky * self.frame.c.fan[:, 0])
        self.variance = self.sigma**2 + sensor.step**2 / 12 * (sensor.noise > 0)

    def statistics(
        self, names: tuple[str, ...], above: float | None
    ) -> dict[str, npt.NDArray[np.generic]]:
        """The named statistics, each (cycles,); NaN where the sensor has no readings."""
        made: dict[str, npt.NDArray[np.generic]] = {}
        silent = ~self.w.present.any(axis=1)
        for name in names:
            if name == "n":
                made[name] = self.w.n
                continue
            value = self._above(above) if name == "above_s" else getattr(self, f"_{name}")()
            made[name] = np.where(silent, np.nan, value)
        return made

    def _mean(self) -> Array:
        luck = self.luck[:, 0] * np.sqrt(self.variance / self.w.rows)
        return np.asarray(self.centre + self._mean_swing() + luck)

    def _mean_swing(self) -> Array:
        """Mean of the hunting over the cycle: whole swings cancel."""
        if not self.sensor.hunt:
            return self.swing
        c, seconds = self.frame.c, self.nodes.seconds
        turn = 2 * np.pi / c.period[:, 0]
        start = turn * self.frame.since[:, 0] + c.phase[:, 0]
        end = start + turn * seconds
        return np.asarray(self.swing * (np.cos(start) - np.cos(end)) / (turn * seconds))

    def _std(self) -> Array:
        centred = self.value - self.centre[:, None]
        spread = np.einsum("ij,ij->i", self.w.share, centred * centred)
        spread = spread + self.variance + self.swing**2 / 2
        bessel = self.w.rows / np.maximum(self.w.rows - 1, 1)
        luck = self.luck[:, 1] * self.variance / np.maximum(spread, 1e-12)
        return np.asarray(np.sqrt(spread * bessel) * (1 + luck / np.sqrt(2 * self.w.rows)))

    def _slope(self) -> Array:
        made = np.einsum("ij,ij->i", self.w.slope, self.value - self.centre[:, None])
        return np.asarray(made + self.luck[:, 0] * np.sqrt(self.variance / self.w.t_m2))

    def _max(self) -> Array:
        return self._extreme(1.0, self.luck[:, 3])

    def _min(self) -> Array:
        return -self._extreme(-1.0, self.luck[:, 2])

    def _extreme(self, sign: float, luck: Array) -> Array:
        """The largest reading: the largest value, and what the noise of all rows near it adds."""
        top = sign * self.value
        if self.sensor.hunt:
            now = sign * self.sensor.hunt * self.frame.hunting
            top = top + np.maximum(np.abs(self.swing)[:, None] * self.nodes.whole, now)
        best = np.where(self.w.present, top, -np.inf).max(axis=1)
        best = np.where(np.isfinite(best), best, 0.0)
        if not self.sensor.noise:
            return self._rounded(best)
        # Normal tails fall like e^(-tail z) near z = tail: rows below the best count by that much.
        tail = self.nodes.tail
        below = np.minimum((top - best[:, None]) / self.sigma[:, None], 0) * tail[:, None]
        near = np.einsum("ij,ij->i", self.w.share, np.exp(below))
        likely = tail + np.log(np.maximum(near, 1e-9)) / tail
        # The maximum of n draws spreads like a Gumbel variable of scale sigma / sqrt(2 ln n).
        gumbel = -np.log(-np.log(_uniform(luck))) - EULER
        spread = gumbel / np.sqrt(2 * np.log(self.w.rows + 3))
        return self._rounded(best + self.sigma * (likely + spread))

    def _first(self) -> Array:
        return self._single(self.w.present.argmax(axis=1), self.luck[:, 4])

    def _last(self) -> Array:
        nodes = self.value.shape[1]
        return self._single(nodes - 1 - self.w.present[:, ::-1].argmax(axis=1), self.luck[:, 5])

    def _single(self, node: npt.NDArray[np.intp], luck: Array) -> Array:
        cycles = np.arange(len(node))
        hunting = self.sensor.hunt * self.frame.hunting[cycles, node]
        return self._rounded(self.value[cycles, node] + hunting + self.sigma * luck)

    def _rounded(self, value: Array) -> Array:
        return np.asarray(np.rint(value / self.sensor.step) * self.sensor.step)

    def _above(self, level: float | None) -> Array:
        """Seconds above a level: the share of rows above it, over the hunting and the noise."""
        if level is None:
            raise ValueError(f"{self.sensor.name}: above_s needs a level")
        sigma = np.sqrt(np.maximum(self.variance, 1e-12))[:, None]
        # Above is what rounds to the next step. The normal distribution is taken as a ramp.
        over = 0.5 + 0.3 * (self.value - level - self.sensor.step / 2) / sigma
        swing = 0.3 * self.swing[:, None] / sigma * self.nodes.whole
        over = over + 0.3 * self.sensor.hunt * self.frame.hunting / sigma * (1 - self.nodes.whole)
        share = np.zeros_like(self.value)
        for phase in PHASES:
            share += np.clip(over + swing * phase, 0, 1)
        return np.asarray(np.einsum("ij,ij->i", self.w.weight, share) / len(PHASES) * STEP_S)


def _uniform(z: Array) -> Array:
    """From normal draws to uniform ones, kept off 0 and 1."""
    share = 0.5 * (1 + np.tanh(0.79788456 * z * (1 + 0.044715 * z * z)))
    return np.asarray(np.clip(share, 1e-6, 1 - 1e-6))
