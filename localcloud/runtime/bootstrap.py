"""The program of an execution environment: starts Lambda's own runtime client on a function.

Runs as a file in an interpreter without site-packages (`python -S -P -s -B`), so it imports
nothing of this repository. It sets `sys.path` as Lambda does, ties the process to its parent,
gives it the cloud's clock, and calls awslambdaric's `main`.

Arguments: the handler, and a JSON object:
    path: folders of the function, its layers and the runtime, in order.
    clock: folder that holds time-machine, which is not on the function's path.
    lifeline: descriptor of a pipe that ends when the parent does.
    instant: virtual seconds since the epoch at start.
    timeout: seconds an invocation may take.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Become the function's runtime; returns only when the process ends."""
    handler, told = sys.argv[1], json.loads(sys.argv[2])
    _die_with_parent(told["lifeline"])
    standard = [entry for entry in sys.path if "python3" in entry]
    clock = _travelling(told["clock"], standard, told["instant"])
    sys.path[:] = [*told["path"], *standard]
    sys.argv[:] = [sys.argv[0], handler]
    _interactive_names()
    from awslambdaric.__main__ import main as run  # noqa: PLC0415 - the path was not set before
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # noqa: PLC0415

    following = _following(LambdaRuntimeClient.wait_next_invocation, clock, told["timeout"])
    LambdaRuntimeClient.wait_next_invocation = following
    run(sys.argv)


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process group when the other end of the pipe is closed.

    A parent that is killed closes it too; no thread of ours has to be scheduled for it, and unlike
    PR_SET_PDEATHSIG it does not depend on the parent's thread that started us.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    os.set_blocking(lifeline, False)
    try:
        os.read(lifeline, 1)
    except BlockingIOError:
        return  # nobody writes, and the other end is open
    os.killpg(0, signal.SIGKILL)  # it closed before we listened


def _travelling(folder: str, standard: list[str], instant: float) -> Any:
    """Start the virtual clock, loaded from outside the function's path."""
    sys.path[:] = [folder, *standard]
    import time_machine  # noqa: PLC0415 - the path was not set before

    return time_machine.travel(instant).start()


def _following(original: Any, clock: Any, timeout: float) -> Any:
    """`wait_next_invocation` that sets the clock to the instant of the invocation it got."""

    def wait_next_invocation(self: Any) -> Any:
        request = original(self)
        clock.move_to(int(request.deadline_time_in_ms) / 1000.0 - timeout)
        return request

    return wait_next_invocation


def _interactive_names() -> None:
    """`exit`, `quit` and `help`, which come with `site` and which Lambda's interpreter has."""
    import site  # noqa: PLC0415 - importing it runs nothing under -S

    site.setquit()
    site.sethelper()


if __name__ == "__main__":
    main()
