"""People are told of a thing once, however often its event comes.

SNS knows no idempotency token that reaches people. So who sets out to tell claims the thing in a ledger
first, and notes it as told when the topic has taken the mail. Of deliveries at the same time one tells;
the others, and every retry until the lease is over, are sent away to come again. Who finds a claim whose
lease is over tells. So nothing goes untold, and a thing is told twice only if the power fails between
the topic's answer and the note: one mail more for each such failure, never one less.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal, Protocol

from signalbox.contracts.alerts import Message
from signalbox.errors import Transient

LEASE = timedelta(seconds=90)
"""Longer than the time-out of a door that tells (60 s), so that nobody holds it any more; shorter than
Lambda's two retries of an asynchronous call together (1 + 2 minutes), so that the second can take over."""

Claim = Literal["claimed", "held", "told"]


class Topic(Protocol):
    """Where mails go out to people."""

    def publish(self, message: Message) -> None:
        """Send a message to all whose subscription it fits."""


class Ledger(Protocol):
    """What was told. Every change is conditional: of two contenders one wins."""

    def claim(self, thing: str, now: datetime) -> Claim:
        """Claim a thing unless it was told or is held; a claim older than ``LEASE`` holds nothing."""

    def note(self, thing: str) -> None:
        """Note that a claimed thing was told."""


@contextmanager
def once(ledger: Ledger, thing: str, now: datetime) -> Iterator[bool]:
    """Tell of a thing inside the block, if it says True; it is noted when the block ends well.

    Args:
        ledger: what was told.
        thing: what it is about, any text; the same for every delivery of the same.
        now: the time of this delivery.

    Raises:
        Transient: somebody else may be telling it right now.
    """
    standing = ledger.claim(thing, now)
    if standing == "held":
        raise Transient(
            f"{thing} may be being told by another invocation; its lease ends after "
            f"{LEASE.seconds} s"
        )
    yield standing == "claimed"
    if standing == "claimed":
        ledger.note(thing)
