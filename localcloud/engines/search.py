"""Where a tuning job looks next: points of its parameter ranges, by strategy.

Every parameter is a number from 0 to 1 here, spread over its range by its scale; a categorical one
is the place of its value. Random draws points. Grid goes through all values of categorical
parameters. Bayesian is a plain sequential search, not AWS's own: a few random points, then each
time the candidate with the greatest expected improvement under a Gaussian process (one length scale
for all parameters, the objective standardised), among random ones and ones near the best. All are
seeded: the same job looks at the same points.

Citation: "How Hyperparameter Tuning with Amazon SageMaker AI Works" and "Define Hyperparameter
Ranges" of the SageMaker Developer Guide; ContinuousParameterRange of its API Reference.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.wiring import RefusedError

Point = tuple[float, ...]
Seen = Sequence[tuple[Point, float | None]]  # the objective is None while it is not known
_RANDOM_FIRST, _CANDIDATES, _NEAR = 3, 256, 64
_LENGTH, _NOISE, _STEP = 0.3, 1e-6, 0.1
_WIDE = 1000  # Auto takes a logarithmic scale for a range that spans as much


@dataclass(frozen=True)
class Range:
    """The range of one parameter: its name, and its values if it is categorical."""

    name: str
    low: float = 0.0
    high: float = 1.0
    scale: str = "Linear"
    whole: bool = False
    values: tuple[str, ...] = ()

    def text(self, place: float) -> str:
        """The hyperparameter at a place from 0 to 1."""
        if self.values:
            return self.values[min(int(place * len(self.values)), len(self.values) - 1)]
        if self.whole and self.scale == "Linear":  # every number is as likely as the others
            return str(min(int(self.low + place * (self.high - self.low + 1)), int(self.high)))
        value = min(max(self._spread(place), self.low), self.high)
        return str(round(value)) if self.whole else repr(value)

    def _spread(self, place: float) -> float:
        if self.scale == "Logarithmic":
            return self.low * math.pow(self.high / self.low, place)
        if self.scale == "ReverseLogarithmic":
            left = math.pow((1.0 - self.high) / (1.0 - self.low), place)
            return 1.0 - (1.0 - self.low) * left
        return self.low + place * (self.high - self.low)


class Search:
    """Chooses the points of one tuning job.

    Args:
        strategy: Random, Grid or Bayesian.
        ranges: ParameterRanges of the request.
        seed: RandomSeed, or the job's name.

    Raises:
        RefusedError: a range is malformed, or the strategy does not fit them.
    """

    def __init__(self, strategy: str, ranges: Mapping[str, Any], seed: str) -> None:
        self.ranges = tuple(_ranges(ranges))
        if not self.ranges:
            raise RefusedError("a tuning job needs at least one parameter range")
        if len({each.name for each in self.ranges}) < len(self.ranges):
            raise RefusedError("a parameter has two ranges")
        self._strategy = strategy
        self._random = random.Random(seed)  # noqa: S311 - a search, no secret
        self._grid: Iterator[Point] = iter(())
        if strategy == "Grid":
            if not all(each.values for each in self.ranges):
                raise RefusedError("strategy Grid takes categorical parameters only")
            self._grid = itertools.product(*(_places(each) for each in self.ranges))

    @property
    def size(self) -> int | None:
        """How many points there are; None if there is no end of them."""
        if self._strategy != "Grid":
            return None
        return math.prod(len(each.values) for each in self.ranges)

    def next(self, seen: Seen, *, maximize: bool) -> Point:
        """The next point, given those that were looked at and what was found there."""
        if self._strategy == "Grid":
            return next(self._grid)
        known = [(point, value) for point, value in seen if value is not None]
        if self._strategy == "Random" or len(known) < _RANDOM_FIRST:
            return self._drawn()
        gains = [value if maximize else -value for _, value in known]
        best = known[gains.index(max(gains))][0]
        candidates = [self._drawn() for _ in range(_CANDIDATES)]
        candidates += [self._near(best) for _ in range(_NEAR)]
        model = _Process([point for point, _ in known], gains, self.ranges)
        pending = {point for point, value in seen if value is None}
        return max(
            (each for each in candidates if each not in pending), key=model.expected_improvement
        )

    def hyperparameters(self, point: Point) -> dict[str, str]:
        """A point as a training job takes it."""
        pairs = zip(self.ranges, point, strict=True)
        return {each.name: each.text(place) for each, place in pairs}

    def _drawn(self) -> Point:
        return tuple(self._random.random() for _ in self.ranges)

    def _near(self, point: Point) -> Point:
        moved = (each + self._random.gauss(0.0, _STEP) for each in point)
        return tuple(min(max(each, 0.0), 1.0) for each in moved)


class _Process:
    """A Gaussian process through what was found."""

    def __init__(self, points: list[Point], gains: list[float], ranges: tuple[Range, ...]) -> None:
        self._points, self._ranges = points, ranges
        self._mean = sum(gains) / len(gains)
        spread = math.sqrt(sum((each - self._mean) ** 2 for each in gains) / len(gains))
        self._spread = spread or 1.0
        targets = [(each - self._mean) / self._spread for each in gains]
        self._best = max(targets)
        rows = [[self._like(one, two) for two in points] for one in points]
        self._lower = _cholesky(rows)
        self._weights = _backward(self._lower, _forward(self._lower, targets))

    def expected_improvement(self, point: Point) -> float:
        """How much better than the best a point is expected to be."""
        near = [self._like(point, each) for each in self._points]
        mean = sum(a * b for a, b in zip(near, self._weights, strict=True))
        solved = _forward(self._lower, near)
        deviation = math.sqrt(max(1.0 - sum(each * each for each in solved), 1e-12))
        above = (mean - self._best) / deviation
        density = math.exp(-above * above / 2.0) / math.sqrt(2.0 * math.pi)
        return deviation * (above * (1.0 + math.erf(above / math.sqrt(2.0))) / 2.0 + density)

    def _like(self, one: Point, two: Point) -> float:
        square = 0.0
        for each, a, b in zip(self._ranges, one, two, strict=True):
            square += float(each.text(a) != each.text(b)) if each.values else (a - b) ** 2
        return math.exp(-square / (2.0 * _LENGTH**2))


def _cholesky(rows: list[list[float]]) -> list[list[float]]:
    size = len(rows)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = rows[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(max(rest + _NOISE, _NOISE)) if i == j else rest / lower[j][j]
    return lower


def _forward(lower: list[list[float]], right: list[float]) -> list[float]:
    found: list[float] = []
    for i, row in enumerate(lower):
        found.append((right[i] - sum(row[k] * found[k] for k in range(i))) / row[i])
    return found


def _backward(lower: list[list[float]], right: list[float]) -> list[float]:
    size = len(right)
    found = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(lower[k][i] * found[k] for k in range(i + 1, size))
        found[i] = (right[i] - rest) / lower[i][i]
    return found


def _places(given: Range) -> list[float]:
    count = len(given.values)
    return [(place + 0.5) / count for place in range(count)]


def _ranges(given: Mapping[str, Any]) -> Iterator[Range]:
    if given.get("AutoParameters"):
        raise RefusedError("AutoParameters is not supported by the local cloud")
    for each in given.get("CategoricalParameterRanges") or []:
        yield Range(str(each["Name"]), values=tuple(each["Values"]))
    for kind in ("ContinuousParameterRanges", "IntegerParameterRanges"):
        for each in given.get(kind) or []:
            yield _numeric(each, whole=kind.startswith("Integer"))


def _numeric(given: Mapping[str, Any], *, whole: bool) -> Range:
    name, read = str(given["Name"]), int if whole else float
    try:
        low, high = float(read(given["MinValue"])), float(read(given["MaxValue"]))
    except ValueError as error:
        raise RefusedError(f"parameter range {name}: {error}") from error
    scale = str(given.get("ScalingType") or "Auto")
    if scale == "Auto":
        scale = "Logarithmic" if low > 0 and high / low >= _WIDE else "Linear"
    fits = {"Logarithmic": low > 0, "ReverseLogarithmic": 0 <= low <= high < 1}
    if not low <= high or not math.isfinite(high - low) or not fits.get(scale, True):
        raise RefusedError(f"parameter range {name}: {low:g} to {high:g} is no {scale} range")
    return Range(name, low, high, scale, whole)
