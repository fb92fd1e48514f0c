"""One process, many functions: each sees its own modules, environment, loggers and session.

While a function is entered, the interpreter's global state is its own; afterwards it is as before.
Only one thread at a time may be inside (the executor sees to it).
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import logging
import os
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
from awslambdaric import bootstrap
from awslambdaric.bootstrap import _setup_logging
from awslambdaric.lambda_runtime_log_utils import LogFormat, _get_log_level_from_env_var

from localcloud.runtime.output import LineStream


class Space:
    """The part of the process that belongs to one function.

    Args:
        own: top-level module names and the folder each is loaded from.
        environment: the function's complete environment.
        session: the boto3 default session with the role's credentials.
    """

    def __init__(
        self, own: Mapping[str, Path], environment: Mapping[str, str], session: Any
    ) -> None:
        self.stream = LineStream()
        self._finder = _OwnFinder(own)
        self._environment = dict(environment)
        self._session = session
        self._modules: dict[str, ModuleType] = {}
        self._loggers: dict[str, Any] = {}
        self._root: tuple[list[logging.Handler], int] | None = None

    @contextmanager
    def entered(self, request_id: str) -> Iterator[None]:
        """The process as this function sees it during this invocation."""
        with ExitStack() as stack:
            stack.enter_context(_logging_as(request_id))
            stack.enter_context(self._importing())
            stack.enter_context(_environment(self._environment))
            stack.enter_context(self._logging())
            stack.enter_context(self._default_session())
            stack.enter_context(redirect_stdout(self.stream))
            stack.enter_context(redirect_stderr(self.stream))
            yield

    def forget(self) -> None:
        """Drop the function's modules and loggers: the next load is a cold start."""
        self._modules.clear()
        self._loggers.clear()
        self._root = None

    @contextmanager
    def _importing(self) -> Iterator[None]:
        hidden = self._take_modules() | _take_rooms()
        path = list(sys.path)
        sys.modules.update(self._modules)
        sys.meta_path.insert(0, self._finder)
        sys.path[:] = [entry for entry in path if _belongs_to_python(entry)]
        try:
            yield
        finally:
            sys.path[:] = path
            sys.meta_path.remove(self._finder)
            self._modules = self._take_modules()
            sys.modules.update(hidden)

    def _take_modules(self) -> dict[str, ModuleType]:
        # of a copy, here and below: threads that serve requests import meanwhile
        names = [name for name in list(sys.modules) if name.partition(".")[0] in self._finder.own]
        return {name: sys.modules.pop(name) for name in names}

    @contextmanager
    def _logging(self) -> Iterator[None]:
        root, converter = logging.getLogger(), logging.Formatter.converter
        outside = (list(root.handlers), root.level)
        known = logging.Logger.manager.loggerDict
        # what somebody outside gave handlers is nothing to a function, whose process is its own
        hidden = {
            name: each
            for name, each in list(known.items())
            if name in self._loggers or getattr(each, "handlers", None)
        }
        for name in hidden:
            del known[name]
        before = set(known)
        known.update(self._loggers)
        root.handlers[:], level = self._root or ([], logging.WARNING)
        root.setLevel(level)
        if self._root is None:
            self._set_up_logging()
        try:
            yield
        finally:
            self._root = (list(root.handlers), root.level)
            root.handlers[:] = outside[0]
            root.setLevel(outside[1])
            logging.Formatter.converter = converter
            mine = [n for n in list(known) if n not in before or n in self._loggers]
            self._loggers = {name: known.pop(name) for name in mine}
            known.update(hidden)

    def _set_up_logging(self) -> None:
        """The root logger's handler, as Lambda's runtime client sets it up."""
        kind = LogFormat.from_str(self._environment["AWS_LAMBDA_LOG_FORMAT"])
        level = _get_log_level_from_env_var(self._environment.get("AWS_LAMBDA_LOG_LEVEL"))
        _setup_logging(kind, level, _Sink(self.stream))

    @contextmanager
    def _default_session(self) -> Iterator[None]:
        before = boto3.DEFAULT_SESSION
        boto3.DEFAULT_SESSION = self._session
        try:
            yield
        finally:
            self._session = boto3.DEFAULT_SESSION
            boto3.DEFAULT_SESSION = before


class _Sink:
    """Where the runtime client's logging handler writes."""

    def __init__(self, stream: LineStream) -> None:
        self._stream = stream

    def log(self, message: str, frame_type: bytes | None = None) -> None:
        """Take one formatted record, its end of line included."""
        del frame_type
        self._stream.write(message)


class _OwnFinder(importlib.abc.MetaPathFinder):
    """Finds a function's own top-level modules in its build folders, before anything else."""

    def __init__(self, own: Mapping[str, Path]) -> None:
        self.own = own

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of an own top-level module; packages find their submodules themselves."""
        if path is not None or fullname not in self.own:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(self.own[fullname])], target)


_PYTHON_PATHS = {
    str(Path(sysconfig.get_path(name))) for name in ("stdlib", "platstdlib", "purelib", "platlib")
}


def _belongs_to_python(entry: str) -> bool:
    """Whether a sys.path entry is the standard library or the virtual environment's packages.

    The rest is this repository, put there by the editable install, which no Lambda has.
    """
    parents = {entry, str(Path(entry).parent)}
    return bool(parents & _PYTHON_PATHS) or entry.endswith(".zip")


@cache
def _is_room(name: str) -> bool:
    """Whether a top-level module comes from outside Python and its packages: a room of a repository."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    folders = list(getattr(module, "__path__", None) or [])
    origin = folders[0] if folders else getattr(spec, "origin", None)
    if not origin or not Path(origin).is_absolute():  # built in, frozen, or the program itself
        return False
    return not any(origin.startswith(path + os.sep) for path in _PYTHON_PATHS)


def _take_rooms() -> dict[str, ModuleType]:
    """Hide what the program imported from its own repository; no Lambda has it. We stay ourselves."""
    tops = {name.partition(".")[0] for name in list(sys.modules)}
    rooms = {name for name in tops - {"localcloud", "__main__"} if _is_room(name)}
    names = [name for name in list(sys.modules) if name.partition(".")[0] in rooms]
    return {name: sys.modules.pop(name) for name in names}


@contextmanager
def _logging_as(request_id: str) -> Iterator[None]:
    """What the runtime client's handler writes as the request's id."""
    before = vars(bootstrap)["_GLOBAL_AWS_REQUEST_ID"]
    vars(bootstrap)["_GLOBAL_AWS_REQUEST_ID"] = request_id
    try:
        yield
    finally:
        vars(bootstrap)["_GLOBAL_AWS_REQUEST_ID"] = before


_PROCESS = os.environ  # noqa: TID251 - not read for settings: swapped whole for the function's


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(_PROCESS)
    _replace_environment(values)
    try:
        yield
    finally:
        _replace_environment(before)


def _replace_environment(values: Mapping[str, str]) -> None:
    _PROCESS.clear()
    _PROCESS.update(values)
    time.tzset()  # TZ is part of it
