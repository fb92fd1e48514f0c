"""The AWS that fits on a laptop: runs a built SAM template, and reads nothing else."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.chaos import Chaos
    from localcloud.cloud import Cloud
    from localcloud.endstate import EndState, end_state
    from localcloud.errors import DeployError
    from localcloud.journal import Record
    from localcloud.runtime.executors import EXECUTORS

__all__ = ["EXECUTORS", "Chaos", "Cloud", "DeployError", "EndState", "Record", "end_state"]

_PLACES = {
    "Chaos": "chaos", "Cloud": "cloud", "DeployError": "errors", "EXECUTORS": "runtime.executors",
    "EndState": "endstate", "Record": "journal", "end_state": "endstate",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import on first use: a cloud takes seconds to load, and most commands run beside one."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
