"""A sensor file was written under raw/ → its cycle fragments are cut → CycleFeaturesReady."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.kernel import CyclesKernel
from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.intake import Intake, Outcome
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnSensorFileSettings, load


@cache
def intake() -> Intake:
    """Compose what a sensor file meets."""
    told = load(OnSensorFileSettings)
    return Intake(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        store=Objects(told.data_bucket),
        kernel=CyclesKernel(),
        bus=EventBus(told.bus_name),
    )


@entrypoint(ObjectCreated, OnSensorFileSettings, batch=True)
def handler(event: ObjectCreated) -> Outcome:
    """Take the file in."""
    return intake().take_in(event.ref)
