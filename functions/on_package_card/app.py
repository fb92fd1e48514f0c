"""A package came or was judged, or its draft is shared → card made, filled, approved, archived → no event."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.card_notes import CardNotes
from signalbox.adapters.model_cards import ModelCards
from signalbox.adapters.objects import Objects
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.provenance import Provenance
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.card_events import CardOccasion
from signalbox.domain.cards import Cards, Outcome
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnPackageCardSettings, load


@cache
def cards() -> Cards:
    """Compose what a package or its draft meets."""
    told = load(OnPackageCardSettings)
    return Cards(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        registry=ModelRegistry(),
        provenance=Provenance(Objects(told.data_bucket)),
        shelf=ModelCards(told.card_key),
        notes=CardNotes(told.operations_table),
        topic=Topic(told.models_topic),
    )


@entrypoint(CardOccasion, OnPackageCardSettings)
def handler(event: CardOccasion) -> Outcome:
    """Begin the card of the version, or fill it; bring those of its group to where they belong."""
    bring = cards().fill if event.drafted else cards().settle
    return bring(event.detail.package, datetime.now(UTC))
