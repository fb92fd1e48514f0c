"""What an engine is: a service's runs, played status by status.

A run is put on the agenda, its state is told to the API at every step, what really runs is run,
and the events AWS would emit go on the default bus.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Engine(Protocol):
    """A service that runs something."""

    def close(self) -> None:
        """Stop whatever still runs."""


class Outside(Protocol):
    """Does work outside of virtual time.

    While the cloud runs until idle, the work is done at once and time stands still. While it serves
    in real time, the work goes on beside it and `then` runs on the agenda afterwards.
    """

    def __call__(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do `work`, then hand its result to `then`."""
