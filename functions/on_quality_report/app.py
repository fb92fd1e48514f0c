"""A report of violations was written under monitoring/ → its owner is warned, once → DataQualityViolated."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.objects import Objects
from signalbox.adapters.told_table import ToldTable
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.quality import DataQuality, Reported
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnQualityReportSettings, load


@cache
def quality() -> DataQuality:
    """Compose what a report meets."""
    told = load(OnQualityReportSettings)
    return DataQuality(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        reports=Objects(told.data_bucket),
        ledger=ToldTable(told.operations_table),
        topic=Topic(told.models_topic),
        bus=EventBus(told.bus_name),
    )


@entrypoint(ObjectCreated, OnQualityReportSettings)
def handler(event: ObjectCreated) -> Reported:
    """Warn of what the report says."""
    return quality().report(event.ref, datetime.now(UTC))
