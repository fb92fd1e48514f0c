"""application/x-npy, one array, and application/x-npz, an array an input, records first."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

import numpy as np

from containers.onnx_inference.formats.contract import Spools
from containers.onnx_inference.records import Slice, check_finite, from_numbers
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Array, Signature, Tensor, Tensors

LARGEST = 256 * 2**20
"""Bytes of the arrays of a request: they are held in memory, unlike lines and Parquet."""


class NpyReader:
    """Reads both; of an archive, members that are no inputs are passed over."""

    def __init__(self, signature: Signature, most: int, spools: Spools, archive: bool) -> None:
        if not archive and len(signature.inputs) > 1:
            names = ", ".join(tensor.name for tensor in signature.inputs)
            raise Refused(
                415, "wrong_content_type", f"several inputs ({names}): send application/x-npz"
            )
        self._signature = signature
        self._most = most
        self._archive = archive
        self._file = spools.new()

    def feed(self, piece: bytes) -> Iterator[Slice]:
        """As `Reader.feed`."""
        self._file.write(piece)
        if self._file.tell() > LARGEST:
            raise Refused(413, "too_large", f"arrays take {LARGEST} bytes; send Parquet or lines")
        yield from ()

    def close(self) -> Iterator[Slice]:
        """As `Reader.close`."""
        self._file.seek(0)
        arrays = self._members() if self._archive else self._array()
        counts = {name: len(array) for name, array in arrays.items()}
        records = min(counts.values())
        if len(set(counts.values())) > 1:
            raise Refused(400, "wrong_shape", f"the inputs differ in records: {counts}")
        if not records:
            raise Refused(400, "empty", "the body holds no record")
        for first in range(0, records, self._most):
            inputs = {}
            for tensor in self._signature.inputs:
                taken = arrays[tensor.name][first : first + self._most]
                inputs[tensor.name] = np.ascontiguousarray(
                    from_numbers(tensor, taken.reshape(len(taken), -1), first)
                    if taken.dtype != tensor.dtype
                    else taken
                )
            check_finite(inputs, first)
            yield Slice(inputs, len(taken), first)

    def _array(self) -> Tensors:
        (tensor,) = self._signature.inputs
        try:
            array = _read(self._file)
        except (
            ValueError,
            EOFError,
            MemoryError,
            OverflowError,
            SyntaxError,
            TypeError,
        ) as problem:
            raise Refused(400, "unparsable", f"not an .npy file: {_first_line(problem)}") from None
        return {tensor.name: _checked(tensor, array)}

    def _members(self) -> Tensors:
        try:
            with zipfile.ZipFile(self._file) as archive:
                members = {info.filename: info for info in archive.infolist()}
                return {t.name: self._member(archive, members, t) for t in self._signature.inputs}
        except (
            zipfile.BadZipFile, ValueError, EOFError, MemoryError, OverflowError, SyntaxError,
            TypeError, OSError, NotImplementedError, RuntimeError, zlib.error,
        ) as problem:  # fmt: skip
            raise Refused(
                400, "unparsable", f"not an .npz archive: {_first_line(problem)}"
            ) from None

    def _member(
        self, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], tensor: Tensor
    ) -> Array:
        info = members.get(f"{tensor.name}.npy") or members.get(tensor.name)
        if info is None:
            raise Refused(400, "missing_input", f"input {tensor.name!r} is missing", None)
        if info.file_size > LARGEST:
            raise Refused(413, "too_large", f"{info.filename} unpacks to {info.file_size} bytes")
        with archive.open(info) as member:
            return _checked(tensor, _read(member))


def _read(file: IO[bytes]) -> Array:
    array: Array = np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]
    return array


def _checked(tensor: Tensor, array: Array) -> Array:
    if array.dtype.kind not in "fiub":
        raise Refused(400, "wrong_type", f"input {tensor.name!r} holds {array.dtype}, not numbers")
    if array.ndim == 0 or array.shape[1:] != tensor.shape:
        wanted = "".join(f", {length}" for length in tensor.shape)
        raise Refused(
            400,
            "wrong_shape",
            f"input {tensor.name!r} must be (records{wanted}), not {array.shape}",
        )
    return array


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]


class NpyWriter:
    """An array, or an archive with one for each output."""

    def __init__(self, signature: Signature, spools: Spools, archive: bool) -> None:
        self._names = signature.outputs
        self._archive = archive
        self._parts: list[Tensors] = []
        self._spools = spools

    def add(self, part: Slice, outputs: Tensors) -> None:
        """As `Writer.add`."""
        del part
        self._parts.append(outputs)

    def close(self) -> IO[bytes]:
        """As `Writer.close`."""
        arrays = {
            name: np.concatenate([part[name] for part in self._parts]) for name in self._names
        }
        file = self._spools.new()
        if self._archive:
            np.savez(file, allow_pickle=False, **arrays)
        else:
            np.save(file, arrays[self._names[0]], allow_pickle=False)
        file.seek(0, 2)
        return file
