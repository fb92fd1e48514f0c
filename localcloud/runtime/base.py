"""What an executor is: it runs one invocation of one function, and nothing else.

Queues, retries and destinations are the cloud's business; the executor gets a function, a payload
and a request id, and says what came of it. In-process is one; a subprocess that speaks Lambda's
Runtime API fits the same protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
        """Where the function's modules are looked for, in Lambda's order: code, then layers."""
        return [self.code, *(layer / "python" for layer in self.layers)]


@dataclass(frozen=True)
class FunctionError:
    """How a function failed: what Lambda puts into the answer of a failed invocation."""

    type: str
    message: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one invocation.

    Attributes:
        payload: what the handler returned, as JSON data; None if it failed.
        error: how it failed; None if it did not.
    """

    payload: Any
    error: FunctionError | None

    def response(self, request_id: str) -> Any:
        """The payload of Lambda's answer: the result, or the error object."""
        if self.error is None:
            return self.payload
        return {
            "errorMessage": self.error.message,
            "errorType": self.error.type,
            "requestId": request_id,
            "stackTrace": list(self.error.trace),
        }


class Executor(Protocol):
    """Runs functions."""

    def invoke(
        self, spec: FunctionSpec, payload: Any, request_id: str, log: Callable[[str], None]
    ) -> Outcome:
        """Run one invocation to its end, handing each line of output to `log`."""

    def close(self) -> None:
        """Give back everything the executor holds."""
