"""A model package came or was judged → its model card is made and filled, approved or archived → no event."""

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
from signalbox.contracts.packages import ModelPackageChange
from signalbox.domain.cards import Cards, Outcome
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnPackageCardSettings, load


@cache
def cards() -> Cards:
    """Compose what a change of a package meets."""
    told = load(OnPackageCardSettings)
    return Cards(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        registry=ModelRegistry(),
        provenance=Provenance(Objects(told.data_bucket)),
        shelf=ModelCards(told.card_key),
        notes=CardNotes(told.operations_table),
        topic=Topic(told.models_topic),
    )


@entrypoint(ModelPackageChange, OnPackageCardSettings)
def handler(event: ModelPackageChange) -> Outcome:
    """Bring the card of the version to where it belongs."""
    return cards().settle(event, datetime.now(UTC))
