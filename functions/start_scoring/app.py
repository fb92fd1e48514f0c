"""Five minutes are over → units that are due become one scoring run, and its windows job starts."""

from __future__ import annotations

from functools import cache

from signalbox.adapters.objects import Objects
from signalbox.adapters.sagemaker import WindowsProcessing, WindowsProgram
from signalbox.adapters.scoring_files import ModelShelf, RequestFolder
from signalbox.adapters.scoring_table import ScoringTable
from signalbox.adapters.workloads import shipped_workloads
from signalbox.contracts.schedule import Scheduled
from signalbox.domain.scoring import Scoring, Started
from signalbox.runtime.entrypoint import entrypoint
from signalbox.runtime.settings import StartScoringSettings, load


@cache
def scoring() -> Scoring:
    """Compose what due units meet."""
    told = load(StartScoringSettings)
    objects = Objects(told.data_bucket)
    program = WindowsProgram(
        image=told.programs_image,
        role=told.windows_job_role,
        instance_type=told.windows_instance_type,
        data_bucket=told.data_bucket,
        fleet_table=told.fleet_table,
        artifact_bucket=told.artifact_bucket,
        kernel_key=told.kernel_key,
        workloads_key=told.workloads_key,
    )
    return Scoring(
        workloads=shipped_workloads(Objects(told.artifact_bucket), told.workloads_key),
        models=ModelShelf(objects),
        table=ScoringTable(told.scoring_table),
        requests=RequestFolder(objects),
        jobs=WindowsProcessing(program),
    )


@entrypoint(Scheduled, StartScoringSettings)
def handler(event: Scheduled) -> Started:
    """Start what is due."""
    return scoring().start(event.time)
