"""text/csv without a header: a record a line, its inputs one after the other, row-major.

A line of numbers is nearly a JSON array, and simdjson reads one about ten times as fast as
numpy.fromstring; what is CSV but not JSON (``+1``, ``.5``, `` nan``) goes the slow way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import orjson
import simdjson

from containers.onnx_inference.formats.contract import LineReader, Spools
from containers.onnx_inference.records import Slice, check_finite, from_numbers
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Array, Signature, Tensors


def reader(signature: Signature, most: int, spools: Spools) -> LineReader:
    """Reads CSV lines; no file is needed."""
    del spools
    return LineReader(signature, most, _Lines(signature).slice)


class _Lines:
    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._parser = simdjson.Parser()

    def slice(self, lines: Sequence[bytes], first: int) -> Slice:
        values = np.empty((len(lines), self._signature.width), np.float64)
        for k, line in enumerate(lines):
            values[k] = self._numbers(line, first + k)
        inputs, column = {}, 0
        for tensor in self._signature.inputs:
            own = values[:, column : column + tensor.size]
            inputs[tensor.name] = from_numbers(tensor, own, first)
            column += tensor.size
        check_finite(inputs, first)
        return Slice(inputs, len(lines), first)

    def _numbers(self, line: bytes, row: int) -> Array:
        numbers = self._quickly(line)
        if numbers is None:
            numbers = _slowly(line, row)
        if len(numbers) != self._signature.width:
            raise Refused(
                400,
                "wrong_shape",
                f"a line must have {self._signature.width} fields, this one has {len(numbers)}",
                row,
            )
        return numbers

    def _quickly(self, line: bytes) -> Array | None:
        """The fields, if as JSON they are a flat list of numbers."""
        if b"[" in line:
            return None
        try:
            fields: Any = self._parser.parse(b"[%b]" % line)
            return np.frombuffer(fields.as_buffer(of_type="d"), np.float64)
        except (ValueError, TypeError, RuntimeError):  # simdjson: not JSON, or not only numbers
            return None


def _slowly(line: bytes, row: int) -> Array:
    """Field by field, as Python reads numbers; the field that is none is named."""
    if not line.strip():
        raise Refused(400, "unparsable", "the line is empty", row)
    numbers = []
    for column, text in enumerate(line.split(b",")):
        number = _number(text)
        if number is None:
            shown = text[:40].decode("ascii", "replace")
            raise Refused(400, "unparsable", f"field {column} is not a number: {shown!r}", row)
        numbers.append(number)
    return np.array(numbers)


def _number(text: bytes) -> float | None:
    if b"_" in text:  # Python would take 1_000
        return None
    try:
        return float(text)
    except ValueError:
        return None


class CsvWriter:
    """A line a record: the outputs one after the other, row-major; a float as short as it reads back."""

    def __init__(self, signature: Signature, spools: Spools) -> None:
        self._names = signature.outputs
        self._file = spools.new()

    def add(self, part: Slice, outputs: Tensors) -> None:
        """As `Writer.add`."""
        columns = [outputs[name].reshape(part.records, -1) for name in self._names]
        for k in range(part.records):
            self._file.write(b",".join(_fields(column[k]) for column in columns) + b"\n")

    def close(self) -> IO[bytes]:
        """As `Writer.close`."""
        return self._file


def _fields(values: Array) -> bytes:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return ",".join(str(value) for value in values).encode()
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
