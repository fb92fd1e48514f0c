"""A transform job ended → its run is told, or its units become due again → FleetScored or ScoringFailed."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.objects import Objects
from signalbox.adapters.scoring_files import WindowsFolder
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.contracts.sagemaker import TransformJobChange
from signalbox.domain.scores import Outcome
from signalbox.domain.scoring import Retry
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnScoringChangeSettings, load


@cache
def outcome() -> Outcome:
    """Compose what the end of a run meets."""
    told = load(OnScoringChangeSettings)
    return Outcome(
        windows=WindowsFolder(Objects(told.data_bucket)),
        retry=Retry(table=ScoringTable(told.scoring_table), bus=EventBus(told.bus_name)),
    )


@entrypoint(TransformJobChange, OnScoringChangeSettings)
def handler(event: TransformJobChange) -> str:
    """Tell what became of the run."""
    return outcome().tell(event)
