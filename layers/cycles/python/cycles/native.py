"""The sums of a tile in machine code (``layers/cycles/native``), where this machine has them.

``make build`` compiles them for the machine it runs on. Where the library is missing or of another kind of
machine, numpy does the same more slowly, and equal but for rounding.
"""

from __future__ import annotations

import ctypes
import sysconfig
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import numpy.typing as npt

# Named for the machine: no other one must pick it up. SAM's builder leaves out what ends in ".so".
LIBRARY = f"sweep-{sysconfig.get_platform()}.so.1"
KINDS = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}
Readings = npt.NDArray[np.floating]


def _load() -> ctypes.CDLL | None:
    library = files("cycles").joinpath(LIBRARY)
    if not library.is_file():
        return None
    with as_file(library) as path:  # Glue imports this package from a zip
        return ctypes.CDLL(str(path))


_LIBRARY = _load()


def sweep(
    readings: np.dtype[np.floating], steps: np.dtype[np.floating]
) -> Callable[..., None] | None:
    """The function for these types of readings and clock steps; None where numpy has to do it."""
    if _LIBRARY is None:
        return None
    function = _LIBRARY[f"sweep_{KINDS[readings]}_{KINDS[steps]}"]
    function.restype = None
    return function


def addresses(columns: Sequence[Readings]) -> Any:
    """A C array of where each column's readings lie; the columns must outlive it."""
    return (ctypes.c_void_p * len(columns))(*(column.ctypes.data for column in columns))


def at(array: npt.NDArray[Any], first: int) -> ctypes.c_void_p:
    """Where the part of a contiguous array from index ``first`` of its first axis on lies."""
    return ctypes.c_void_p(array.ctypes.data + first * array.strides[0])
