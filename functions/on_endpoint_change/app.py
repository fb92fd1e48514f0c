"""An endpoint came to rest → its new model is tried, kept or taken back → ModelPromoted, PromotionFailed."""

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
from signalbox.contracts.packages import EndpointChange
from signalbox.domain.in_service import InService
from signalbox.domain.promoting import Promoting, Step
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnEndpointChangeSettings, load


@cache
def promoting() -> Promoting:
    """Compose what an endpoint meets that came to rest."""
    told = load(OnEndpointChangeSettings)
    table, files = PromotionTable(told.operations_table), Objects(told.data_bucket)
    packages = ModelRegistry()
    workloads = shipped_workloads(Objects(told.artifact_bucket), told.workloads_key)
    hosting = Hosting(told.endpoint_role, told.endpoint_instance_type, told.endpoint_device)
    return Promoting(
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


@entrypoint(EndpointChange, OnEndpointChangeSettings)
def handler(event: EndpointChange) -> Step:
    """Judge what the endpoint serves now."""
    return promoting().settled(event.detail.name, datetime.now(UTC))
