"""A windows job ended badly → the units of its run become due again, at most twice → ScoringFailed."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.contracts.sagemaker import ProcessingJobChange
from signalbox.domain.scoring import Failed, Retry
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnWindowsFailedSettings, load


@cache
def retry() -> Retry:
    """Compose what a failed run meets."""
    told = load(OnWindowsFailedSettings)
    return Retry(table=ScoringTable(told.scoring_table), bus=EventBus(told.bus_name))


@entrypoint(ProcessingJobChange, OnWindowsFailedSettings)
def handler(event: ProcessingJobChange) -> Failed:
    """Make the run's units due again."""
    return retry().windows_failed(event)
