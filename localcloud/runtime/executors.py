"""The executors by name, for those who choose one."""

from __future__ import annotations

from collections.abc import Callable

from localcloud.runtime.base import Executor
from localcloud.runtime.inprocess import InProcessExecutor
from localcloud.runtime.ric import RicExecutor

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "inprocess": InProcessExecutor,
    "ric": RicExecutor,
}
"""`inprocess` is fast and deterministic, `ric` is what Lambda runs: see docs/localcloud.md."""
