"""The context object of Lambda's Python runtime.

Citation: "Using the Lambda context object to retrieve Python function information".
"""

from __future__ import annotations

import time

from localcloud.runtime.base import FunctionSpec


class LambdaContext:
    """What a handler gets as its second argument.

    Args:
        spec: the function.
        request_id: id of this invocation.
    """

    identity = None
    client_context = None
    function_version = "$LATEST"

    def __init__(self, spec: FunctionSpec, request_id: str) -> None:
        self.function_name = spec.name
        self.invoked_function_arn = spec.arn
        self.memory_limit_in_mb = str(spec.memory_mb)
        self.aws_request_id = request_id
        self.log_group_name = spec.log_group
        self.log_stream_name = spec.log_stream
        self._deadline = time.monotonic() + spec.timeout_s

    @property
    def overdue(self) -> bool:
        """Whether the timeout is past."""
        return time.monotonic() >= self._deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout, in real time."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))
