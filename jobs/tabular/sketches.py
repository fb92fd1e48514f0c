"""Distributions in few numbers, and how far two of them are apart.

The distances are those of deequ, on which Model Monitor is built: ``com.amazon.deequ.analyzers.Distance``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from signalbox.contracts.monitor import Bucket, Kll, Parameters, Sketch

Floats = npt.NDArray[np.float64]
SIZE = 2048
SHRINKING = 2 / 3
"""Fixed in the library. Source: Apache DataSketches, "KLL Sketch"."""
BUCKETS = 10
C_ALPHA = 1.8
"""c(α) of α = 0.003. Source: Knuth, The Art of Computer Programming 2, 3.3.1, equation 15."""
FEW, FEW_OF_TWO, SHARE_OF_FEW = 5, 10, 0.2
"""Expected counts that chi-squared needs: 5, of two categories 10; a fifth of them may be lower."""


def sketched(values: Floats) -> Kll:
    """A KLL sketch of finite numbers, and ten equal buckets counted with it.

    Up to some thousand values it holds them all; beyond, ranks are within about a thousandth.
    """
    from datasketches import kll_doubles_sketch

    sketch = kll_doubles_sketch(SIZE)
    sketch.update(values)
    levels: dict[int, list[float]] = {}
    for value, weight in sketch:
        levels.setdefault(int(weight).bit_length() - 1, []).append(float(value))
    data = [sorted(levels.get(level, [])) for level in range(max(levels) + 1)]
    held = Sketch(parameters=Parameters(c=SHRINKING, k=float(SIZE)), data=data)
    low, high = float(values.min()), float(values.max())
    if low == high:
        return Kll(
            buckets=[Bucket(lower_bound=low, upper_bound=high, count=len(values))], sketch=held
        )
    bounds = np.linspace(low, high, BUCKETS + 1)
    shares = np.asarray(sketch.get_pmf(bounds[1:-1]))
    return Kll(
        buckets=[
            Bucket(lower_bound=a, upper_bound=b, count=round(share * len(values)))
            for a, b, share in zip(bounds[:-1], bounds[1:], shares, strict=True)
        ],
        sketch=held,
    )


def numerical_distance(now: Sketch, before: Sketch, method: str) -> float:
    """Largest difference of two distribution functions; ``Robust`` takes off what chance explains."""
    values, weights = _points(now)
    others, their_weights = _points(before)
    n, m = float(weights.sum()), float(their_weights.sum())
    places = np.union1d(values, others)
    mine = _below(values, weights, places) / n
    theirs = _below(others, their_weights, places) / m
    return _judged(float(np.abs(mine - theirs).max()), n, m, method)


def categorical_distance(now: Mapping[str, int], before: Mapping[str, int], method: str) -> float:
    """Largest difference of two shares, less what chance explains."""
    n, m = float(sum(now.values())), float(sum(before.values()))
    apart = max(abs(now.get(key, 0) / n - before.get(key, 0) / m) for key in {*now, *before})
    return _judged(apart, n, m, method)


def chi_squared(now: Mapping[str, int], before: Mapping[str, int]) -> float | None:
    """The p-value of counts, if shares were as before; None where there is too little to say.

    Categories unknown before are another check's business; small ones are put together until the test holds.
    """
    from scipy.stats import chisquare

    known = sum(count for key, count in now.items() if key in before)
    whole = sum(before.values())
    groups = [
        [count / whole * known, float(now.get(key, 0))]
        for key, count in sorted(before.items()) if count
    ]  # fmt: skip
    while len(groups) >= 2 and _too_few([expected for expected, _ in groups]):
        groups.sort()
        smallest = groups.pop(0)
        groups[0] = [groups[0][0] + smallest[0], groups[0][1] + smallest[1]]
    if len(groups) < 2:
        return None
    return float(chisquare([seen for _, seen in groups], [wanted for wanted, _ in groups]).pvalue)


def _too_few(expected: Sequence[float]) -> bool:
    if len(expected) == 2:
        return min(expected) < FEW_OF_TWO
    return sum(each < FEW for each in expected) > int(SHARE_OF_FEW * len(expected))


def _judged(apart: float, n: float, m: float, method: str) -> float:
    if method == "Simple":
        return apart
    return max(0.0, apart - C_ALPHA * float(np.sqrt((n + m) / (n * m))))


def _points(sketch: Sketch) -> tuple[Floats, Floats]:
    values = np.concatenate([np.asarray(level, np.float64) for level in sketch.data])
    weights = np.concatenate([np.full(len(d), 2.0**k) for k, d in enumerate(sketch.data)])
    order = np.argsort(values, kind="stable")
    return values[order], weights[order]


def _below(values: Floats, weights: Floats, places: Floats) -> Floats:
    """Weight of the values up to each place."""
    sums = np.append(0.0, np.cumsum(weights))
    found: Floats = sums[np.searchsorted(values, places, side="right")]
    return found
