"""Labels: is there a fault within the horizon after a cycle? And lives: a repaired unit begins anew."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

UNKNOWN = -1
"""The record ends before the horizon does, and until then nothing failed."""


def label(
    times: npt.NDArray[np.float64],
    faults: npt.NDArray[np.float64],
    horizon: float,
    known_until: float,
) -> npt.NDArray[np.int8]:
    """Label the cycles of one unit.

    Args:
        times: (cycles,) when each ended: days, or cycles.
        faults: when the unit failed, in the same measure, in any order.
        horizon: how far ahead a fault counts.
        known_until: until when all faults are known.

    Returns:
        (cycles,): 1 a fault within the horizon (or at the very cycle), 0 none, -1 not known yet.
    """
    ordered = np.append(np.sort(faults), np.inf)
    wait = ordered[np.searchsorted(ordered, times, side="left")] - times
    out = np.where(wait <= horizon, 1, np.where(times + horizon <= known_until, 0, UNKNOWN))
    return out.astype(np.int8)


def time_to_fault(
    times: npt.NDArray[np.float64], faults: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """How long after each cycle the next fault comes; infinite where none is known."""
    ordered = np.append(np.sort(faults), np.inf)
    return np.asarray(ordered[np.searchsorted(ordered, times, side="left")] - times)


def lives(times: npt.NDArray[np.float64], faults: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Where each life of a unit begins: at its first cycle, and at the first after each fault.

    What a unit did before it was repaired says nothing of how it is now, so no window, mean or
    comparison reaches back over a fault.

    Args:
        times: (cycles,) when each ended, ascending.
        faults: when the unit failed, in the same measure.

    Returns:
        (lives,) numbers of cycles, ascending from 0; lives without a cycle are left out.
    """
    after = np.searchsorted(times, faults, side="right")
    begins = np.append(after[after < len(times)], 0)
    return np.asarray(np.unique(begins), np.int64)
