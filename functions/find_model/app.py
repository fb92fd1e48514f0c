"""A batch run asks for its model → the latest approved package is looked up → it is named, or none is."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.promotion_table import PromotionTable
from signalbox.contracts.registry import FoundModel, ModelAsked, NoModel
from signalbox.domain.registry import serving
from signalbox.runtime.answering import answering
from signalbox.runtime.settings import FindModelSettings, load


@cache
def registry() -> ModelRegistry:
    """Compose where models are registered."""
    return ModelRegistry()


@cache
def promotions() -> PromotionTable:
    """Compose where promotions are noted."""
    return PromotionTable(load(FindModelSettings).operations_table)


@answering(ModelAsked, FindModelSettings)
def handler(asked: ModelAsked) -> FoundModel | NoModel:
    """Look the model up."""
    return serving(asked.workload, registry(), promotions().standing(asked.workload).coming)
