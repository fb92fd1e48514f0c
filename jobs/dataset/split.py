"""Which unit is for what: whole units, never a unit's cycles."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from cycles.errors import BadHistory
from cycles.history.sequences import SPLITS


def split_units(
    units: Sequence[str], failed: Mapping[str, bool], validation: float, test: float, seed: int
) -> list[str]:
    """Deal units to train, validation and test, those that failed and those that did not alike.

    The order is that of a hash of seed and name, so that a fleet that grows does not reshuffle.

    Returns:
        The split of each unit, in the order of ``units``.
    """
    of: dict[str, str] = {}
    for kind in (True, False):
        group = sorted((u for u in units if failed[u] is kind), key=lambda u: _rank(seed, u))
        held = round(len(group) * test)
        checked = round(len(group) * validation)
        for k, unit in enumerate(group):
            of[unit] = "test" if k < held else "validation" if k < held + checked else "train"
    return [of[unit] for unit in units]


def _rank(seed: int, unit: str) -> str:
    return hashlib.sha256(f"{seed}/{unit}".encode()).hexdigest()


def split_from(path: Path, units: Sequence[str]) -> list[str]:
    """Read the split of each unit from a CSV file with columns unit and split.

    Raises:
        BadHistory: a unit is in two splits or in none, or a split is none of the three.
    """
    of: dict[str, str] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if not {"unit", "split"} <= set(reader.fieldnames or []):
            raise BadHistory("bad-split", f"{path} needs columns unit and split")
        for row in reader:
            unit, split = row["unit"], row["split"]
            if split not in SPLITS:
                raise BadHistory("bad-split", f"{path}: {split!r} is none of {', '.join(SPLITS)}")
            if of.setdefault(unit, split) != split:
                raise BadHistory(
                    "overlapping-splits",
                    f"{path}: unit {unit} is in {of[unit]} and in {split}; "
                    "what was learned of it would be judged by it",
                )
    absent = [unit for unit in units if unit not in of]
    if absent:
        raise BadHistory("bad-split", f"{path} says nothing of {', '.join(absent[:10])}")
    return [of[unit] for unit in units]
