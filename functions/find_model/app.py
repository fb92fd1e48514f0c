"""A batch run asks for its model → the latest approved package is looked up → it is named, or none is."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.pipelines import Registry
from signalbox.contracts.registry import FoundModel, ModelAsked, NoModel
from signalbox.runtime.answering import answering
from signalbox.runtime.settings import FindModelSettings


@cache
def registry() -> Registry:
    """Compose where models are registered."""
    return Registry()


@answering(ModelAsked, FindModelSettings)
def handler(asked: ModelAsked) -> FoundModel | NoModel:
    """Look the model up."""
    return registry().approved(asked.workload) or NoModel()
