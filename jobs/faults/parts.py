"""A dataset cut by split, so that who learns never holds the units that judge, and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cycles.errors import BadHistory
from cycles.history import Sequences
from signalbox.errors import Rejected

PLACES = "places"
"""In the manifest of a part: which unit of the whole each of its units is."""


def part_of(whole: Sequences, split: str) -> Sequences:
    """The units of one split, with the digest of the whole.

    Raises:
        BadHistory: there is none.
    """
    members = whole.members(split)
    if not len(members):
        raise BadHistory("too-few-units", f"{len(whole.units)} units leave none for {split}")
    return _chosen(whole, members, [int(unit) for unit in members])


def _chosen(whole: Sequences, units: npt.NDArray[np.int64], places: list[int]) -> Sequences:
    """Units of a dataset, in this order."""
    rows = np.concatenate([np.arange(whole.offsets[k], whole.offsets[k + 1]) for k in units])
    lengths = np.diff(whole.offsets)[units]
    manifest = {
        **whole.manifest,
        "units": [whole.units[k] for k in units],
        "split": [whole.manifest["split"][k] for k in units],
        "left_out": [],  # it names units of other parts
        PLACES: places,
    }
    return replace(
        whole, features=whole.features[rows], offsets=np.concatenate([[0], np.cumsum(lengths)]),
        times=whole.times[rows], labels=whole.labels[rows], eligible=whole.eligible[rows],
        faults=tuple(whole.faults[k] for k in units), manifest=manifest,
    )  # fmt: skip


def read_part(folder: Path, workload: str) -> Sequences:
    """Open a part.

    Raises:
        BadHistory: it is none, or not whole.
        Rejected: it is of another workload.
    """
    part = Sequences.read(folder)
    if part.manifest["workload"] != workload:
        raise Rejected(
            "other-workload", f"the cycles are of {part.manifest['workload']}, not of {workload}"
        )
    return part


def together(parts: Sequence[Sequences]) -> Sequences:
    """Parts of one dataset as one again, units in their order in the whole.

    Raises:
        Rejected: they are of different datasets.
    """
    digests = {part.manifest["digest"] for part in parts}
    if len(digests) != 1:
        raise Rejected("other-dataset", "train, validation and test are of different datasets")
    places = [place for part in parts for place in part.manifest[PLACES]]
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    side_by_side = Sequences(
        features=np.concatenate([part.features for part in parts]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        times=np.concatenate([part.times for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        eligible=np.concatenate([part.eligible for part in parts]),
        faults=tuple(faults for part in parts for faults in part.faults),
        manifest={
            **parts[0].manifest,
            "units": [unit for part in parts for unit in part.units],
            "split": [split for part in parts for split in part.manifest["split"]],
        },
    )
    order = np.argsort(places)
    return _chosen(side_by_side, order, [places[k] for k in order])
