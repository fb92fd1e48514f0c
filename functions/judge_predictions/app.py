"""A day has passed → predictions whose time is up are held against the fault log → PredictionsJudged."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.episodes import EpisodeTable
from signalbox.adapters.fleet_table import FleetTable
from signalbox.adapters.objects import Objects
from signalbox.contracts.schedule import Scheduled
from signalbox.domain.judging import Judged, Judging
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import JudgePredictionsSettings, load


@cache
def judging() -> Judging:
    """Compose what matured predictions meet."""
    told = load(JudgePredictionsSettings)
    return Judging(
        episodes=EpisodeTable(told.episode_table),
        faults=FleetTable(told.fleet_table),
        files=Objects(told.data_bucket),
        bus=EventBus(told.bus_name),
    )


@entrypoint(Scheduled, JudgePredictionsSettings)
def handler(event: Scheduled) -> Judged:
    """Judge what is due."""
    return judging().judge(event.time)
