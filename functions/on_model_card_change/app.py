"""A model card changed → it is shared as its state asks, and exported → ModelCardShared or its opposite."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.contracts.cards import ModelCardChange
from signalbox.domain.sharing import Outcome, Sharing
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnModelCardChangeSettings, load
from signalbox.runtime.sharing import compose


@cache
def sharing() -> Sharing:
    """Compose what a change of a card meets."""
    return compose(load(OnModelCardChangeSettings))


@entrypoint(ModelCardChange, OnModelCardChangeSettings)
def handler(event: ModelCardChange) -> Outcome:
    """Share the card as its state asks."""
    return sharing().settle(event.detail.name, datetime.now(UTC))
