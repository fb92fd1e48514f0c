"""application/jsonlines, a record a line, and application/json, all records in one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, Any

import numpy as np
import orjson
import simdjson

from containers.onnx_inference.formats.contract import LineReader, Spools
from containers.onnx_inference.formats.json_values import fill, python_objects
from containers.onnx_inference.records import Beside, Slice, check_finite
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Signature, Tensors

DOCUMENT = 32 * 2**20
"""Bytes of an application/json document: it is parsed in one go, while /ping must wait."""


def lines_reader(signature: Signature, most: int, spools: Spools) -> LineReader:
    """Reads JSON lines; no file is needed."""
    del spools
    return LineReader(signature, most, _Lines(signature).slice)


class _Lines:
    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._parser = simdjson.Parser()
        self._brackets = sum(tensor.brackets for tensor in signature.inputs)

    def slice(self, lines: Sequence[bytes], first: int) -> Slice:
        slots = self._signature.empty(len(lines))
        beside: Beside = [self._record(line, slots, k, first + k) for k, line in enumerate(lines)]
        check_finite(slots, first)
        return Slice(slots, len(lines), first, beside)

    def _record(self, line: bytes, slots: Tensors, k: int, row: int) -> dict[str, Any]:
        # a number in a list of its own would be flattened unseen: only where no bracket is more
        # than the inputs' own is simdjson's flattening to be trusted
        if _brackets(line) <= self._brackets:
            try:
                record = self._parser.parse(line)
            except (ValueError, RuntimeError):  # not JSON, or a number simdjson does not take
                pass
            else:
                return fill(self._signature, record, slots, k, row)
        return fill(self._signature, python_objects(line, row), slots, k, row)


def _brackets(text: bytes) -> int:
    """How many lists are opened; ``bytes.count`` takes five times as long."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("[")))


class DocumentReader:
    """Reads ``{"instances": [record, ...]}``."""

    def __init__(self, signature: Signature, most: int, spools: Spools) -> None:
        del spools  # it is parsed in memory
        self._signature = signature
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Slice]:
        """As `Reader.feed`."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > DOCUMENT:
            raise Refused(
                413,
                "too_large",
                f"application/json takes {DOCUMENT} bytes; send application/jsonlines",
            )
        yield from ()

    def close(self) -> Iterator[Slice]:
        """As `Reader.close`."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        document = self._parsed(body)
        instances = document.get("instances") if hasattr(document, "get") else None
        if not isinstance(instances, simdjson.Array | list):
            raise Refused(400, "unparsable", 'the document must be {"instances": [...]}')
        if not len(instances):
            raise Refused(400, "empty", "the body holds no record")
        records, first = iter(instances), 0
        while taken := list(islice(records, self._most)):
            slots = self._signature.empty(len(taken))
            beside: Beside = [
                fill(self._signature, record, slots, k, first + k) for k, record in enumerate(taken)
            ]
            check_finite(slots, first)
            yield Slice(slots, len(taken), first, beside)
            first += len(taken)

    def _parsed(self, body: bytes) -> Any:
        try:
            document = simdjson.Parser().parse(body)
        except (ValueError, RuntimeError):
            return python_objects(body, None)
        if isinstance(document, simdjson.Object) and "instances" in document:
            instances = document["instances"]
            brackets = sum(tensor.brackets for tensor in self._signature.inputs)
            # as in _Lines._record: no bracket more than the inputs' own
            if isinstance(instances, simdjson.Array) and (
                _brackets(body) <= 1 + brackets * len(instances)
            ):
                return document
        return python_objects(body, None)


class LinesWriter:
    """A line a record: what came beside the inputs, then the outputs."""

    def __init__(self, signature: Signature, spools: Spools) -> None:
        self._names = signature.outputs
        self._file = spools.new()

    def add(self, part: Slice, outputs: Tensors) -> None:
        """As `Writer.add`."""
        for line in _written(part, outputs, self._names):
            self._file.write(line + b"\n")

    def close(self) -> IO[bytes]:
        """As `Writer.close`."""
        return self._file


class DocumentWriter:
    """``{"predictions": [record, ...]}``, each as in `LinesWriter`."""

    def __init__(self, signature: Signature, spools: Spools) -> None:
        self._names = signature.outputs
        self._file = spools.new()
        self._before = b'{"predictions":['

    def add(self, part: Slice, outputs: Tensors) -> None:
        """As `Writer.add`."""
        for record in _written(part, outputs, self._names):
            self._file.write(self._before + record)
            self._before = b","

    def close(self) -> IO[bytes]:
        """As `Writer.close`."""
        self._file.write(b"]}")
        return self._file


def _written(part: Slice, outputs: Tensors, names: Sequence[str]) -> Iterator[bytes]:
    beside: Any = [] if part.beside is None else part.beside
    entries = beside if isinstance(beside, list) else beside.to_pylist()
    arrays = {name: outputs[name].copy(order="C") for name in names}
    for k in range(part.records):
        record = dict(entries[k]) if entries else {}
        record |= {name: array[k] for name, array in arrays.items()}
        try:
            yield orjson.dumps(record, default=str, option=orjson.OPT_SERIALIZE_NUMPY)
        except TypeError as problem:  # numbers beyond 64 bits, broken text, nesting without end
            raise Refused(
                400,
                "unwritable",
                f"what came beside the inputs cannot be written: {problem}",
                part.first + k,
            ) from None
