"""A dataset on disk: all cycles of all units in one float16 array, with offsets and a manifest.

    features.npy   (all cycles, F) float16, standardised
    cycles.npz     offsets, times, labels, eligible; faults of each unit
    manifest.json  names, split, how features were made, sha256 of the arrays

Features are centred and scaled by the training units before they are narrowed to float16, whose eleven
bits would lose a speed of 9,000 rpm that varies by ten. The exported model does the same to what it is
given, so that both see the same numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.errors import BadHistory
from cycles.history.labels import lives
from cycles.history.windows import gather

FORMAT = 1
LIMIT = 10.0
"""Standard deviations beyond which a feature says no more: far, and far."""

FEATURES, CYCLES, MANIFEST = "features.npy", "cycles.npz", "manifest.json"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Standard:
    """Centre and scale of each feature, (F,) float32 each; the scale is what is multiplied with."""

    centre: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]

    @classmethod
    def of(cls, centre: npt.ArrayLike, spread: npt.ArrayLike) -> Standard:
        """From means and standard deviations; a feature that never changes becomes zero."""
        wide = np.asarray(spread, np.float64)
        scale = np.divide(1.0, wide, out=np.zeros_like(wide), where=wide > 1e-9)
        return cls(np.asarray(centre, np.float32), scale.astype(np.float32))

    def apply(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
        """Standardise and narrow (…, F); in float32, exactly as the exported model does it."""
        moved = (features - self.centre) * self.scale
        return np.clip(moved, -LIMIT, LIMIT).astype(np.float16)


@dataclass(frozen=True)
class Sequences:
    """All cycles of a fleet, unit after unit.

    Attributes:
        features: (all cycles, F) float16, standardised.
        offsets: (units + 1,) int64.
        times: (all cycles,) when each ended: days since 1970, or the unit's cycle number.
        labels: (all cycles,) 1, 0 or -1 for not known yet.
        eligible: (all cycles,) whether predictions are made then (season).
        faults: of each unit the times of its faults, sorted.
        manifest: names, split and all else; JSON.
    """

    features: npt.NDArray[np.float16]
    offsets: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int8]
    eligible: npt.NDArray[np.bool_]
    faults: tuple[npt.NDArray[np.float64], ...]
    manifest: Mapping[str, Any]

    @property
    def units(self) -> list[str]:
        """Names, in order."""
        return list(self.manifest["units"])

    @property
    def standard(self) -> Standard:
        """What the features were standardised with."""
        told = self.manifest["standard"]
        return Standard(
            np.asarray(told["centre"], np.float32), np.asarray(told["scale"], np.float32)
        )

    def members(self, split: str) -> npt.NDArray[np.int64]:
        """Numbers of the units of a split."""
        return np.flatnonzero(np.asarray(self.manifest["split"]) == split)

    @cached_property
    def firsts(self) -> npt.NDArray[np.int64]:
        """(all cycles,) the row at which the life of each cycle begins."""
        found = np.empty(len(self.times), np.int64)
        for unit, faults in enumerate(self.faults):
            span = self.span(unit)
            begins = lives(self.times[span], faults)
            life = np.searchsorted(begins, np.arange(span.stop - span.start), side="right") - 1
            found[span] = begins[life] + span.start
        return found

    def windows(
        self, rows: npt.NDArray[np.int64], window: int
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.int64]]:
        """The cycles up to each row, (n, window, F), and how many of them are real."""
        return gather(self.features, self.firsts[rows], rows, window)

    def span(self, unit: int) -> slice:
        """Where a unit's cycles are."""
        return slice(int(self.offsets[unit]), int(self.offsets[unit + 1]))

    def write(self, folder: Path) -> None:
        """Store it; the manifest comes last, so a folder without one is no dataset."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        path = folder / FEATURES
        if self._lies_in(path):
            self.features.flush()  # type: ignore[attr-defined]
        else:
            np.save(path, self.features)
        np.savez(
            folder / CYCLES, offsets=self.offsets, times=self.times, labels=self.labels,
            eligible=self.eligible, faults=np.concatenate([*self.faults, np.empty(0)]),
            fault_counts=np.asarray([len(each) for each in self.faults], np.int64),
        )  # fmt: skip
        hashes = {name: digest(folder / name) for name in (FEATURES, CYCLES)}
        told = {**self.manifest, "format": FORMAT, "sha256": hashes}
        (folder / MANIFEST).write_text(json.dumps(told, indent=1), encoding="utf-8")

    def _lies_in(self, path: Path) -> bool:
        """Whether the features were made in that very file."""
        made = self.features.filename if isinstance(self.features, np.memmap) else None
        return made is not None and path.exists() and path.samefile(made)

    @classmethod
    def read(cls, folder: Path) -> Sequences:
        """Open a stored dataset; the features stay on disk until they are asked for.

        Raises:
            BadHistory: it is none, is not whole, or is of another format.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise BadHistory("no-dataset", f"{folder} holds no dataset: {problem}") from problem
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise BadHistory("no-dataset", f"{folder}: its {MANIFEST} is not of format {FORMAT}")
        for name in (FEATURES, CYCLES):
            if not (folder / name).is_file() or digest(folder / name) != manifest["sha256"][name]:
                raise BadHistory("damaged", f"{folder / name} is not what its manifest says")
        with np.load(folder / CYCLES) as held:
            ends = np.cumsum(held["fault_counts"])[:-1]
            faults = tuple(np.split(held["faults"], ends)) if len(held["fault_counts"]) else ()
            arrays = {name: held[name] for name in ("offsets", "times", "labels", "eligible")}
        features = np.load(folder / FEATURES, mmap_mode="r")
        return cls(features=features, faults=faults, manifest=manifest, **arrays)


def digest(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
