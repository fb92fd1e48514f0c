"""Alerts, not lucky hits: an episode of a unit gets one alert at most, its first.

An episode is a unit's life between two faults. Within it the first prediction at or above the
threshold is the alert, and the episode ends as one of:

    true     a fault came within the horizon after the alert
    late     it came within horizon + grace: counts for effective precision only
    false    it came later still, or never
    missed   a fault, and no alert in time before it (also where the alert was late or false)
    quiet    no fault, no alert

Source: "How Carrier predicts HVAC faults using AWS Glue and Amazon SageMaker" (AWS Machine Learning
Blog, 2023), whose four cases and effective precision these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Case = Literal["true", "late", "false", "missed", "quiet"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Episode:
    """One life of a unit as it was seen: (n,) times and probabilities in order, and its fault, if any."""

    unit: int
    times: Floats
    probabilities: Floats
    fault: float | None


@dataclass(frozen=True)
class Ending:
    """What became of an episode at a threshold; ``lead`` is the time from a true alert to the fault."""

    unit: int
    case: Case
    alert: float | None
    lead: float | None
    failed: bool


@dataclass(frozen=True)
class Table:
    """Counts over episodes, and what follows from them; None where there is nothing to divide by."""

    episodes: int
    failed: int
    alerts: int
    true: int
    late: int
    false: int
    missed: int
    quiet: int
    median_lead: float | None

    @property
    def precision(self) -> float | None:
        """Share of alerts with a fault within the horizon."""
        return self.true / self.alerts if self.alerts else None

    @property
    def effective_precision(self) -> float | None:
        """Share of alerts with a fault within horizon and grace."""
        return (self.true + self.late) / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        """Share of faults with an alert within the horizon before them."""
        return self.true / self.failed if self.failed else None


def episodes(
    units: npt.NDArray[np.int64], times: Floats, probabilities: Floats, faults: Sequence[Floats]
) -> list[Episode]:
    """Cut predictions into episodes.

    Args:
        units: (n,) the unit of each prediction.
        times: (n,) when it was made.
        probabilities: (n,).
        faults: of each unit, by number, when it failed, sorted.

    Returns:
        Episodes with at least one prediction; one of a life whose fault lies beyond its predictions
        is there too.
    """
    found: list[Episode] = []
    for unit in np.unique(units):
        mine = np.flatnonzero(units == unit)
        mine = mine[np.argsort(times[mine], kind="stable")]
        life = np.searchsorted(faults[unit], times[mine], side="left")
        for number in np.unique(life):
            rows = mine[life == number]
            ends = faults[unit]
            fault = float(ends[number]) if number < len(ends) else None
            found.append(Episode(int(unit), times[rows], probabilities[rows], fault))
    return found


def ending(episode: Episode, threshold: float, horizon: float, grace: float) -> Ending:
    """Judge one episode at a threshold."""
    hits = np.flatnonzero(episode.probabilities >= threshold)
    failed = episode.fault is not None
    if not len(hits):
        return Ending(episode.unit, "missed" if failed else "quiet", None, None, failed)
    alert = float(episode.times[hits[0]])
    if episode.fault is None:
        return Ending(episode.unit, "false", alert, None, failed=False)
    lead = episode.fault - alert
    if lead <= horizon:
        return Ending(episode.unit, "true", alert, lead, failed=True)
    case: Case = "late" if lead <= horizon + grace else "false"
    return Ending(episode.unit, case, alert, None, failed=True)


def tabulate(endings: Sequence[Ending]) -> Table:
    """Count endings; a fault whose alert was late or false was missed as well."""
    count = dict.fromkeys(("true", "late", "false", "missed", "quiet"), 0)
    for each in endings:
        count[each.case] += 1
    failed = sum(each.failed for each in endings)
    leads = [each.lead for each in endings if each.lead is not None]
    return Table(
        episodes=len(endings), failed=failed, alerts=count["true"] + count["late"] + count["false"],
        true=count["true"], late=count["late"], false=count["false"],
        missed=failed - count["true"], quiet=count["quiet"],
        median_lead=float(np.median(leads)) if leads else None,
    )  # fmt: skip


def table_at(found: Sequence[Episode], threshold: float, horizon: float, grace: float) -> Table:
    """The table of all episodes at a threshold."""
    return tabulate([ending(each, threshold, horizon, grace) for each in found])


def thresholds_of(found: Sequence[Episode], most: int = 400) -> Floats:
    """Thresholds at which something changes: running maxima of the episodes, ascending."""
    steps = [np.unique(np.maximum.accumulate(each.probabilities)) for each in found]
    every = np.unique(np.concatenate(steps)) if steps else np.empty(0)
    return every if len(every) <= most else every[np.linspace(0, len(every) - 1, most).astype(int)]


def choose_threshold(
    found: Sequence[Episode], horizon: float, grace: float, precision: float, default: float
) -> tuple[float, bool]:
    """Choose on validation episodes: of the thresholds that are right often enough, the best recall.

    Among those that catch equally many faults the middle one is taken, as far from either edge as
    can be. Where none is right often enough, ``default`` stands.

    Returns:
        The threshold, strictly between 0 and 1, and whether a choice was made.
    """
    tried = [(float(t), table_at(found, float(t), horizon, grace)) for t in thresholds_of(found)]
    good = [
        (table.true, t)
        for t, table in tried
        if table.precision is not None and table.precision >= precision and 0 < t < 1
    ]
    if not good:
        return default, False
    most = max(true for true, _ in good)
    alike = sorted(t for true, t in good if true == most)
    return alike[len(alike) // 2], True
