"""The AWS that fits on a laptop: runs a built SAM template, and reads nothing else."""

from localcloud.chaos import Chaos
from localcloud.cloud import Cloud
from localcloud.endstate import EndState, end_state
from localcloud.errors import DeployError
from localcloud.journal import Record
from localcloud.runtime.executors import EXECUTORS

__all__ = ["EXECUTORS", "Chaos", "Cloud", "DeployError", "EndState", "Record", "end_state"]
