"""The AWS that fits on a laptop: runs a built SAM template, and reads nothing else."""

from localcloud.cloud import Cloud
from localcloud.errors import DeployError
from localcloud.journal import Record
from localcloud.runtime.executors import EXECUTORS

__all__ = ["EXECUTORS", "Cloud", "DeployError", "Record"]
