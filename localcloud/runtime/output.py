"""What a function prints, line by line."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class LineStream(io.TextIOBase):
    """A text stream that hands every complete line to whoever listens.

    A logging handler made at cold start keeps the stream it was given, so the stream lives as long
    as the function and only its listener changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._listener: Callable[[str], None] | None = None
        self._open = ""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Take text; complete lines go out at once."""
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            self._emit(line)
        return len(text)

    @contextmanager
    def heard_by(self, listener: Callable[[str], None]) -> Iterator[None]:
        """Lines go to this listener; an unfinished last line counts as a line at the end."""
        before, self._listener = self._listener, listener
        try:
            yield
        finally:
            if self._open:
                line, self._open = self._open, ""
                self._emit(line)
            self._listener = before

    def _emit(self, line: str) -> None:
        if self._listener is not None and line.strip():
            self._listener(line)
