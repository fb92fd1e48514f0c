"""A file was written under registry/ or faults/ → its rows are merged → FleetRecordsMerged."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.fleet_files import FleetFolder
from signalbox.adapters.fleet_table import FleetTable
from signalbox.adapters.objects import Objects
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.s3 import ObjectCreated
from signalbox.domain.fleet import FleetIntake, Merged
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnFleetRecordSettings, load


@cache
def intake() -> FleetIntake:
    """Compose what a file about the fleet meets."""
    told = load(OnFleetRecordSettings)
    return FleetIntake(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        files=FleetFolder(Objects(told.data_bucket)),
        fleet=FleetTable(told.fleet_table),
        bus=EventBus(told.bus_name),
    )


@entrypoint(ObjectCreated, OnFleetRecordSettings)
def handler(event: ObjectCreated) -> Merged:
    """Merge the file."""
    return intake().take_in(event.ref, event.time)
