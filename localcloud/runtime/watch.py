"""Stopping a function that runs in this process: at its timeout, or when its machine is "lost".

What one process allows: an exception is raised in the function's thread, again and again until it
has left. It is no `Exception`, and a handler that catches it only delays its end. It is never
raised in the middle of a call to the cloud, which on AWS would complete, nor where Python would only
print it, in a finalizer; nor can it end C code that does not come back to the interpreter. On the main
thread it also ends sleeps and waits.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

_AGAIN_S = 0.02
_SPARED = frozenset({"moto", "localcloud", "weakref", "_weakrefset"})
_SIGNAL = signal.SIGVTALRM  # nobody else's: test runners use SIGALRM


class Stopped(BaseException):
    """Ends a function from outside; what it returns or catches no longer matters."""


class Overrun(Stopped):
    """The function reached its Timeout."""


class Killed(Stopped):
    """The function's environment is gone."""


class Watch:
    """Guards one call of a function.

    Args:
        limit_s: real seconds the call may take.

    Attributes:
        stopped: why the call was stopped; None if it was not.
    """

    def __init__(self, limit_s: float) -> None:
        self.stopped: type[Stopped] | None = None
        self._limit_s = limit_s
        self._thread = threading.get_ident()
        self._on_main = threading.current_thread() is threading.main_thread()
        self._wake = threading.Event()
        self._left = False
        self._raising = threading.Lock()
        self._before: Any = None

    def __enter__(self) -> Watch:
        if self._on_main:
            self._before = signal.signal(_SIGNAL, self._interrupted)
        threading.Thread(target=self._guard, name="function-watch", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._raising:
            self._left = True
        self._wake.set()
        if self._on_main:
            signal.signal(_SIGNAL, self._before)
        else:
            _raise_in(self._thread, None)

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call what is guarded; nothing but what this calls is ever interrupted."""
        return function(*arguments)

    def kill(self) -> None:
        """Stop the call as if its environment were gone; raises if this is the function's thread."""
        self.stopped = Killed
        self._wake.set()
        if threading.get_ident() == self._thread:
            raise Killed

    def _guard(self) -> None:
        if not self._wake.wait(self._limit_s):
            self.stopped = Overrun
        again = threading.Event()
        while self._strike():
            again.wait(_AGAIN_S)

    def _strike(self) -> bool:
        """Raise in the function's thread if it is where that does no harm; False once it has left."""
        with self._raising:
            if self._left:
                return False
            if self._on_main:
                signal.pthread_kill(self._thread, _SIGNAL)
            elif _in_own_code(sys._current_frames().get(self._thread)):  # noqa: SLF001 - documented
                _raise_in(self._thread, self.stopped)
            return True

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        del number
        if self.stopped is not None and not self._left and _in_own_code(frame):
            raise self.stopped


def _in_own_code(frame: FrameType | None) -> bool:
    """Whether a thread is in the guarded function itself, in no call to the cloud and in no finalizer."""
    below = 0
    while frame is not None:
        if frame.f_code is Watch.call.__code__:
            return below > 0
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _SPARED:
            return False
        if frame.f_code.co_name == "__del__":
            return False
        frame, below = frame.f_back, below + 1
    return False


def _raise_in(thread: int, kind: type[Stopped] | None) -> None:
    """PyThreadState_SetAsyncExc; None takes back what has not been raised yet."""
    what = None if kind is None else ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
