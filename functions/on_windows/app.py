"""The windows of a run are complete → its transform job starts → ScoringStarted, or FleetScored of none."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.objects import Objects
from signalbox.adapters.sagemaker import BatchInference, ModelContainer
from signalbox.adapters.scoring_files import WindowsFolder
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.scores import Ask, Asked
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnWindowsSettings, load


@cache
def ask() -> Ask:
    """Compose what the windows of a run meet."""
    told = load(OnWindowsSettings)
    container = ModelContainer(
        image=told.onnx_inference_image,
        role=told.inference_role,
        instance_type=told.inference_instance_type,
        device=told.inference_device,
        data_bucket=told.data_bucket,
    )
    return Ask(
        windows=WindowsFolder(Objects(told.data_bucket)),
        inference=BatchInference(container),
        bus=EventBus(told.bus_name),
    )


@entrypoint(ObjectCreated, OnWindowsSettings)
def handler(event: ObjectCreated) -> Asked:
    """Have the windows scored."""
    return ask().about(event.ref)
