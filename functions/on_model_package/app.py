"""A model package changed → its owner hears or it goes into service → ModelPendingApproval, ModelPromoted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.endpoints import Hosting, SageMakerEndpoints
from signalbox.adapters.objects import Objects
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.promotion_table import PromotionTable
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import operations_of, scored, shipped_workloads
from signalbox.contracts.packages import ModelPackageChange
from signalbox.domain.approving import Approval, Outcome
from signalbox.domain.in_service import InService
from signalbox.domain.promoting import Promoting
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnModelPackageSettings, load


@cache
def approval() -> Approval:
    """Compose what a change of a package meets."""
    told = load(OnModelPackageSettings)
    table, files = PromotionTable(told.operations_table), Objects(told.data_bucket)
    packages = ModelRegistry()
    workloads = shipped_workloads(Objects(told.artifact_bucket), told.workloads_key)
    hosting = Hosting(told.endpoint_role, told.endpoint_instance_type, told.endpoint_device)
    promoting = Promoting(
        operations=operations_of(workloads),
        packages=packages,
        promotions=table,
        endpoints=SageMakerEndpoints(hosting),
        files=files,
        claims=table,
        topic=Topic(told.models_topic),
        bus=EventBus(told.bus_name),
        in_service=InService(scored(workloads), packages, files),
    )
    return Approval(promoting, files)


@entrypoint(ModelPackageChange, OnModelPackageSettings)
def handler(event: ModelPackageChange) -> Outcome:
    """Do what the package's status asks for."""
    return approval().judge(event, datetime.now(UTC))
