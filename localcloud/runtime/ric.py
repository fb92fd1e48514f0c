"""Functions run in processes of their own, by the client that Lambda's Python runtime consists of.

Citation: "Understanding the Lambda execution environment lifecycle": init is limited to 10 seconds
and, if it failed, done again with the invocation, in the function's own time; after a timeout, a
crash or a kill the next invocation starts cold.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from localcloud.errors import LocalCloudError
from localcloud.runtime.base import FunctionError, FunctionSpec, Outcome
from localcloud.runtime.execution import End, Execution
from localcloud.runtime.faults import INIT_LIMIT_S, exited, killed, result_of, timed_out
from localcloud.runtime.libraries import Libraries


class RicExecutor:
    """Keeps the processes of each function warm; starts another where all are busy.

    Args:
        init_limit_s: seconds the first init may take.
    """

    outside = True

    def __init__(self, init_limit_s: float = INIT_LIMIT_S) -> None:
        self.init_limit_s = init_limit_s
        self._libraries: Libraries | None = None
        self._idle: dict[str, list[Execution]] = defaultdict(list)
        self._busy: dict[str, list[Execution]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closed = False

    def invoke(
        self,
        spec: FunctionSpec,
        payload: Any,
        request_id: str,
        log: Callable[[str], None],
        at: datetime,
    ) -> Outcome:
        """Run one invocation; a function may call itself or others meanwhile."""
        invocation = _Invocation(self, spec, request_id, log, at)
        try:
            return invocation.run(json.dumps(payload).encode())
        finally:
            if invocation.execution is not None:
                self.give_back(invocation.execution, usable=invocation.usable)

    def kill(self, name: str) -> bool:
        """Kill the function's processes that are at work now, from any thread."""
        with self._lock:
            busy = list(self._busy[name])
        for execution in busy:
            execution.kill()
        return bool(busy)

    def close(self) -> None:
        """Kill every process; those at work are given back by whoever waits for them."""
        with self._lock:
            self._closed = True
            idle = [execution for pool in self._idle.values() for execution in pool]
            busy = [execution for pool in self._busy.values() for execution in pool]
            self._idle.clear()
        for execution in busy:
            execution.kill()
        for execution in idle:
            execution.close()
        if self._libraries is not None:
            self._libraries.close()
            self._libraries = None

    def warm(self, spec: FunctionSpec) -> Execution | None:
        """An idle process of just this function, now busy."""
        with self._lock:
            idle = self._idle[spec.name]
            found = next((each for each in idle if each.spec == spec), None)
            if found is not None:
                idle.remove(found)
                self._busy[spec.name].append(found)
            return found

    def started(self, spec: FunctionSpec, at: datetime) -> Execution:
        """A process that was just started, busy.

        Raises:
            LocalCloudError: the executor was closed.
        """
        with self._lock:
            if self._closed:
                raise LocalCloudError(f"{spec.name} was invoked while the cloud was closing")
            self._libraries = self._libraries or Libraries()
            execution = Execution(spec, self._libraries, at)
            self._busy[spec.name].append(execution)
            return execution

    def give_back(self, execution: Execution, *, usable: bool) -> None:
        """The invocation is over; keep the process warm or end it."""
        with self._lock:
            self._busy[execution.spec.name].remove(execution)
            usable = usable and not self._closed
            if usable:
                self._idle[execution.spec.name].append(execution)
        if not usable:
            execution.close()


class _Invocation:
    """One invocation on its way through one or two processes.

    Attributes:
        execution: the process it holds.
        usable: whether that process may take another invocation.
    """

    def __init__(
        self,
        executor: RicExecutor,
        spec: FunctionSpec,
        request_id: str,
        log: Callable[[str], None],
        at: datetime,
    ) -> None:
        self.execution: Execution | None = None
        self.usable = False
        self._executor = executor
        self._spec = spec
        self._request_id = request_id
        self._log = log
        self._at = at
        self._begun = time.monotonic()
        self._facts: dict[str, Any] = {"start": "warm"}

    def run(self, payload: bytes) -> Outcome:
        execution, failed = self._taken()
        if failed is not None:
            return self._outcome(execution, failed)
        deadline = self._begun + self._spec.timeout_s
        end = execution.run(self._request_id, payload, self._at, deadline, self._log)
        failed = self._failure(execution, end)
        self.usable = end == "answered" and (failed is None or failed.trace is not None)
        return self._outcome(execution, failed)

    def _taken(self) -> tuple[Execution, FunctionError | None]:
        """A warm process that is ready, or a cold one; and how its init failed."""
        execution = self.execution = self._executor.warm(self._spec)
        if execution is None:
            return self._cold()
        if execution.start(self._spec.timeout_s, self._log) == "ready":
            return execution, None
        self._executor.give_back(execution, usable=False)  # it ended while it was idle
        return self._cold()

    def _cold(self) -> tuple[Execution, FunctionError | None]:
        """Init, and once more within the invocation if it failed."""
        self._facts["start"] = "cold"
        execution = self._started()
        end = execution.start(self._executor.init_limit_s, self._log)
        self._facts["init_ms"] = self._since_begun()
        self._begun = time.monotonic()
        if end == "ready":
            return execution, None
        self._executor.give_back(execution, usable=False)
        execution = self._started()
        end = execution.start(self._spec.timeout_s, self._log)
        return execution, None if end == "ready" else self._failure(execution, end)

    def _started(self) -> Execution:
        self.execution = None
        self.execution = self._executor.started(self._spec, self._at)
        return self.execution

    def _failure(self, execution: Execution, end: End) -> FunctionError | None:
        if end == "too late":
            return timed_out(self._request_id, self._spec.timeout_s)
        if end == "too much memory":
            return killed(self._request_id)
        if end == "exited":
            return exited(self._request_id, execution.status)
        return execution.answer.error if execution.answer is not None else None

    def _outcome(self, execution: Execution, failed: FunctionError | None) -> Outcome:
        self._facts["duration_ms"] = self._since_begun()
        self._facts["memory_mb"] = round(execution.memory_mb)
        if failed is not None and failed.trace is None:
            self._log(f"{failed.message}\n{failed.type}")
        if failed is not None or execution.answer is None:
            return Outcome(None, failed, self._facts)
        return Outcome(result_of(execution.answer.body), None, self._facts)

    def _since_begun(self) -> int:
        return round((time.monotonic() - self._begun) * 1000)
