"""A file was written under training/, inference/ or ground-truth/ → it waits for its workload's next run."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.objects import Objects
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.adapters.told_table import ToldTable
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.datasets import DatasetIntake, Noted
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnDatasetSettings, load


@cache
def intake() -> DatasetIntake:
    """Compose what a data file meets."""
    told = load(OnDatasetSettings)
    return DatasetIntake(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        notes=ScoringTable(told.operations_table),
        ledger=ToldTable(told.operations_table),
        topic=Topic(told.models_topic),
    )


@entrypoint(ObjectCreated, OnDatasetSettings)
def handler(event: ObjectCreated) -> Noted:
    """Note the file."""
    return intake().take_in(event.ref, event.time, datetime.now(UTC))
