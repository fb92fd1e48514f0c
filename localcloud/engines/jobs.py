"""The kinds of SageMaker jobs that are played."""

from localcloud.engines.processing import ProcessingJobs
from localcloud.engines.training import TrainingJobs
from localcloud.engines.transform import TransformJobs

JOBS = (ProcessingJobs, TrainingJobs, TransformJobs)
