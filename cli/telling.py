"""What is worth drawing: the features that moved most, and the sensors that tell a day.

Only ranking is done here, no decision about a unit: a unit is compared with its own past, and with what
the others did at the same time, so that a season that moves all of them moves none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pat

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

BLOCKS = 12  # the time span is cut into at most this many
CYCLES_A_BLOCK = 5
COMPANY = 3  # from this many units on, what all do together is taken out
ALIKE = 0.9  # a correlation above which two features tell the same story
SAMPLE = 4_000
SHADES = 12  # a sensor with fewer distinct readings is a switch, not a curve
STEPS = 6  # a feature with fewer distinct values is drawn only where there is no other
WIDE_INSIDE = 85  # percentile: a feature that jumps between two states all the time has not moved


@dataclass(frozen=True, slots=True)
class Moved:
    """A feature, and how far each unit went from its own past.

    Attributes:
        name: the column, ``<sensor>__<stat>``.
        distance: unit -> largest move, in units of the feature's usual spread.
        most: the unit that moved most.
        past: median of that unit's first stretch of time.
        furthest: median of the stretch that lay furthest from it.
        stepped: whether it knows a few values only.
    """

    name: str
    distance: dict[str, float]
    most: str
    past: float
    furthest: float
    stepped: bool


def medians(values: Floats, groups: Whole, count: int) -> Floats:
    """The median of each group 0..count-1, NaN where a group has no reading."""
    there = np.isfinite(values)
    values, groups = values[there], groups[there]
    order = np.lexsort((values, groups))
    values, groups = values[order], groups[order]
    start = np.searchsorted(groups, np.arange(count))
    end = np.searchsorted(groups, np.arange(count), side="right")
    out = np.full(count, np.nan)
    held = end > start
    low, high = (start + end - 1)[held] // 2, (start + end)[held] // 2
    out[held] = (values[low] + values[high]) / 2
    return out


def feature_names(table: pa.Table) -> list[str]:
    """Columns that hold features, without mere counts of readings."""
    return [
        field.name
        for field in table.schema
        if "__" in field.name
        and not field.name.endswith("__n")
        and (pat.is_floating(field.type) or pat.is_integer(field.type))
    ]


def column(table: pa.Table, name: str) -> Floats:
    """A column as floats, NaN where it is null.  # (cycles,)"""
    values = table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def unit_codes(table: pa.Table) -> tuple[list[str], Whole]:
    """The units in order of their names, and each cycle's place among them.  # (cycles,)"""
    units, codes = np.unique(
        np.asarray(table["unit"].to_pylist(), dtype=object), return_inverse=True
    )
    return [str(unit) for unit in units], codes.astype(np.int64)


def starts(table: pa.Table) -> Whole:
    """When cycles began, ns since 1970.  # (cycles,)"""
    stamps = table["cycle_start"].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
    return np.asarray(stamps.to_numpy(), dtype=np.int64)


