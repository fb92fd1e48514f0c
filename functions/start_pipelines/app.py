"""Files are complete, or a schedule is due → a pipeline starts → PipelineStarted, PipelineRefused."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.dataset_table import DatasetTable
from signalbox.adapters.executions import PipelineExecutions
from signalbox.adapters.objects import Objects
from signalbox.adapters.pipelines import PipelineProgram, SageMakerPipelines
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.adapters.told_table import ToldTable
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.datasets import Pipeline
from signalbox.contracts.schedule import Scheduled
from signalbox.domain.datasets import PipelineStart, Started
from signalbox.domain.schedules import Schedules, Tick
from signalbox.domain.truth import Predicted
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import StartPipelinesSettings, load


@cache
def pipelines() -> Tick:
    """Compose what complete files and schedules meet."""
    told = load(StartPipelinesSettings)
    program = PipelineProgram(
        image=told.programs_image,
        inference_image=told.onnx_inference_image,
        role=told.pipeline_job_role,
        instance_type=told.pipeline_instance_type,
        data_bucket=told.data_bucket,
        artifact_bucket=told.artifact_bucket,
        kernel_key=told.kernel_key,
        workloads_key=told.workloads_key,
        find_model=told.find_model,
    )
    names: dict[Pipeline, str] = {"train": told.train_pipeline, "batch": told.batch_pipeline}
    workloads = shipped_workloads(Objects(told.artifact_bucket), told.workloads_key)
    data, history = Objects(told.data_bucket), DatasetTable(told.operations_table)
    started, bus = SageMakerPipelines(names, program), EventBus(told.bus_name)
    ledger, topic = ToldTable(told.operations_table), Topic(told.models_topic)
    table, predicted = (
        ScoringTable(told.operations_table),
        Predicted(data, history, PipelineExecutions()),
    )
    files = PipelineStart(workloads, table, data, history, predicted, started, bus, ledger, topic)
    return Tick([files, Schedules(workloads, data, history, started, bus, ledger, topic)])


@entrypoint(Scheduled, StartPipelinesSettings)
def handler(_: Scheduled) -> Started:
    """Start what is complete or due."""
    return pipelines().start(datetime.now(UTC))  # not event.time: a retry has to outlast a claim
