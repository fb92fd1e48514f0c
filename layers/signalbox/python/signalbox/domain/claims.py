"""Things that are done once: claimed, done, noted as done; a claim left behind may be taken over.

What is claimed is done again only if its doer died between doing and noting it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from signalbox.errors import SignalboxError, Transient

LEASE = timedelta(seconds=90)
"""Longer than the time-out of the doors that claim (60 s), so that nobody holds it any more; shorter
than Lambda's two retries together (1 + 2 minutes), so that the second can take over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of claiming: ``mine``, ``inherited`` from somebody who died, ``busy`` or ``done``.

    ``outcome`` is what the last holder found before it died, if it got so far.
    """

    state: Literal["mine", "inherited", "busy", "done"]
    outcome: str | None = None


def asked(package: str, status: str) -> tuple[str, str]:
    """Return the key under which what a package's approval status asks for is done once."""
    return f"package#{package}", f"status#{status}"


class Claims(Protocol):
    """Notes of what was done. Every change is conditional: of two contenders one wins."""

    def claim(self, about: str, what: str, now: datetime) -> Claim:
        """Claim something, or learn that somebody has it or did it."""

    def keep(self, about: str, what: str, outcome: str) -> None:
        """Note what was found, on the way."""

    def done(self, about: str, what: str, now: datetime) -> None:
        """Note that it is done."""

    def forget(self, about: str, what: str) -> None:
        """Take a claim or note back: it may be done again."""


@dataclass(slots=True)
class Turn:
    """True for whoever has to do it; who sets ``again`` lets it be done another time."""

    mine: bool
    again: bool = False

    def __bool__(self) -> bool:
        return self.mine


@contextmanager
def held(claims: Claims, about: str, what: str, now: datetime) -> Iterator[Turn]:
    """Do what stands inside once; the block hears whether it has to.

    Raises:
        Transient: somebody else is doing it right now.
    """
    claim = claims.claim(about, what, now)
    if claim.state == "busy":
        raise Transient(f"{about} {what} is being done by another invocation")
    if claim.state == "done":
        yield Turn(mine=False)
        return
    turn = Turn(mine=True)
    try:
        yield turn
    except SignalboxError:  # it failed as a whole: whoever tries again need not wait
        claims.forget(about, what)
        raise
    if (
        turn.again
    ):  # never noted as done: were the power to fail between two notes, it would stay so
        claims.forget(about, what)
    else:
        claims.done(about, what, now)
