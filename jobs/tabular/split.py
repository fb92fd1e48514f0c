"""Which row is for what, by a hash that a growing table does not reshuffle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from signalbox.contracts.prediction import Split
from signalbox.errors import Rejected

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


def by_id(ids: Sequence[str], shares: Split) -> list[SplitName]:
    """The split of each row, by its id alone: rows added later move none.

    Raises:
        Rejected: a split is left without a row.
    """
    of = [_dealt(_rank(each), shares) for each in ids]
    empty = [name for name in SPLITS if name not in of]
    if empty:
        raise Rejected("too-few-rows", f"{len(ids)} rows leave none for {', '.join(empty)}")
    return of


def by_group(groups: Sequence[str], shares: Split) -> list[SplitName]:
    """The split of each row, whole groups together; one group at least for each split.

    Raises:
        Rejected: there are fewer than three groups.
    """
    names = sorted(set(groups), key=_rank)
    if len(names) < len(SPLITS):
        raise Rejected(
            "too-few-groups",
            f"{', '.join(names)}: three groups are needed, one each for {', '.join(SPLITS)}",
        )
    room = len(names) - 1
    test = min(max(1, round(len(names) * shares.test)), room - 1)
    validation = min(max(1, round(len(names) * shares.validation)), room - test)
    of: dict[str, SplitName] = dict.fromkeys(names, "train")
    of.update(dict.fromkeys(names[:test], "test"))
    of.update(dict.fromkeys(names[test : test + validation], "validation"))
    return [of[group] for group in groups]


def _rank(name: str) -> float:
    """From 0 to 1, even, and always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def _dealt(rank: float, shares: Split) -> SplitName:
    if rank < shares.test:
        return "test"
    return "validation" if rank < shares.test + shares.validation else "train"
