"""A model failed its quality check → it is tuned anew, within limits → RetuneStarted or RetuneSuppressed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.dataset_table import DatasetTable
from signalbox.adapters.executions import PipelineExecutions
from signalbox.adapters.objects import Objects
from signalbox.adapters.retune_table import RetuneTable
from signalbox.adapters.told_table import ToldTable
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.pipelines import StepChange
from signalbox.domain.retuning import Retuned, Retuning
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnQualityFailureSettings, load


@cache
def retuning() -> Retuning:
    """Compose what a failed quality check meets."""
    told = load(OnQualityFailureSettings)
    executions = PipelineExecutions()
    return Retuning(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        executions=executions,
        retunes=RetuneTable(told.operations_table),
        history=DatasetTable(told.operations_table),
        starter=executions,
        tune_pipeline=told.tune_pipeline,
        inference_image=told.onnx_inference_image,
        ledger=ToldTable(told.operations_table),
        topic=Topic(told.models_topic),
        bus=EventBus(told.bus_name),
    )


@entrypoint(StepChange, OnQualityFailureSettings)
def handler(event: StepChange) -> Retuned:
    """Tune the model anew, or say why not."""
    return retuning().react(event, datetime.now(UTC))
