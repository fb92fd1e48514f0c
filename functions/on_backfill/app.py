"""A manifest was written under backfill/ → its Glue job run starts once → BackfillStarted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.backfills import BackfillTable
from signalbox.adapters.bus import EventBus
from signalbox.adapters.glue import GlueJob
from signalbox.adapters.objects import Objects
from signalbox.adapters.runs import ManifestFolder
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.backfill import Backfill, Step
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnBackfillSettings, load


@cache
def backfill() -> Backfill:
    """Compose what a manifest meets."""
    told = load(OnBackfillSettings)
    return Backfill(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        manifests=ManifestFolder(Objects(told.data_bucket)),
        claims=BackfillTable(told.backfill_table),
        job=GlueJob(told.glue_job),
        bus=EventBus(told.bus_name),
    )


@entrypoint(ObjectCreated, OnBackfillSettings)
def handler(event: ObjectCreated) -> Step:
    """Start the manifest's run."""
    return backfill().start(event.ref, datetime.now(UTC))
