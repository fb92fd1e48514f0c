"""Many things are to be done, and the trouble of one must not keep the others from their turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from signalbox.errors import SignalboxError


@dataclass(slots=True)
class Troubles:
    """What went wrong meanwhile; only the first is kept, which Lambda then tells and tries again."""

    first: SignalboxError | None = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Do one of the things; its trouble waits for `tell`."""
        try:
            yield
        except SignalboxError as trouble:
            self.first = self.first or trouble

    def tell(self) -> None:
        """Raise the first trouble, if there was one.

        Raises:
            SignalboxError: that.
        """
        if self.first is not None:
            raise self.first
