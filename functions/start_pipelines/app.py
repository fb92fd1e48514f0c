"""Files of a workload are complete → they become a run of its pipeline → PipelineStarted, PipelineRefused."""

from __future__ import annotations

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
from signalbox.domain.truth import Predicted
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import StartPipelinesSettings, load


@cache
def pipelines() -> PipelineStart:
    """Compose what complete files meet."""
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
    history, folder = DatasetTable(told.operations_table), Objects(told.data_bucket)
    return PipelineStart(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        table=ScoringTable(told.operations_table),
        folder=folder,
        history=history,
        predicted=Predicted(folder, history, PipelineExecutions()),
        pipelines=SageMakerPipelines(names, program),
        bus=EventBus(told.bus_name),
        ledger=ToldTable(told.operations_table),
        topic=Topic(told.models_topic),
    )


@entrypoint(Scheduled, StartPipelinesSettings)
def handler(event: Scheduled) -> Started:
    """Start what is complete."""
    return pipelines().start(event.time)
