"""What a model takes and gives, a record at a time, as its session tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Tensors = dict[str, Array]

_DTYPES: dict[str, Any] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(bool)": np.bool_,
    **{f"tensor({name})": np.dtype(name) for name in ("int8", "int16", "int32", "int64")},
    **{f"tensor({name})": np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")},
}


class UnservableModelError(Exception):
    """The model cannot be served by this container; the message says why and what would help."""


class Node(Protocol):
    """An input or output as onnxruntime describes it."""

    name: str
    type: str
    shape: Sequence[int | str | None]


@dataclass(frozen=True)
class Tensor:
    """One input: ``shape`` is that of a record, without the batch."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Numbers in a record."""
        return prod(self.shape)

    @property
    def brackets(self) -> int:
        """Opening brackets of a record in JSON: lists of one and of all levels."""
        return sum(prod(self.shape[:level]) for level in range(len(self.shape)))


@dataclass(frozen=True)
class Signature:
    """A model's inputs in its own order, its outputs' names, and the batch it was exported with.

    Attributes:
        batch: 1 for a model that takes one record a run, None for any number.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    batch: int | None = None

    @classmethod
    def of(cls, inputs: Sequence[Node], outputs: Iterable[Node], schema: Mapping[str, Any]) -> Self:
        """Read it off a session.

        Args:
            inputs, outputs: of the session; every one has the batch as its first dimension.
            schema: model.json; ``inputs.<name>.shape`` fixes what the model leaves open.

        Raises:
            UnservableModelError: an input or output is no tensor of numbers with the batch in front, or
                its shape is open.
        """
        told = schema.get("inputs") or {}
        tensors = tuple(_tensor(node, told.get(node.name) or {}) for node in inputs)
        names = tuple(_output(node) for node in outputs)
        if not tensors or not names:
            raise UnservableModelError("the model has no inputs or no outputs")
        fixed = {node.shape[0] for node in inputs if isinstance(node.shape[0], int)}
        if fixed - {1}:
            raise UnservableModelError(
                f"the model is fixed to batches of {sorted(fixed)}; export it with a free first dimension"
            )
        return cls(tensors, names, 1 if fixed else None)

    @property
    def width(self) -> int:
        """Numbers in a record, all inputs together: the fields of a CSV line."""
        return sum(tensor.size for tensor in self.inputs)

    def empty(self, records: int) -> Tensors:
        """Room for this many records, a C-contiguous array (records, *shape) an input."""
        return {t.name: np.empty((records, *t.shape), t.dtype) for t in self.inputs}

    def canary(self) -> Tensors:
        """One record of ones: what a working model is expected to run."""
        return {t.name: np.ones((1, *t.shape), t.dtype) for t in self.inputs}


def _tensor(node: Node, told: Mapping[str, Any]) -> Tensor:
    if node.type not in _DTYPES:
        raise UnservableModelError(
            f"input {node.name!r} is {node.type}; only tensors of numbers are served"
        )
    if not node.shape:
        raise UnservableModelError(f"input {node.name!r} has no batch dimension")
    shape = [length for length in node.shape[1:] if isinstance(length, int)]
    if len(shape) < len(node.shape) - 1:
        declared = list(told.get("shape") or ())
        shape = declared[1:] if len(declared) == len(node.shape) else declared
        if len(shape) != len(node.shape) - 1 or not all(isinstance(n, int) for n in shape):
            raise UnservableModelError(
                f"input {node.name!r} leaves its shape {list(node.shape)} open; "
                f"say it in model.json under inputs.{node.name}.shape"
            )
    return Tensor(node.name, np.dtype(_DTYPES[node.type]), tuple(shape))


def _output(node: Node) -> str:
    if node.type not in _DTYPES:
        raise UnservableModelError(
            f"output {node.name!r} is {node.type}; only tensors of numbers are served "
            "(scikit-learn models: export with zipmap=False)"
        )
    return node.name
