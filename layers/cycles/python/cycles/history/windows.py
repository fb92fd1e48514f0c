"""Windows: the last cycles before a moment, gathered from the one array that holds all cycles.

No window is ever stored. A window that reaches back before the first cycle of a unit's life is padded
on the left with zeros, and ``valid`` says how many of its rows are real.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cycles.history.labels import UNKNOWN


def gather(
    features: npt.NDArray[np.floating],
    firsts: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    window: int,
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.int64]]:
    """Copy windows out of the array of all cycles.

    Args:
        features: (all cycles, F), any floating type; a memory map will do.
        firsts: (n,) the first row each window may reach back to, counted over all cycles.
        rows: (n,) its last row, counted likewise.
        window: rows a window.

    Returns:
        (n, window, F) of the same type, and (n,) how many rows, at the end, are real.
    """
    width = features.shape[1]
    valid = np.minimum(rows + 1 - firsts, window)
    starts = rows + 1 - window
    if len(features) < window:
        out = np.zeros((len(rows), window, width), features.dtype)
        for k, (row, real) in enumerate(zip(rows, valid, strict=True)):
            out[k, window - real :] = features[row + 1 - real : row + 1]
        return out, valid
    # one block a window: numpy copies it whole, which is as fast as memory goes
    whole = np.ascontiguousarray(features)
    blocks: npt.NDArray[np.floating] = np.ndarray(
        (len(features) - window + 1, window * width),
        features.dtype,
        whole,
        strides=(width * features.itemsize, features.itemsize),
    )
    out = blocks[np.maximum(starts, 0)].reshape(len(rows), window, width)
    for k in np.flatnonzero(valid < window):
        real = int(valid[k])
        if starts[k] < 0:  # the very first cycles of the array
            out[k, window - real :] = features[rows[k] + 1 - real : rows[k] + 1]
        out[k, : window - real] = 0
    return out, valid


def last_window(
    features: npt.NDArray[np.float32], window: int
) -> tuple[npt.NDArray[np.float32], int]:
    """The window that ends with a unit's last cycle, (window, F), and how many rows are real."""
    real = min(len(features), window)
    out = np.zeros((window, features.shape[1]), features.dtype)
    out[window - real :] = features[len(features) - real :]
    return out, real


def sample(
    labels: npt.NDArray[np.int8],
    eligible: npt.NDArray[np.bool_],
    offsets: npt.NDArray[np.int64],
    units: npt.NDArray[np.int64],
    count: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Draw the same number of cycles of every unit, so that none outweighs another.

    Args:
        labels: (all cycles,).
        eligible: (all cycles,) by season.
        offsets: (units + 1,).
        units: which units to draw from.
        count: cycles a unit; drawn with replacement only where a unit has fewer.
        rng: where the luck comes from.

    Returns:
        (n,) unit and (n,) row of each; units without an eligible cycle of known label give none.
    """
    of: list[npt.NDArray[np.int64]] = []
    drawn: list[npt.NDArray[np.int64]] = []
    for unit in units:
        span = slice(offsets[unit], offsets[unit + 1])
        rows = np.flatnonzero((labels[span] != UNKNOWN) & eligible[span]) + offsets[unit]
        if len(rows):
            picked = rng.choice(rows, count, replace=len(rows) < count)
            drawn.append(np.sort(picked))
            of.append(np.full(count, unit, np.int64))
    if not drawn:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(of), np.concatenate(drawn)
