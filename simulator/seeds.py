"""Where all chance comes from: one generator per purpose and place in the fleet.

A generator is named, never passed on, so what it yields does not depend on what was asked before.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def generator(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """The generator of this purpose at this place, e.g. ``generator(7, "noise", unit, day)``.

    Args:
        seed: the fleet's seed.
        purpose: what it is for; two purposes never share draws.
        place: whole numbers >= 0 that name the unit, the day, the location.
    """
    key = (zlib.crc32(purpose.encode()), *place)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
