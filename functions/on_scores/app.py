"""A score file was written under scores/ → units at risk are warned of, once an episode → FaultPredicted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.episodes import EpisodeTable
from signalbox.adapters.fleet_table import FleetTable
from signalbox.adapters.objects import Objects
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.alerting import Alerting, Outcome
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnScoresSettings, load


@cache
def alerting() -> Alerting:
    """Compose what a score file meets."""
    told = load(OnScoresSettings)
    return Alerting(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        store=Objects(told.data_bucket),
        episodes=EpisodeTable(told.episode_table),
        fleet=FleetTable(told.fleet_table),
        topic=Topic(told.alerts_topic),
        bus=EventBus(told.bus_name),
        portal=told.portal_url,
    )


@entrypoint(ObjectCreated, OnScoresSettings)
def handler(event: ObjectCreated) -> Outcome:
    """Warn of the units at risk."""
    return alerting().judge(event.ref, datetime.now(UTC))
