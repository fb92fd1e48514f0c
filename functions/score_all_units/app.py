"""The morning comes → all units are noted as due to be scored, nothing is started yet."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.objects import Objects
from signalbox.adapters.scoring_files import ModelShelf
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.schedule import Scheduled
from signalbox.domain.due import Due, Noted
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import ScoreAllUnitsSettings, load


@cache
def due() -> Due:
    """Compose what a new day meets."""
    told = load(ScoreAllUnitsSettings)
    return Due(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        models=ModelShelf(Objects(told.data_bucket)),
        notes=ScoringTable(told.scoring_table),
    )


@entrypoint(Scheduled, ScoreAllUnitsSettings)
def handler(event: Scheduled) -> Noted:
    """Note all units."""
    return due().all_units(event.time)
