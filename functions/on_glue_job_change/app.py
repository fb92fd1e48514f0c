"""A run of the Glue job ended → its report is told → CycleFeaturesReady or BackfillFailed."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.backfills import BackfillTable
from signalbox.adapters.bus import EventBus
from signalbox.adapters.objects import Objects
from signalbox.adapters.rejections import Rejections
from signalbox.adapters.runs import RunFolder
from signalbox.contracts.glue import JobStateChange
from signalbox.domain.backfill import Debrief, Ending
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnGlueJobChangeSettings, load


@cache
def debrief() -> Debrief:
    """Compose what the end of a run meets."""
    told = load(OnGlueJobChangeSettings)
    objects, bus = Objects(told.data_bucket), EventBus(told.bus_name)
    return Debrief(
        runs=RunFolder(objects),
        claims=BackfillTable(told.backfill_table),
        rejections=Rejections(objects, bus),
        bus=bus,
    )


@entrypoint(JobStateChange, OnGlueJobChangeSettings)
def handler(event: JobStateChange) -> Ending:
    """Tell what became of the run."""
    return debrief().tell(event)
