"""Functions run in this process, one at a time, from their built packages.

Fast and deterministic. What it cannot do (hold a function to its memory, stop one that never comes
back to the interpreter, notice a third-party import that only this environment satisfies) the
executor in `ric` can.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any

from awslambdaric.bootstrap import _get_handler as handler_of
from awslambdaric.lambda_runtime_exception import FaultException
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from localcloud.clients import session_with
from localcloud.runtime.base import FunctionError, FunctionSpec, Outcome
from localcloud.runtime.context import LambdaContext
from localcloud.runtime.faults import (
    LARGEST_RESPONSE,
    exited,
    killed,
    result_of,
    timed_out,
    too_large,
)
from localcloud.runtime.isolation import Space
from localcloud.runtime.packages import own_modules
from localcloud.runtime.virtual import travelling
from localcloud.runtime.watch import Killed, Overrun, Stopped, Watch


class InProcessExecutor:
    """Loads each function once, like a warm Lambda environment, and calls its handler."""

    outside = False

    def __init__(self) -> None:
        self._loaded: dict[str, _Loaded] = {}
        self._one_at_a_time = threading.RLock()

    def invoke(
        self,
        spec: FunctionSpec,
        payload: Any,
        request_id: str,
        log: Callable[[str], None],
        at: datetime,
    ) -> Outcome:
        """Run one invocation; an exception in the function is an outcome, not ours."""
        with self._one_at_a_time:
            known = self._loaded.get(spec.name)
            loaded = known or self._loaded.setdefault(spec.name, _Loaded(spec))
            outcome = loaded.invoke(payload, request_id, log, at)
            if loaded.lost:  # on Lambda the environment is gone: the next start is cold
                self._loaded.pop(spec.name, None)
            return outcome

    def kill(self, name: str) -> bool:
        """Stop what the function does now; raises `Killed` when called from within it."""
        loaded = self._loaded.get(name)
        return loaded is not None and loaded.kill()

    def close(self) -> None:
        """Drop every function's modules."""
        self._loaded.clear()


class _Loaded:
    """A function's place in this process; its handler once the module is imported.

    Attributes:
        lost: whether what happened would have ended the process.
    """

    def __init__(self, spec: FunctionSpec) -> None:
        env = spec.environment
        session = session_with(
            spec.region,
            env["AWS_ACCESS_KEY_ID"],
            env["AWS_SECRET_ACCESS_KEY"],
            env["AWS_SESSION_TOKEN"],
        )
        self.lost = False
        self._spec = spec
        self._space = Space(own_modules(spec.folders), env, session)
        self._handler: Callable[[Any, Any], Any] | None = None
        self._watches: list[Watch] = []

    def invoke(
        self, payload: Any, request_id: str, log: Callable[[str], None], at: datetime
    ) -> Outcome:
        start = "warm" if self._handler else "cold"
        self.lost = False
        with self._space.entered(request_id), self._space.stream.heard_by(log), travelling(at):
            # a failed init is done again with the invocation
            error = None if self._handler else self._load() and self._load()
            begun = time.monotonic()
            body = b""
            if error is None:
                body, error = self._call(payload, request_id)
            took = time.monotonic() - begun
            if error is not None:
                log(_told(error, request_id, self._spec.environment["AWS_LAMBDA_LOG_FORMAT"]))
                self.lost = self.lost or self._handler is None or error.trace is None
        facts = {"start": start, "duration_ms": round(took * 1000)}
        return Outcome(result_of(body) if error is None else None, error, facts)

    def kill(self) -> bool:
        watches = list(self._watches)
        if not watches:
            return False
        watches[-1].kill()
        return True

    def _load(self) -> FunctionError | None:
        """Import the handler."""
        boundary = _Boundary()
        with boundary:
            self._handler = handler_of(self._spec.handler)
            return None
        self._space.forget()
        return _described(boundary.raised, "")

    def _call(self, payload: Any, request_id: str) -> tuple[bytes, FunctionError | None]:
        """The handler's answer as Lambda's runtime writes it, or how it failed."""
        boundary, body = _Boundary(), b""
        context = LambdaContext(self._spec, request_id)
        with boundary, self._watched() as watch:
            answer = watch.call(self._handler, json.loads(json.dumps(payload)), context)
            told, _ = LambdaMarshaller().marshal_response(answer)
            body = told if isinstance(told, bytes) else told.encode()
        if watch.stopped is Killed:
            return b"", killed(request_id)
        if watch.stopped is Overrun or context.overdue:
            return b"", timed_out(request_id, self._spec.timeout_s)
        if boundary.raised is not None:
            return b"", _described(boundary.raised, request_id)
        return (b"", too_large()) if len(body) > LARGEST_RESPONSE else (body, None)

    @contextmanager
    def _watched(self) -> Iterator[Watch]:
        with Watch(self._spec.timeout_s) as watch:
            self._watches.append(watch)
            try:
                yield watch
            finally:
                self._watches.remove(watch)


class _Boundary:
    """Keeps what the function raises from being taken for an error of the local cloud.

    An interrupt of the person at the keyboard goes through.
    """

    raised: BaseException | None = None

    def __enter__(self) -> _Boundary:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(raised, (Exception, SystemExit, Stopped)):
            return False
        self.raised = raised
        return True


def _described(raised: BaseException | None, request_id: str) -> FunctionError:
    """What Lambda's runtime client, or Lambda itself, makes of an exception."""
    if isinstance(raised, SystemExit):
        return exited(request_id, _status(raised.code))
    if isinstance(raised, FaultException):
        return FunctionError(raised.exception_type, raised.msg, tuple(raised.trace or ()))
    frames = traceback.extract_tb(raised.__traceback__) if raised is not None else []
    ours = ("localcloud/runtime/", "awslambdaric/bootstrap.py")
    first = next(
        (k for k, frame in enumerate(frames) if not any(own in frame.filename for own in ours)),
        len(frames),
    )
    trace = tuple(line.rstrip("\n") for line in traceback.format_list(frames[first:]))
    return FunctionError(type(raised).__name__, str(raised), trace)


def _status(code: Any) -> int:
    """The exit status that a SystemExit means."""
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def _told(error: FunctionError, request_id: str, log_format: str) -> str:
    """The log line of a failed invocation, in the words of who writes it on Lambda."""
    if error.trace is None:
        return f"{error.message}\n{error.type}"
    if log_format == "JSON":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return json.dumps(
            {
                "timestamp": stamp,
                "level": "ERROR",
                "errorMessage": error.message,
                "errorType": error.type,
                "requestId": request_id,
                "stackTrace": list(error.trace),
            }
        )
    head = f"[ERROR] {error.type}: {error.message}"
    return "\n".join([head, "Traceback (most recent call last):", *error.trace])
