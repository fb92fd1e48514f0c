"""What an executor is: it runs one invocation of one function, and nothing else.

Queues, retries and destinations are the cloud's business; the executor gets a function, a payload
and a request id, and says what came of it. In-process is one; a subprocess that speaks Lambda's
Runtime API fits the same protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class FunctionSpec:
    """All an executor needs to know of a deployed function.

    Attributes:
        name: function name.
        arn: function ARN.
        handler: module.attribute.
        code: folder of the built package.
        layers: built layer folders, in the function's order (each holds `python/`).
        environment: the complete process environment, credentials included.
        timeout_s: seconds one invocation may take.
        memory_mb: memory size.
        region: region.
        log_group: CloudWatch log group.
        log_stream: CloudWatch log stream.
    """

    name: str
    arn: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    environment: Mapping[str, str]
    timeout_s: int
    memory_mb: int
    region: str
    log_group: str
    log_stream: str

    @property
    def folders(self) -> list[Path]:
        """Where the function's modules are looked for: its code, then its layers.

        Of two layers that hold the same file the one listed last counts ("Managing Lambda
        dependencies with layers": layers are extracted one over the other).
        """
        return [self.code, *(layer / "python" for layer in reversed(self.layers))]


@dataclass(frozen=True)
class FunctionError:
    """How a function failed: what Lambda puts into the answer of a failed invocation.

    Attributes:
        type: name of the exception, or Lambda's own such as Runtime.ExitError.
        message: what it says.
        trace: the function's frames; None where Lambda speaks and not the runtime in the function.
    """

    type: str
    message: str
    trace: tuple[str, ...] | None = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one invocation.

    Attributes:
        payload: what the handler returned, as JSON data; None if it failed.
        error: how it failed; None if it did not.
        facts: for the journal: `start` is cold or warm, `duration_ms` the real time of the
            invocation, `memory_mb` the most memory seen (where the executor can tell).
    """

    payload: Any
    error: FunctionError | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def response(self, request_id: str) -> Any:
        """The payload of Lambda's answer: the result, or the error object."""
        if self.error is None:
            return self.payload
        if self.error.trace is None:
            return {"errorType": self.error.type, "errorMessage": self.error.message}
        return {
            "errorMessage": self.error.message,
            "errorType": self.error.type,
            "requestId": request_id,
            "stackTrace": list(self.error.trace),
        }


class Executor(Protocol):
    """Runs functions.

    Attributes:
        outside: whether functions run in other processes, and so need the cloud's endpoint.
    """

    outside: bool

    def invoke(
        self,
        spec: FunctionSpec,
        payload: Any,
        request_id: str,
        log: Callable[[str], None],
        at: datetime,
    ) -> Outcome:
        """Run one invocation to its end, handing each line of output to `log`.

        `at` is the virtual instant: the function's clock starts there and goes on in real time.
        """

    def kill(self, name: str) -> bool:
        """Kill what the function is doing now, as if its machine were lost; False if it is idle.

        The invocation ends with Runtime.ExitError and the next one starts cold.
        """

    def close(self) -> None:
        """Give back everything the executor holds."""
