"""What a format must offer, and how the body of a request is taken in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import IO, Protocol

from containers.onnx_inference.records import Slice
from containers.onnx_inference.refusals import Refused
from containers.onnx_inference.signature import Signature, Tensors

SPOOL = 8 * 2**20
"""Bytes of a body or an answer kept in memory before it moves to a temporary file."""

BYTES_A_NUMBER = 64
"""Room for a number written out; a longer record than this and `BESIDE` allow is refused unread."""

BESIDE = 2**20
"""Room in a record for what is not its inputs."""


class Reader(Protocol):
    """Takes a body in piece by piece; both methods must be iterated to their end."""

    def feed(self, piece: bytes) -> Iterator[Slice]:
        """The slices that are complete with this piece.

        Raises:
            Refused: the body is not what it should be.
        """

    def close(self) -> Iterator[Slice]:
        """The slices that are left once the body has ended; raises as `feed` does."""


class Writer(Protocol):
    """Takes outputs in, in the order of the records."""

    def add(self, part: Slice, outputs: Tensors) -> None:
        """The outputs of a slice, by name, arrays (records, ...)."""

    def close(self) -> IO[bytes]:
        """The answer, positioned at its end."""


class Spools(ExitStack):
    """The temporary files of one request, gone with it."""

    def new(self) -> IO[bytes]:
        """A file in memory, on disk once it has grown."""
        return self.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL))


class LineReader:
    """Bodies with a record a line; of the body no more than a slice and a piece is held.

    Args:
        signature: of the model.
        most: records in a slice.
        parse: makes a slice of lines, given the place of the first.
    """

    def __init__(
        self, signature: Signature, most: int, parse: Callable[[Sequence[bytes], int], Slice]
    ) -> None:
        self._longest = BYTES_A_NUMBER * signature.width + BESIDE
        self._most = most
        self._parse = parse
        self._tail: list[bytes] = []  # of a line that has not ended
        self._tail_size = 0
        self._lines: list[bytes] = []
        self._row = 0

    def feed(self, piece: bytes) -> Iterator[Slice]:
        """As `Reader.feed`."""
        *ended, rest = piece.split(b"\n")
        if ended:
            ended[0] = b"".join([*self._tail, ended[0]])
            self._tail, self._tail_size = [], 0
            self._lines += ended
        self._tail.append(rest)
        self._tail_size += len(rest)
        if self._tail_size > self._longest:
            raise Refused(
                413, "record_too_large", f"a line is longer than {self._longest} bytes",
                self._row + len(self._lines),
            )  # fmt: skip
        whole = len(self._lines) - len(self._lines) % self._most
        yield from self._slices(whole)

    def close(self) -> Iterator[Slice]:
        """As `Reader.close`."""
        rest = b"".join(self._tail)
        if rest:
            self._lines.append(rest)
        if not self._row and not self._lines:
            raise Refused(400, "empty", "the body holds no record")
        yield from self._slices(len(self._lines))

    def _slices(self, lines: int) -> Iterator[Slice]:
        for start in range(0, lines, self._most):
            taken = self._lines[start : min(start + self._most, lines)]
            yield self._parse(taken, self._row)
            self._row += len(taken)
        del self._lines[:lines]
