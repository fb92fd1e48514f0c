"""SageMaker, assembled: its kinds of jobs, and the operations that are answered as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.bus import Bus
from localcloud.engines.base import Outside
from localcloud.engines.pipelines.api import Pipelines
from localcloud.engines.processing import ProcessingJobs
from localcloud.engines.registry import Registry
from localcloud.engines.runs import Runs
from localcloud.engines.sagemaker import SageMakerJobs
from localcloud.engines.training import TrainingJobs
from localcloud.engines.transform import TransformJobs
from localcloud.engines.tuning import TuningJobs
from localcloud.operations import Answers
from localcloud.world import World

_JOBS = (ProcessingJobs, TrainingJobs, TransformJobs)


def jobs(world: World, bus: Bus, runs: Runs) -> Mapping[str, SageMakerJobs]:
    """By kind, who plays its jobs."""
    return {each.kind: each(world, bus, runs) for each in _JOBS}


def answers(world: World, bus: Bus, runs: Runs, outside: Outside) -> Mapping[str, Answers]:
    """By operation, who answers it."""
    return {
        **Pipelines(world, bus, runs, outside).answers(),
        **TuningJobs(world, bus, runs).answers(),
        **Registry(world, bus).answers(),
    }
