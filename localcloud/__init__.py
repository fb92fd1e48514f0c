"""The AWS that fits on a laptop: runs a built SAM template, and reads nothing else."""

from localcloud.cloud import Cloud
from localcloud.errors import DeployError
from localcloud.journal import Record

__all__ = ["Cloud", "DeployError", "Record"]
