"""Functions run in this process, one at a time, from their built packages.

Fast and deterministic; what it cannot do (stop a function at its timeout, hold it to its memory,
notice an import that only the test environment satisfies) a subprocess executor can.
"""

from __future__ import annotations

import importlib
import json
import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any

from localcloud.clients import session_with
from localcloud.runtime.base import FunctionError, FunctionSpec, Outcome
from localcloud.runtime.context import LambdaContext
from localcloud.runtime.isolation import Space
from localcloud.runtime.packages import own_modules


class InProcessExecutor:
    """Loads each function once, like a warm Lambda environment, and calls its handler."""

    def __init__(self) -> None:
        self._loaded: dict[str, _Loaded] = {}
        self._one_at_a_time = threading.RLock()

    outside = False

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
            if spec.name not in self._loaded:
                self._loaded[spec.name] = _Loaded(spec)
            return self._loaded[spec.name].invoke(payload, LambdaContext(spec, request_id), log)

    def close(self) -> None:
        """Drop every function's modules."""
        self._loaded.clear()


class _Loaded:
    """A function's place in this process; its handler once the module is imported."""

    def __init__(self, spec: FunctionSpec) -> None:
        env = spec.environment
        session = session_with(
            spec.region,
            env["AWS_ACCESS_KEY_ID"],
            env["AWS_SECRET_ACCESS_KEY"],
            env["AWS_SESSION_TOKEN"],
        )
        self._space = Space(own_modules(spec.folders), env, session)
        self._handler_name = spec.handler
        self._handler: Callable[[Any, Any], Any] | None = None

    def invoke(self, payload: Any, context: LambdaContext, log: Callable[[str], None]) -> Outcome:
        boundary = _Boundary()
        answer = None
        with self._space.entered(), self._space.stream.heard_by(log):
            with boundary:
                if self._handler is None:
                    self._handler = self._load()
                answer = _as_json(self._handler(json.loads(json.dumps(payload)), context))
            if boundary.raised is not None:
                error = _described(boundary.raised)
                log("\n".join([f"[ERROR] {error.type}: {error.message}", *error.trace]))
                if self._handler is None:  # failed while starting: Lambda starts it anew
                    self._space.forget()
                return Outcome(None, error)
        return Outcome(answer, None)

    def _load(self) -> Callable[[Any, Any], Any]:
        module_name, _, attribute = self._handler_name.rpartition(".")
        module = importlib.import_module(module_name.replace("/", "."))
        handler: Callable[[Any, Any], Any] = getattr(module, attribute)
        return handler


class _Boundary:
    """Keeps what the function raises from being taken for an error of the local cloud.

    Only Exception and SystemExit: an interrupt of the person at the keyboard goes through.
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
        if not isinstance(raised, (Exception, SystemExit)):
            return False
        self.raised = raised
        return True


class _NotJson(Exception):  # noqa: N818 - Lambda's name for it is Runtime.MarshalError
    """The handler returned what JSON cannot hold."""


def _as_json(answer: Any) -> Any:
    try:
        return json.loads(json.dumps(answer))
    except (TypeError, ValueError) as error:
        raise _NotJson(f"Unable to marshal response: {error}") from error


def _described(raised: BaseException) -> FunctionError:
    # the frames of the function itself: ours come first
    frames = traceback.extract_tb(raised.__traceback__)
    own = [frame for frame in frames if "localcloud/runtime" not in frame.filename]
    trace = tuple(line.rstrip("\n") for line in traceback.format_list(own))
    name = "Runtime.MarshalError" if isinstance(raised, _NotJson) else type(raised).__name__
    if isinstance(raised, SystemExit):
        return FunctionError("Runtime.ExitError", f"exit status {raised.code}", trace)
    if isinstance(raised, ModuleNotFoundError):
        return FunctionError("Runtime.ImportModuleError", str(raised), trace)
    return FunctionError(name, str(raised), trace)
