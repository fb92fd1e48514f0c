"""A sensor file was deleted from raw/ → a tombstone is written → CycleFeaturesWithdrawn."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.objects import Objects
from signalbox.contracts.s3 import ObjectDeleted
from signalbox.domain.intake import Outcome, Withdrawal
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnSensorFileDeletedSettings, load


@cache
def withdrawal() -> Withdrawal:
    """Compose what a deletion meets."""
    told = load(OnSensorFileDeletedSettings)
    return Withdrawal(store=Objects(told.data_bucket), bus=EventBus(told.bus_name))


@entrypoint(ObjectDeleted, OnSensorFileDeletedSettings)
def handler(event: ObjectDeleted) -> Outcome:
    """Withdraw the file."""
    return withdrawal().withdraw(event)
