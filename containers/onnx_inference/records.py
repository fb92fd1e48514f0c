"""Records on their way through the model, and the checks that hold whatever format they came in."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Array, Tensor, Tensors

Beside: TypeAlias = "list[dict[str, Any]] | pa.RecordBatch"
"""What came with the inputs and goes out unchanged: an entry or a row for each record."""

_EXACT_IN_A_DOUBLE = 2.0**53


@dataclass(frozen=True)
class Slice:
    """Some records of one request.

    Attributes:
        inputs: by name, arrays (records, *shape).
        records: how many.
        first: place of the first within the request, from 0.
        beside: keys or columns that are no inputs; None where the format has no room for them.
        outputs: by name, arrays (records, ...), once they have been run.
    """

    inputs: Tensors
    records: int
    first: int = 0
    beside: Beside | None = None
    outputs: Future[Tensors] = field(default_factory=Future)


def check_finite(inputs: Tensors, first: int) -> None:
    """Refuse NaN and infinity.

    Args:
        inputs: by name, arrays (records, *shape).
        first: place of the first record within the request.
    """
    for name, array in inputs.items():
        if array.dtype.kind != "f":
            continue
        finite = np.isfinite(array)
        if not finite.all():
            k = int(np.argmin(finite.reshape(len(array), -1).all(axis=1)))
            raise Refused(
                400,
                "not_finite",
                f"input {name!r} holds NaN, infinity, or a number too large for {array.dtype}",
                first + k,
            )


def from_numbers(tensor: Tensor, values: Array, first: int) -> Array:
    """Numbers as the input's own type and shape.

    Args:
        tensor: the input.
        values: (records, size), of any type of numbers.
        first: place of the first record within the request.

    Raises:
        Refused: the input takes whole numbers, and one is not, or does not fit.
    """
    if tensor.dtype.kind in "iub" and values.dtype != tensor.dtype:
        _check_whole(tensor, values, first)
    with np.errstate(over="ignore", invalid="ignore"):  # becomes infinity, which is refused
        return values.astype(tensor.dtype).reshape(len(values), *tensor.shape)


def _check_whole(tensor: Tensor, values: Array, first: int) -> None:
    least, most = (0, 1) if tensor.dtype.kind == "b" else _limits(tensor.dtype)
    if values.dtype.kind == "f":
        least, most = max(least, -_EXACT_IN_A_DOUBLE), min(most, _EXACT_IN_A_DOUBLE)
        fits = (values == np.floor(values)) & (values >= least) & (values <= most)
    else:
        fits = (values >= least) & (values <= most)
    if not fits.all():
        k = int(np.argmin(fits.reshape(len(values), -1).all(axis=1)))
        raise Refused(
            400,
            "wrong_type",
            f"input {tensor.name!r} takes {tensor.dtype}; a number is not whole or does not fit",
            first + k,
        )


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)
