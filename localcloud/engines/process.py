"""A program run as a process of its own group, with its output and its end.

As in a container, everything the program started ends with it; and it ends with the cloud, also when
that is killed.
"""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

_KEPT_LINES = 40
_CLOSING_GRACE_S = 5.0

Item = tuple[Literal["out", "err", "closed", "gone", "stop"], str]


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: its exit status; negative for a signal.
        last_errors: the end of its standard error.
        cut: "timeout" or "stopped" if it was ended from here, else nothing.
    """

    code: int
    last_errors: tuple[str, ...] = ()
    cut: Literal["", "timeout", "stopped"] = ""


@dataclass(eq=False)
class _Live:
    """A process that runs: everything that happens to it comes through one queue."""

    process: subprocess.Popen[str]
    grace_s: float
    items: queue.SimpleQueue[Item] = field(default_factory=queue.SimpleQueue)

    def signal(self, order: signal.Signals) -> None:
        """To the whole group; one that is empty has ended already."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, order)


class Processes:
    """Starts programs and makes sure none outlives the cloud."""

    def __init__(self) -> None:
        self._live: dict[str, _Live] = {}
        self._unwanted: set[str] = set()
        self._closed = False
        self._lock = threading.Lock()

    def run(
        self,
        key: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        timeout_s: float,
        grace_s: float,
        on_line: Callable[[str, str], None],
    ) -> Ended:
        """Run a program to its end; every line goes to `on_line(stream, line)` on this thread.

        Raises:
            OSError: it cannot be started.
        """
        with self._lock:
            if self._closed or key in self._unwanted:
                return Ended(-signal.SIGTERM, cut="stopped")
            process, lifeline = _started(command, environment, folder)
            live = self._live[key] = _Live(process, grace_s)
        try:
            return _follow(live, timeout_s, on_line)
        finally:
            live.signal(signal.SIGKILL)
            process.wait()
            os.close(lifeline)
            with self._lock:
                del self._live[key]

    def stop(self, key: str) -> None:
        """End a program, or keep one that is about to start from starting; returns at once."""
        with self._lock:
            self._unwanted.add(key)
            live = self._live.get(key)
        if live is not None:
            live.items.put(("stop", ""))

    def close(self) -> None:
        """Stop every program that still runs, with little patience, and start no other."""
        with self._lock:
            self._closed = True
            for live in self._live.values():
                live.grace_s = min(live.grace_s, _CLOSING_GRACE_S)
                live.items.put(("stop", ""))


def _started(
    command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> tuple[subprocess.Popen[str], int]:
    """A process, and the end of a pipe: when that is closed, the kernel kills the process's group.

    A cloud that is killed closes it too. The process holds the pipe's other end without knowing it.
    """
    held, lifeline = os.pipe()
    try:
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=[held],
        )
        with suppress(ProcessLookupError):  # it has ended already
            fcntl.fcntl(held, fcntl.F_SETOWN, -process.pid)
            fcntl.fcntl(held, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(held, fcntl.F_SETFL, os.O_ASYNC)
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(held)
    return process, lifeline


def _follow(live: _Live, timeout_s: float, on_line: Callable[[str, str], None]) -> Ended:
    threads = _watchers(live)
    errors: deque[str] = deque(maxlen=_KEPT_LINES)
    due: float | None = time.monotonic() + timeout_s
    open_streams, cut, gone = 2, "", False
    while open_streams or not gone:
        try:
            what, line = live.items.get(timeout=None if due is None else _left(due))
        except queue.Empty:
            if cut:  # it had its grace
                live.signal(signal.SIGKILL)
                due = None
                continue
            what, line, cut = "stop", "", "timeout"
        if what == "stop":
            if not gone:
                cut = cut or "stopped"
                live.signal(signal.SIGTERM)
                due = time.monotonic() + live.grace_s
        elif what == "gone":
            gone, due = True, None
            live.signal(signal.SIGKILL)  # what it started and left behind
        elif what == "closed":
            open_streams -= 1
        else:
            if what == "err":
                errors.append(line)
            on_line(what, line)
    for thread in threads:
        thread.join()
    code = live.process.wait()
    return Ended(code, tuple(errors), "timeout" if cut == "timeout" else "stopped" if cut else "")


def _left(due: float) -> float:
    return max(due - time.monotonic(), 0.0)


def _watchers(live: _Live) -> list[threading.Thread]:
    """Threads that put every line, the streams' ends and the process's end on the queue."""

    def read(name: Literal["out", "err"], stream: IO[str] | None) -> None:
        if stream is not None:
            with stream:
                for line in stream:
                    live.items.put((name, line.rstrip("\n")))
        live.items.put(("closed", name))

    def wait() -> None:
        live.process.wait()
        live.items.put(("gone", ""))

    threads = [
        threading.Thread(target=read, args=("out", live.process.stdout), name="job-out"),
        threading.Thread(target=read, args=("err", live.process.stderr), name="job-err"),
        threading.Thread(target=wait, name="job-end"),
    ]
    for thread in threads:
        thread.daemon = True
        thread.start()
    return threads
