"""What Lambda itself says when a function does not come to its own end.

Citations: "Understanding the Lambda execution environment lifecycle" (failures during init and
invoke), "Troubleshoot invocation issues in Lambda", "Lambda quotas". The wording is that of the
service's answers today; the pages print only parts of it.
"""

from __future__ import annotations

import json
import signal
from typing import Any

from localcloud.runtime.base import FunctionError

LARGEST_RESPONSE = 6 * 1024 * 1024 + 100  # bytes: 6 MB of the quotas page, as the service counts
INIT_LIMIT_S = 10.0


def timed_out(request_id: str, seconds: float) -> FunctionError:
    """The function was stopped after its Timeout."""
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return FunctionError("Sandbox.Timedout", message, None)


def exited(request_id: str, status: int) -> FunctionError:
    """The runtime's process ended; `status` is negative for a signal, as subprocess counts."""
    if status == 0:
        how = "Runtime exited without providing a reason"
    elif status < 0:
        name = (signal.strsignal(-status) or str(-status)).lower()
        how = f"Runtime exited with error: signal: {name}"
    else:
        how = f"Runtime exited with error: exit status {status}"
    return FunctionError("Runtime.ExitError", f"RequestId: {request_id} Error: {how}", None)


def killed(request_id: str) -> FunctionError:
    """The process was killed: out of memory, or lost."""
    return exited(request_id, -signal.SIGKILL)


def too_large() -> FunctionError:
    """The function's answer is above the quota of 6 MB."""
    message = (
        f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
    )
    return FunctionError("Function.ResponseSizeTooLarge", message, None)


def result_of(body: bytes) -> Any:
    """A function's answer as data; what is not JSON (a handler may return bytes) as text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", errors="replace")
