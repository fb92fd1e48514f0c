"""Features across cycles: a unit against the fleet under like conditions, and against its own past.

Every feature of a cycle is made from that cycle and earlier ones of the same unit, never from later
ones, so a history may end anywhere and its features up to there are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.errors import BadHistory

Array = npt.NDArray[np.float64]
KINDS = ("level", "own", "before")
AGE = "age"
TAIL = 0.5  # per cent of the fleet's healthy readings beyond which a reading is taken for the limit
FITTED = 200_000  # cycles are plenty for lines in a handful of conditions


@dataclass(frozen=True)
class Past:
    """How columns become features, with what the training units taught.

    Attributes:
        columns: cycle features in, in order.
        compare: of :data:`KINDS`, in the order of the features.
        reference, smooth, lag: in cycles; see the workload's ``prediction.baseline``.
        age: whether the logarithm of the number of cycles so far is the last feature.
        conditions, mode: columns that explain others.
        usual, low, high: (columns,) medians and limits.
        centre, spread: (conditions,).
        coefficients: (terms, columns); of each mode in turn the constant, the conditions, their
            squares and products.
        deviation: (columns,) what a healthy unit strays from its own usual, one standard deviation.
    """

    columns: tuple[str, ...]
    compare: tuple[str, ...]
    reference: int
    smooth: int
    lag: int
    age: bool
    conditions: tuple[str, ...]
    mode: str | None
    usual: Array
    low: Array
    high: Array
    centre: Array
    spread: Array
    coefficients: Array
    deviation: Array

    @property
    def names(self) -> list[str]:
        """The features: ``<column>`` for its level, ``<column>~own``, ``<column>~before``, ``age``."""
        suffix = {"level": "", "own": "~own", "before": "~before"}
        named = [f"{column}{suffix[kind]}" for kind in self.compare for column in self.columns]
        return named + ([AGE] if self.age else [])

    def features(self, values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """Features of one unit's cycles.

        Args:
            values: (cycles, columns) in order of time; NaN where there was no reading.

        Returns:
            (cycles, features), finite throughout.
        """
        level = self.adjusted(self.filled(values))
        told = {"level": level, "own": level, "before": level}
        if "own" in self.compare or "before" in self.compare:
            smooth = running_mean(level, self.smooth)
            told["own"] = smooth - self.own_usual(level)
            told["before"] = smooth - lagged(smooth, self.lag)
        parts = [told[kind] for kind in self.compare]
        if self.age:
            parts.append(np.log(np.arange(1.0, len(level) + 1))[:, None])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def of_lives(
        self, values: npt.NDArray[np.floating[Any]], begins: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Features of a unit that was repaired: each of its lives by itself.

        Args:
            values: (cycles, columns) of all its lives.
            begins: (lives,) where each begins, see :func:`cycles.history.lives`.
        """
        return np.concatenate([self.features(part) for part in np.split(values, begins[1:])])

    def moved(self, values: npt.NDArray[np.floating[Any]]) -> tuple[Array, Array, Array]:
        """How far a unit is from its own usual at its last cycle.

        Returns:
            (columns,) each: now and usual in the column's own unit, less what the conditions explain
            and plus the fleet's median; and the distance in standard deviations of healthy units.
        """
        level = self.adjusted(self.filled(values))
        now, usual = running_mean(level, self.smooth)[-1], self.own_usual(level)[-1]
        return now + self.usual, usual + self.usual, (now - usual) / self.deviation

    def filled(self, values: npt.NDArray[np.floating[Any]]) -> Array:
        """Readings with gaps closed by the unit's last one, else the fleet's median; within limits."""
        wide = np.asarray(values, np.float64)
        known = np.isfinite(wide)
        last = np.where(known, np.arange(len(wide))[:, None], -1)
        np.maximum.accumulate(last, axis=0, out=last)
        held = np.take_along_axis(wide, np.maximum(last, 0), axis=0)
        return np.asarray(np.clip(np.where(last >= 0, held, self.usual), self.low, self.high))

    def adjusted(self, filled: Array) -> Array:
        """What conditions leave unexplained, (cycles, columns)."""
        if not len(self.coefficients):
            return filled - self.usual
        return np.asarray(filled - self.terms(filled) @ self.coefficients)

    def own_usual(self, level: Array) -> Array:
        """Mean over a unit's first cycles, those so far where it has not had enough."""
        first = running_mean(level[: self.reference], self.reference)
        return np.asarray(first[np.minimum(np.arange(len(level)), len(first) - 1)])

    def terms(self, filled: Array) -> Array:
        """What the conditions are taken for, (cycles, terms)."""
        places = [self.columns.index(name) for name in self.conditions]
        z = (filled[:, places] - self.centre) / self.spread  # (cycles, conditions)
        pairs = [z[:, i] * z[:, j] for i in range(z.shape[1]) for j in range(i, z.shape[1])]
        terms = np.column_stack([np.ones(len(z)), z, *pairs])
        if self.mode is None:
            return terms
        on = filled[:, [self.columns.index(self.mode)]] > 0.5
        return np.concatenate([terms * ~on, terms * on], axis=1)


