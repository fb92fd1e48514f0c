"""Somebody put AlertFeedback on the bus → the verdict stands on its episode → FeedbackRecorded."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.episodes import EpisodeTable
from signalbox.adapters.objects import Objects
from signalbox.contracts.alerts import AlertFeedback
from signalbox.domain.feedback import Heard, Hearing
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnFeedbackSettings, load


@cache
def hearing() -> Hearing:
    """Compose what feedback meets."""
    told = load(OnFeedbackSettings)
    return Hearing(
        episodes=EpisodeTable(told.episode_table),
        files=Objects(told.data_bucket),
        bus=EventBus(told.bus_name),
    )


@entrypoint(AlertFeedback, OnFeedbackSettings)
def handler(event: AlertFeedback) -> Heard:
    """Keep the verdict."""
    return hearing().hear(event.detail)
