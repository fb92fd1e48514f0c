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

    def invoke(
        self,
        spec: FunctionSpec,
        payload: Any,
        request_id: str,
        log: Callable[[str], None],
        at: datetime,
    ) -> Outcome:
        """Run one invocation; a function may call itself or others meanwhile."""
        return _Invocation(self, spec, request_id, log, at).run(json.dumps(payload).encode())

    def kill(self, name: str) -> bool:
        """Kill the function's processes that are at work now, from any thread."""
        with self._lock:
            busy = list(self._busy[name])
        for execution in busy:
            execution.kill()
        return bool(busy)

    def close(self) -> None:
        """Kill every process."""
        with self._lock:
            pools = (*self._idle.values(), *self._busy.values())
            left = [execution for pool in pools for execution in pool]
            self._idle.clear()
        for execution in left:
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
        """A process that was just started, busy."""
        with self._lock:
            self._libraries = self._libraries or Libraries()
            execution = Execution(spec, self._libraries, at)
            self._busy[spec.name].append(execution)
            return execution

    def give_back(self, execution: Execution, *, usable: bool) -> None:
        """The invocation is over; keep the process warm or end it."""
        with self._lock:
            self._busy[execution.spec.name].remove(execution)
            if usable:
                self._idle[execution.spec.name].append(execution)
        if not usable:
            execution.close()


class _Invocation:
    """One invocation on its way through one or two processes."""

    def __init__(
        self,
        executor: RicExecutor,
        spec: FunctionSpec,
        request_id: str,
        log: Callable[[str], None],
        at: datetime,
    ) -> None:
        self._executor = executor
        self._spec = spec
        self._request_id = request_id
        self._log = log
        self._at = at
        self._begun = time.monotonic()
        self._facts: dict[str, Any] = {"start": "warm"}

    def run(self, payload: bytes) -> Outcome:
        execution = self._executor.warm(self._spec)
        if execution is not None and execution.start(self._spec.timeout_s, self._log) != "ready":
            self._executor.give_back(execution, usable=False)  # it ended while it was idle
            execution = None
        failed: FunctionError | None = None
        if execution is None:
            self._facts["start"] = "cold"
            execution, failed = self._cold()
        if failed is not None:
            return self._outcome(execution, "exited", failed)
        deadline = self._begun + self._spec.timeout_s
        end = execution.run(self._request_id, payload, self._at, deadline, self._log)
        return self._outcome(execution, end, self._failure(execution, end))

    def _cold(self) -> tuple[Execution, FunctionError | None]:
        """Init, and once more within the invocation if it failed."""
        execution = self._executor.started(self._spec, self._at)
        end = execution.start(self._executor.init_limit_s, self._log)
        self._facts["init_ms"] = self._since_begun()
        self._begun = time.monotonic()
        if end == "ready":
            return execution, None
        self._executor.give_back(execution, usable=False)
        execution = self._executor.started(self._spec, self._at)
        end = execution.start(self._spec.timeout_s, self._log)
        return execution, None if end == "ready" else self._failure(execution, end)

    def _failure(self, execution: Execution, end: End) -> FunctionError | None:
        if end == "too late":
            return timed_out(self._request_id, self._spec.timeout_s)
        if end == "too much memory":
            return killed(self._request_id)
        if end == "exited":
            return exited(self._request_id, execution.status)
        return execution.answer.error if execution.answer is not None else None

    def _outcome(self, execution: Execution, end: End, error: FunctionError | None) -> Outcome:
        self._facts["duration_ms"] = self._since_begun()
        self._facts["memory_mb"] = round(execution.memory_mb)
        answer = execution.answer
        if error is not None and error.trace is None:
            self._log(f"{error.message}\n{error.type}")
        usable = end == "answered" and (error is None or error.trace is not None)
        self._executor.give_back(execution, usable=usable)
        if error is not None or answer is None:
            return Outcome(None, error, self._facts)
        return Outcome(result_of(answer.body), None, self._facts)

    def _since_begun(self) -> int:
        return round((time.monotonic() - self._begun) * 1000)