def fit_past(
    units: Sequence[npt.NDArray[np.floating[Any]]],
    healthy: Sequence[npt.NDArray[np.bool_]],
    columns: Sequence[str],
    baseline: Mapping[str, Any],
) -> Past:
    """Learn from the training units what is usual.

    Args:
        units: (cycles, columns) of each training unit.
        healthy: which of its cycles lie before any fault to come.
        columns: their names.
        baseline: the workload's ``prediction.baseline``.

    Raises:
        BadHistory: conditions or mode are no columns, two features have one name, or there is no
            healthy cycle.
    """
    named = [*baseline["conditions"], *([baseline["mode"]] if baseline["mode"] else [])]
    absent = [name for name in named if name not in columns]
    if absent:
        raise BadHistory("no-such-feature", f"baseline: {', '.join(absent)} is no feature")
    rows = np.concatenate([values[good] for values, good in zip(units, healthy, strict=True)])
    if not len(rows):
        raise BadHistory("no-healthy-cycle", "no training unit has a cycle far from every fault")
    rows = np.asarray(rows[:: max(1, len(rows) // FITTED)], np.float64)
    kept = np.isfinite(rows)
    rows_or = np.where(kept, rows, np.nan)
    silent = [columns[k] for k in np.flatnonzero(~kept.any(0))]
    if silent:
        raise BadHistory("silent-feature", f"no training unit ever reads {', '.join(silent)}")
    usual, low, high = (np.nanpercentile(rows_or, q, axis=0) for q in (50, TAIL, 100 - TAIL))
    places = [list(columns).index(name) for name in baseline["conditions"]]
    filled = np.clip(np.where(kept, rows, usual), low, high)
    past = Past(
        columns=tuple(columns), compare=tuple(baseline["compare"]),
        reference=baseline["reference"], smooth=baseline["smooth"], lag=baseline["lag"],
        age=baseline["age"], conditions=tuple(baseline["conditions"]), mode=baseline["mode"],
        usual=usual, low=low, high=high, centre=filled[:, places].mean(0),
        spread=np.maximum(filled[:, places].std(0), 1e-9), coefficients=np.empty((0, len(columns))),
        deviation=np.ones(len(columns)),
    )  # fmt: skip
    if len(set(past.names)) != len(past.names):
        raise BadHistory("feature-twice", f"two features are of one name: {', '.join(past.names)}")
    if named:
        solved = np.linalg.lstsq(past.terms(filled), filled, rcond=None)[0]
        past = replace(past, coefficients=solved)
    strays = [
        (running_mean(level, past.smooth) - past.own_usual(level))[good]
        for values, good in zip(units, healthy, strict=True)
        if len(values)
        for level in [past.adjusted(past.filled(values))]
    ]
    return replace(past, deviation=np.maximum(np.concatenate(strays).std(0), 1e-9))


def running_mean(values: Array, over: int) -> Array:
    """Mean over the last ``over`` rows, those so far at the beginning; (rows, columns)."""
    total = np.cumsum(values, axis=0)
    count = np.minimum(np.arange(1, len(values) + 1), over)[:, None]
    total[over:] -= total[:-over].copy() if over < len(total) else total[:0]
    return np.asarray(total / count)


def lagged(values: Array, by: int) -> Array:
    """The values ``by`` rows ago, the first where there are not so many; (rows, columns)."""
    return np.asarray(values[np.maximum(np.arange(len(values)) - by, 0)])
