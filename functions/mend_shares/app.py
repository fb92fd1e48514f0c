"""An hour has passed → shares of cards that differ from what is wanted are mended → ModelCardShared."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.contracts.schedule import Scheduled
from signalbox.domain.sharing import Outcome, Sharing
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import MendSharesSettings, load
from signalbox.runtime.sharing import compose


@cache
def sharing() -> Sharing:
    """Compose what an hour meets."""
    return compose(load(MendSharesSettings))


@entrypoint(Scheduled, MendSharesSettings)
def handler(event: Scheduled) -> Outcome:  # noqa: ARG001 - the hour says nothing else
    """Mend what differs."""
    return sharing().mend(datetime.now(UTC))
