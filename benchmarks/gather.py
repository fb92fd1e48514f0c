"""Windows out of the one array of all cycles: against copying as many bytes, and against a Dataset.

The Dataset is what a tutorial would write: one slice an item, widened to float32 and padded, a batch of
them stacked. All read the same memory map, warm, and the same random windows each round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.figures import Figure, Ratio
from cycles.history import gather

CYCLES, FEATURES, WINDOW, WINDOWS = 600_000, 67, 128, 1024
UNITS = 1000
COPY_TARGET, STACK_TARGET, SIZE_TARGET = 0.5, 10.0, 1.01

Ints = npt.NDArray[np.int64]


def gather_windows(folder: Path, rounds: int) -> list[Figure]:
    """Random windows of 128 cycles: gather, memcpy of the same bytes, Dataset and stack."""
    path = folder / "features.npy"
    offsets = written(path, CYCLES, UNITS)
    features = np.load(path, mmap_mode="r")
    float(features.sum(dtype=np.float32))  # every page is in memory from here on
    rng = np.random.default_rng(7)
    spent: dict[str, list[float]] = {"gather": [], "memcpy": [], "stack": []}
    for k in range(rounds + 1):
        units, rows = drawn(offsets, WINDOWS, rng)
        for name, work in contenders(features, offsets, units, rows).items():
            start = time.process_time()
            work()
            if k:  # the first warms up
                spent[name].append(time.process_time() - start)
    size = path.stat().st_size / (CYCLES * FEATURES * features.itemsize)
    note = (
        f"{WINDOWS} windows of {WINDOW} x {FEATURES} float16 of {CYCLES} cycles in a memory map; "
        + ", ".join(f"{name} {Ratio.of(each).median * 1e3:.1f} ms" for name, each in spent.items())
    )
    return [
        Figure(
            "memcpy / gather", _ratio(spent["memcpy"], spent["gather"]),
            "at least", COPY_TARGET, note=note,
        ),
        Figure(
            "Dataset and stack / gather", _ratio(spent["stack"], spent["gather"]),
            "at least", STACK_TARGET, note="one float32 slice an item, torch.stack",
        ),
        Figure("size on disk / raw float16", Ratio.of([size]), "at most", SIZE_TARGET),
    ]  # fmt: skip


def contenders(
    features: npt.NDArray[np.float16], offsets: Ints, units: Ints, rows: Ints
) -> dict[str, Callable[[], object]]:
    """The same windows three ways; ``memcpy`` copies as many bytes that lie in one piece."""
    block = features[: len(rows) * WINDOW].reshape(len(rows), WINDOW, features.shape[1])
    dataset = Windows(features, offsets, units, rows)
    return {
        "memcpy": lambda: np.array(block),
        "gather": lambda: gather(features, offsets[units], rows, WINDOW),
        "stack": lambda: torch.stack([dataset[k] for k in range(len(dataset))]),
    }


class Windows(torch.utils.data.Dataset[torch.Tensor]):
    """One window an item, (WINDOW, F) float32, as the default collation would stack them."""

    def __init__(
        self, features: npt.NDArray[np.float16], offsets: Ints, units: Ints, rows: Ints
    ) -> None:
        self.features, self.offsets, self.units, self.rows = features, offsets, units, rows

    def __len__(self) -> int:
        """How many windows."""
        return len(self.rows)

    def __getitem__(self, k: int) -> torch.Tensor:
        """Slice, pad on the left, widen."""
        end = self.rows[k] + 1
        begin = max(end - WINDOW, self.offsets[self.units[k]])
        window = np.zeros((WINDOW, self.features.shape[1]), np.float32)
        window[WINDOW - (end - begin) :] = self.features[begin:end]
        return torch.from_numpy(window)


def written(path: Path, cycles: int, units: int) -> Ints:
    """Store standard normal features, and say where each unit begins, (units + 1,)."""
    rng = np.random.default_rng(6)
    held = np.lib.format.open_memmap(path, "w+", np.float16, (cycles, FEATURES))
    for start in range(0, cycles, 50_000):
        part = held[start : start + 50_000]
        part[:] = rng.standard_normal(part.shape, np.float32)
    held.flush()
    return np.linspace(0, cycles, units + 1).astype(np.int64)


def drawn(offsets: Ints, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Unit and last row of random windows; some reach back before their unit's first cycle."""
    rows = rng.integers(0, offsets[-1], count)
    return np.searchsorted(offsets, rows, side="right") - 1, rows


def _ratio(of: list[float], to: list[float]) -> Ratio:
    return Ratio.of([a / b for a, b in zip(of, to, strict=True)])