def most_moved(table: pa.Table, at_most: int = 4) -> list[Moved]:
    """The features in which a unit went furthest from its own past, one a sensor, no two alike.

    Where nothing can be compared (one cycle a unit) the features that vary most come instead; a
    feature without readings never does.
    """
    if table.num_rows == 0:
        return []
    units, codes = unit_codes(table)
    when = starts(table)
    usual = int(np.median(np.bincount(codes)))
    blocks = int(np.clip(usual // CYCLES_A_BLOCK, 2, BLOCKS))
    edges = np.linspace(when.min(), when.max() + 1, blocks + 1)
    cells = codes * blocks + np.clip(np.searchsorted(edges, when, side="right") - 1, 0, blocks - 1)
    found = []
    for name in feature_names(table):
        values = column(table, name)
        if np.isfinite(values).any():
            found.append(_moved(name, values, cells, units, blocks))
    found.sort(key=lambda item: (item[0].stepped, -item[0].distance[item[0].most], item[0].name))
    return _unlike(found, at_most)


def _moved(
    name: str, values: Floats, cells: Whole, units: Sequence[str], blocks: int
) -> tuple[Moved, Floats]:
    """How far each unit went, and the moves block by block.  # (units, blocks)"""
    grid = medians(values, cells, len(units) * blocks).reshape(len(units), blocks)
    first = np.argmax(np.isfinite(grid), axis=1)
    past = grid[np.arange(len(units)), first]
    moves = grid - past[:, None]
    if len(units) >= COMPANY:
        together = medians(moves.T.ravel(), np.repeat(np.arange(blocks), len(units)), blocks)
        moves = moves - together
    inside = np.abs(values - grid.ravel()[cells])
    around = np.abs(values - past[cells // blocks])
    spread = _percentile(inside, WIDE_INSIDE) + 0.3 * _percentile(around, 50)
    spread += 1e-3 * _percentile(np.abs(values), 50)
    size = np.where(np.isfinite(moves), np.abs(moves), 0.0) / max(spread, 1e-12)
    distance = size.max(axis=1)
    unit = int(np.argmax(distance))
    furthest = float(grid[unit, int(np.argmax(size[unit]))])
    told = dict(zip(units, distance.tolist(), strict=True))
    distinct = len(np.unique(values[np.isfinite(values)]))
    stepped = distinct < min(STEPS, len(values) / 2)
    return Moved(name, told, units[unit], float(past[unit]), furthest, stepped), moves


def _percentile(values: Floats, share: float) -> float:
    present = values[np.isfinite(values)]
    return float(np.percentile(present, share)) if len(present) else 0.0


def _unlike(found: Sequence[tuple[Moved, Floats]], at_most: int) -> list[Moved]:
    """The first ones, leaving out a sensor that was had and moves that look like those of one chosen."""
    chosen: list[tuple[Moved, Floats]] = []
    for moved, moves in found:
        sensor = moved.name.rpartition("__")[0]
        had = any(sensor == other.name.rpartition("__")[0] for other, _ in chosen)
        if not had and all(_correlation(moves, other) < ALIKE for _, other in chosen):
            chosen.append((moved, moves))
        if len(chosen) == at_most:
            break
    return [moved for moved, _ in chosen]


def _correlation(a: Floats, b: Floats) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3:
        return 0.0
    x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return abs(float((x * y).sum())) / scale if scale > 0 else 0.0


def telling_sensors(
    readings: Sequence[npt.NDArray[np.floating]],
    running: npt.NDArray[np.int8],
    names: Sequence[str],
    preferred: Collection[str],
    at_most: int = 4,
) -> list[int]:
    """Places of the sensors that show best what the unit did, in order of choice.

    A sensor tells a day when it reads otherwise while the unit runs than while it rests, and in
    another way than those already chosen.

    Args:
        readings: one array a sensor, all of the same rows.
        running: 1 running, 0 resting, -1 unknown, of the same rows.
        names: the sensors.
        preferred: sensors whose features are drawn as well; they come first where equal.
        at_most: how many to choose.
    """
    pick = np.linspace(0, len(running) - 1, min(SAMPLE, len(running))).astype(np.int64)
    on = running[pick]
    candidates: dict[int, tuple[float, Floats]] = {}
    for k, values in enumerate(readings):
        sample = np.asarray(values[pick], dtype=np.float64)
        present = np.isfinite(sample)
        if present.sum() >= SHADES and len(np.unique(sample[present])) >= SHADES:
            worth = _told(sample, on) * (1.5 if names[k] in preferred else 1.0)
            candidates[k] = worth, sample
    state = np.where(on >= 0, on, np.nan).astype(np.float64)
    chosen: list[int] = []
    while candidates and len(chosen) < at_most:
        known = [state, *(np.asarray(readings[c][pick], np.float64) for c in chosen)]
        novelty = {k: _novelty(candidate, known) for k, candidate in candidates.items()}
        best = max(novelty, key=lambda k: (novelty[k], -k))
        chosen.append(best)
        del candidates[best]
    return chosen


def _told(sample: Floats, on: npt.NDArray[np.int8]) -> float:
    """The share of a sensor's variation that running or resting explains, never quite nothing."""
    on_, off = sample[(on == 1) & np.isfinite(sample)], sample[(on == 0) & np.isfinite(sample)]
    if len(on_) < 3 or len(off) < 3:
        return 0.05
    total = np.var(np.concatenate([on_, off]))
    inside = (len(on_) * np.var(on_) + len(off) * np.var(off)) / (len(on_) + len(off))
    return 0.05 + float(1 - inside / total) if total > 0 else 0.0


def _novelty(candidate: tuple[float, Floats], known: Sequence[Floats]) -> float:
    worth, sample = candidate
    return worth * float(np.sqrt(max(0.0, 1 - max(_correlation(sample, k) for k in known) ** 2)))
