"""A model was promoted → its deploy pipeline is called, once → DeployCalled or DeployCallFailed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from signalbox.adapters.bus import EventBus
from signalbox.adapters.deploy_pipelines import DeployPipelines
from signalbox.adapters.objects import Objects
from signalbox.adapters.promotion_table import PromotionTable
from signalbox.adapters.secrets import Tokens
from signalbox.adapters.topics import Topic
from signalbox.adapters.workloads import shipped_operations
from signalbox.contracts.own import ModelPromoted, Said
from signalbox.domain.deploying import Deploying, Outcome, hosts_of
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import OnModelPromotedSettings, load


@cache
def deploying() -> Deploying:
    """Compose what a promoted model meets."""
    told = load(OnModelPromotedSettings)
    return Deploying(
        operations=shipped_operations(Objects(told.artifact_bucket), told.workloads_key),
        hosts=hosts_of(told.deploy_hosts),
        claims=PromotionTable(told.operations_table),
        secrets=Tokens(),
        pipelines=DeployPipelines(),
        topic=Topic(told.models_topic),
        bus=EventBus(told.bus_name),
    )


@entrypoint(Said[ModelPromoted], OnModelPromotedSettings)
def handler(event: Said[ModelPromoted]) -> Outcome:
    """Call the deploy pipeline."""
    return deploying().deploy(event.detail, datetime.now(UTC))
