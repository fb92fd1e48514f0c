"""Faults that grow over weeks to months, end in a lockout, and are repaired some days later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from simulator.climate import DAY_S
from simulator.seeds import Array, generator

KINDS = (
    "refrigerant_leak",
    "fouled_condenser",
    "weak_capacitor",
    "failing_fan",
    "sticking_valve",
)
SHARES = (0.28, 0.22, 0.2, 0.15, 0.15)
GROWTH_DAYS = {
    "refrigerant_leak": (40, 150),
    "fouled_condenser": (60, 180),
    "weak_capacitor": (30, 120),
    "failing_fan": (20, 90),
    "sticking_valve": (25, 100),
}
GRID_S = 600  # lockouts and repairs fall on the thermostat's ten-minute grid
BURN_IN_DAYS = 400  # long enough that some units are already wearing on the first day


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one unit; times are seconds since the fleet's start, and may lie before it.

    Attributes:
        kind: one of :data:`KINDS`.
        started: nothing to see yet; failed: the unit locks out; repaired: as new.
        shape: exponent of the growth, above 1 slow first; reach: how far it gets till lockout.
    """

    kind: str
    started: float
    failed: float
    repaired: float
    shape: float
    reach: float

    def severity(self, t: Array) -> Array:
        """0 before the start and after the repair, growing to ``reach`` at the failure."""
        grown = np.clip((t - self.started) / (self.failed - self.started), 0, 1) ** self.shape
        return np.where(t < self.repaired, self.reach * grown, 0.0)


def draw_faults(seed: int, number: int, days: int, faults_per_year: float) -> tuple[Fault, ...]:
    """The faults of unit ``number`` that touch the span, in time order, never two at a time."""
    if faults_per_year <= 0:
        return ()
    rng = generator(seed, "faults", number)
    mean_growth = float(np.mean([(a + b) / 2 for a, b in GROWTH_DAYS.values()]))
    healthy = max(10.0, 365 / faults_per_year - mean_growth - 3)
    found: list[Fault] = []
    t = -float(BURN_IN_DAYS * DAY_S)
    while t < days * DAY_S:
        kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
        wait, growth = rng.exponential(healthy), rng.uniform(*GROWTH_DAYS[kind])
        repair, shape, reach = rng.uniform(0.3, 4), rng.uniform(1.2, 2.4), rng.uniform(0.6, 1)
        started = _on_grid(t + wait * DAY_S)
        failed = _on_grid(started + growth * DAY_S)
        t = _on_grid(failed + repair * DAY_S)
        found.append(Fault(kind, started, failed, t, shape, reach))
    return tuple(f for f in found if f.repaired > 0 and f.started < days * DAY_S)


def _on_grid(t: float) -> float:
    return float(np.ceil(t / GRID_S) * GRID_S)


def severities(faults: Sequence[Fault], t: Array) -> dict[str, Array]:
    """How far each kind of fault has grown at times ``t``: kind -> (times,) 0..1."""
    out = {kind: np.zeros_like(t) for kind in KINDS}
    for fault in faults:
        out[fault.kind] = np.maximum(out[fault.kind], fault.severity(t))
    return out


def locked_out(
    faults: Sequence[Fault], t: Array
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether the unit stands still at times ``t``, failed and not yet repaired."""
    out = np.zeros(t.shape, dtype=bool)
    for fault in faults:
        out |= (t >= fault.failed) & (t < fault.repaired)
    return out


def fault_log(start: date, days: int, faults: dict[str, tuple[Fault, ...]]) -> pa.Table:
    """What a service department knows at the end of the span: the faults that locked a unit out.

    Columns unit, fault, started, failed_at, repaired_at (timestamp[ms, UTC]); a repair to come is
    null. ``started`` may lie before the fleet's first day.
    """
    zero = datetime(start.year, start.month, start.day, tzinfo=UTC)
    end = days * DAY_S
    rows = [
        (unit, fault.kind, fault.started, fault.failed, fault.repaired)
        for unit, known in faults.items()
        for fault in known
        if 0 <= fault.failed < end
    ]

    def moments(k: int) -> pa.Array:
        values = [zero + timedelta(seconds=float(row[k])) for row in rows]
        kept = [
            v if k != 4 or float(row[4]) < end else None
            for v, row in zip(values, rows, strict=True)
        ]
        return pa.array(kept, pa.timestamp("ms", tz="UTC"))

    return pa.table(
        {
            "unit": pa.array([row[0] for row in rows], pa.string()),
            "fault": pa.array([row[1] for row in rows], pa.string()),
            "started": moments(2),
            "failed_at": moments(3),
            "repaired_at": moments(4),
        }
    )
