"""Cycle features are ready → their units are noted as due to be scored, nothing is started yet."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.objects import Objects
from signalbox.adapters.scoring_files import ModelShelf
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.own import CycleFeaturesReady, Said
from signalbox.domain.due import Due, Noted
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import ScoreFleetSettings, load


@cache
def due() -> Due:
    """Compose what new features meet."""
    told = load(ScoreFleetSettings)
    return Due(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        models=ModelShelf(Objects(told.data_bucket)),
        notes=ScoringTable(told.scoring_table),
    )


@entrypoint(Said[CycleFeaturesReady], ScoreFleetSettings)
def handler(event: Said[CycleFeaturesReady]) -> Noted:
    """Note the units."""
    return due().features_ready(event.detail, event.time)
