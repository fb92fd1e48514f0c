"""The composition that two doors share: who is to have cards, and everything that takes."""

from __future__ import annotations

from signalbox.adapters.bus import EventBus
from signalbox.adapters.card_notes import CardNotes
from signalbox.adapters.model_cards import ModelCards
from signalbox.adapters.objects import Objects
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.resource_shares import ResourceShares
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.cards import Stage
from signalbox.domain.sharing import Sharing
from signalbox.runtime.settings import SharingSettings


def compose(told: SharingSettings) -> Sharing:
    """Build what cards and their shares meet."""
    objects = Objects(told.data_bucket)
    accounts: dict[Stage, str] = {
        "dev": told.dev_account,
        "test": told.test_account,
        "prod": told.prod_account,
        "hub": told.hub_account,
    }
    _, partition, _, region, account = told.owner.split(":")
    return Sharing(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        accounts={stage: account for stage, account in accounts.items() if account},
        external=told.external_accounts == "true",
        owner=told.owner,
        approvals=ModelRegistry(),
        shelf=ModelCards(),
        shares=ResourceShares(account, region, partition),
        store=objects,
        notes=CardNotes(told.operations_table),
        topic=Topic(told.models_topic),
        bus=EventBus(told.bus_name),
    )
