"""The rows of a recording: one every 972 ms from each midnight (UTC), some of them missing.

88,889 rows x 90 sensors make 8 million readings a unit and day. Rows are numbered through the span,
so that both paths count them without making them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.catalogue import SENSORS
from simulator.climate import DAY_S
from simulator.seeds import generator

STEP_MS = 972
DAY_MS = DAY_S * 1000
ROWS_A_DAY = -(-DAY_MS // STEP_MS)  # 88,889
DROPPABLE = tuple(k for k, sensor in enumerate(SENSORS) if sensor.drops)
GAP_CHANCE = 0.3  # of a recording gap in each half of a day
GAP_S = (10, 200)
DROPS_A_DAY = 5.0

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Losses:
    """What a day's recording lacks, times in ms since the fleet's first midnight, half open.

    Attributes:
        gaps: (gaps, 2) no rows at all.
        drops: (drops, 3) sensor's place in the catalogue, and from when to when it reads nothing.
    """

    gaps: Whole
    drops: Whole


def losses(seed: int, number: int, first_day: int, day: int) -> Losses:
    """Gaps and drop-outs of unit ``number`` on the span's ``day``, none across midnight."""
    rng = generator(seed, "losses", number, first_day + day)
    zero, half = day * DAY_MS, DAY_MS // 2
    there, place, length = rng.random((3, 2))  # one for each half of the day
    start = zero + half * np.arange(2) + 600_000 + (place * (half - 1_800_000)).astype(np.int64)
    lasting = 1000 * np.rint(GAP_S[0] + length * (GAP_S[1] - GAP_S[0])).astype(np.int64)
    gaps = np.stack([start, start + lasting], axis=1)[there < GAP_CHANCE]
    many = int(rng.poisson(DROPS_A_DAY))
    sensor = np.asarray(DROPPABLE)[rng.integers(len(DROPPABLE), size=many)]
    start = zero + (rng.random(many) * (DAY_MS - 60_000)).astype(np.int64)
    lasting = 20_000 + rng.exponential(600_000, many).astype(np.int64)
    drops = np.stack([sensor, start, np.minimum(start + lasting, zero + DAY_MS)], axis=1)
    return Losses(gaps, drops.astype(np.int64))


def row_at(t_ms: Whole) -> Whole:
    """Number of the first row at or after these times."""
    day, rest = np.divmod(t_ms, DAY_MS)
    return np.asarray(day * ROWS_A_DAY + np.minimum(-(-rest // STEP_MS), ROWS_A_DAY))


def time_of(row: Whole) -> Whole:
    """Time of these rows, ms since the fleet's first midnight."""
    day, place = np.divmod(row, ROWS_A_DAY)
    return np.asarray(day * DAY_MS + place * STEP_MS)


def day_times(day: int, missing: Losses) -> Whole:
    """Times of the rows a day's recording holds, ms.  # (rows,)"""
    t = day * DAY_MS + np.arange(ROWS_A_DAY, dtype=np.int64) * STEP_MS
    held = np.ones(len(t), dtype=bool)
    for start, end in missing.gaps:
        held &= (t < start) | (t >= end)
    return np.asarray(t[held])
