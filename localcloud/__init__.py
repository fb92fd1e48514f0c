"""The AWS that fits on a laptop: runs a built SAM template, and reads nothing else."""

from localcloud.chaos import Chaos
from localcloud.cloud import Cloud
from localcloud.endstate import EndState, end_state
from localcloud.errors import DeployError
from localcloud.journal import Record

__all__ = ["Chaos", "Cloud", "DeployError", "EndState", "Record", "end_state"]
