"""A pipeline's run or step has another status → who asked for it is told by mail, once → no event."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.dataset_table import DatasetTable
from signalbox.adapters.executions import PipelineExecutions
from signalbox.adapters.objects import Objects
from signalbox.adapters.told_table import ToldTable
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.pipelines import PipelineChange
from signalbox.domain.notices import Noticed, Notices
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnPipelineChangeSettings, load


@cache
def notices() -> Notices:
    """Compose what a change of a pipeline meets."""
    told = load(OnPipelineChangeSettings)
    return Notices(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        executions=PipelineExecutions(),
        history=DatasetTable(told.operations_table),
        train_pipeline=told.train_pipeline,
        ledger=ToldTable(told.operations_table),
        topic=Topic(told.models_topic),
    )


@entrypoint(PipelineChange, OnPipelineChangeSettings)
def handler(event: PipelineChange) -> Noticed:
    """Tell who wants to hear of it."""
    return notices().tell(event, datetime.now(UTC))
