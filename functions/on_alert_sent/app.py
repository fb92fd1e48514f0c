"""AlertsTopic delivered an alert → its episode is noted as sent → nobody sends it again."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.episodes import EpisodeTable
from signalbox.contracts.sns import AlertNotification
from signalbox.domain.alerting import Ledger
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnAlertSentSettings, load


@cache
def ledger() -> Ledger:
    """Compose what an alert that is out meets."""
    return Ledger(EpisodeTable(load(OnAlertSentSettings).episode_table))


@entrypoint(AlertNotification, OnAlertSentSettings)
def handler(event: AlertNotification) -> str:
    """Note that the alert is out."""
    return ledger().note(event)
