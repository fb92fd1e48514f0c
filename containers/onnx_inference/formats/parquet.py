"""application/x-parquet: a column an input (numbers, or lists of them row-major), others pass through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from containers.onnx_inference.formats.contract import Spools
from containers.onnx_inference.records import Slice, check_finite, from_numbers
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Array, Signature, Tensor, Tensors

_DECODED = 16
"""Slices decoded together at most: a decoder call costs more than a slice of small records."""

_DECODED_BYTES = 2**19
"""What a call may decode beyond one slice: more would leave the processor's cache, at half the speed."""


class ParquetReader:
    """Reads from a spooled file, a few slices at a time."""

    def __init__(self, signature: Signature, most: int, spools: Spools) -> None:
        self._signature = signature
        self._most = most
        size = sum(tensor.size * tensor.dtype.itemsize for tensor in signature.inputs)
        self._decoded = max(1, min(_DECODED, _DECODED_BYTES // (most * size))) * most
        self._file = spools.new()

    def feed(self, piece: bytes) -> Iterator[Slice]:
        """As `Reader.feed`."""
        self._file.write(piece)
        yield from ()

    def close(self) -> Iterator[Slice]:
        """As `Reader.close`."""
        first = 0
        for batch in self._batches():
            for start in range(0, len(batch), self._most):
                yield self._slice(batch.slice(start, self._most), first + start)
            first += len(batch)
        if not first:
            raise Refused(400, "empty", "the body holds no record")

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self._file.seek(0)
        try:
            file = pq.ParquetFile(self._file)
            names = file.schema_arrow.names
            if len(set(names)) < len(names):
                raise Refused(400, "unparsable", "two columns have the same name")
            for tensor in self._signature.inputs:
                if tensor.name not in names:
                    raise Refused(400, "missing_input", f"input {tensor.name!r} is missing")
            taken = sorted(set(names) & set(self._signature.outputs))
            if taken:
                raise Refused(
                    400, "name_taken", f"{taken} would be overwritten by the model's outputs"
                )
            yield from file.iter_batches(self._decoded, use_threads=False)
        except (pa.ArrowException, OSError) as problem:
            told = (str(problem).splitlines() or [""])[0][:200]
            raise Refused(400, "unparsable", f"not a Parquet file: {told}") from None

    def _slice(self, batch: pa.RecordBatch, first: int) -> Slice:
        own = {tensor.name for tensor in self._signature.inputs}
        inputs = {t.name: _array(t, batch.column(t.name), first) for t in self._signature.inputs}
        check_finite(inputs, first)
        beside = batch.select([name for name in batch.schema.names if name not in own])
        return Slice(inputs, len(batch), first, beside)


def _array(tensor: Tensor, column: pa.Array, first: int) -> Array:
    """A column as (records, *shape)."""
    records = len(column)
    levels = _levels(column.type)
    # flat lists are row-major; nested ones must nest as the input does
    lengths = (tensor.size,) if levels == 1 else tensor.shape
    if levels != (len(lengths) if tensor.shape else 0):
        raise Refused(
            400, "wrong_shape", f"column {tensor.name!r} is {column.type}, for {tensor.shape}"
        )
    block = 1  # rows of the flattened column that belong to one record
    for length in lengths if levels else ():
        _refuse_first(column.is_null(), block, first, f"column {tensor.name!r} holds a null")
        wrong = pc.not_equal(pc.list_value_length(column), length)
        _refuse_first(wrong, block, first, f"column {tensor.name!r} must hold lists of {length}")
        column, block = column.flatten(), block * length
    _refuse_first(column.is_null(), block, first, f"column {tensor.name!r} holds a null")
    if not (
        pa.types.is_floating(column.type)
        or pa.types.is_integer(column.type)
        or pa.types.is_boolean(column.type)
    ):
        raise Refused(400, "wrong_type", f"column {tensor.name!r} holds {column.type}, not numbers")
    values = column.to_numpy(zero_copy_only=False).reshape(records, -1)
    if values.dtype == tensor.dtype:
        return np.ascontiguousarray(values.reshape(records, *tensor.shape))
    return from_numbers(tensor, values, first)


def _levels(kind: pa.DataType) -> int:
    levels = 0
    while (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    ):
        kind, levels = kind.value_type, levels + 1
    return levels


def _refuse_first(wrong: pa.Array, block: int, first: int, message: str) -> None:
    if wrong.true_count:
        at = int(np.argmax(wrong.to_numpy(zero_copy_only=False)))
        raise Refused(400, "wrong_shape", message, first + at // block)


class ParquetWriter:
    """What came beside the inputs, then a column an output."""

    def __init__(self, signature: Signature, spools: Spools) -> None:
        self._names = signature.outputs
        self._parts: list[Tensors] = []
        self._spools = spools
        self._beside: list[Any] = []

    def add(self, part: Slice, outputs: Tensors) -> None:
        """As `Writer.add`."""
        self._parts.append(outputs)
        if isinstance(part.beside, list):
            self._beside += part.beside
        elif part.beside is not None:
            self._beside.append(part.beside)

    def close(self) -> IO[bytes]:
        """As `Writer.close`."""
        try:
            columns = self._passed_through()
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as problem:
            told = (str(problem).splitlines() or [""])[0][:200]
            raise Refused(
                400, "unwritable", f"what came beside the inputs is no table: {told}"
            ) from None
        for name in self._names:
            columns[name] = _column(np.concatenate([part[name] for part in self._parts]))
        file = self._spools.new()
        pq.write_table(pa.table(columns), file)
        return file

    def _passed_through(self) -> dict[str, Any]:
        if self._beside and isinstance(self._beside[0], pa.RecordBatch):
            table = pa.Table.from_batches(self._beside)
            return dict(zip(table.column_names, table.columns, strict=True))
        keys = dict.fromkeys(key for entry in self._beside for key in entry)
        return {key: pa.array([entry.get(key) for entry in self._beside]) for key in keys}


def _column(values: Array) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    flat = values.reshape(len(values), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
