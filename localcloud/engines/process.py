"""A program run as a process of its own group, with its output and its end."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_KEPT_LINES = 40
_GRACE_S = 5.0


@dataclass(frozen=True)
class Ended:
    """How a process ended: `code` is None if it was stopped at its time limit."""

    code: int | None
    last_errors: tuple[str, ...]


class Processes:
    """Starts programs and makes sure none outlives the cloud."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        timeout_s: float,
        on_line: Callable[[str], None],
    ) -> Ended:
        """Run a program to its end; every line it writes goes to `on_line` on this thread."""
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
        )
        with self._lock:
            self._running.add(process)
        try:
            return self._follow(process, timeout_s, on_line)
        finally:
            _stop(process)
            with self._lock:
                self._running.discard(process)

    def close(self) -> None:
        """Stop every program that still runs."""
        with self._lock:
            running = list(self._running)
        for process in running:
            _stop(process)

    def _follow(
        self, process: subprocess.Popen[str], timeout_s: float, on_line: Callable[[str], None]
    ) -> Ended:
        lines: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        readers = [_reader("out", process.stdout, lines), _reader("err", process.stderr, lines)]
        errors: deque[str] = deque(maxlen=_KEPT_LINES)
        deadline, open_streams, timed_out = time.monotonic() + timeout_s, len(readers), False
        while open_streams:
            left = deadline - time.monotonic()
            try:
                item = lines.get(timeout=None if timed_out else max(left, 0.0))
            except queue.Empty:
                timed_out = True
                _stop(process)  # the streams end with it
                continue
            if item is None:
                open_streams -= 1
                continue
            stream, line = item
            if stream == "err":
                errors.append(line)
            on_line(line)
        for reader in readers:
            reader.join()
        code = process.wait()
        return Ended(None if timed_out else code, tuple(errors))


def _reader(
    name: str, stream: IO[str] | None, lines: queue.SimpleQueue[tuple[str, str] | None]
) -> threading.Thread:
    def read() -> None:
        if stream is not None:
            with stream:
                for line in stream:
                    lines.put((name, line.rstrip("\n")))
        lines.put(None)

    thread = threading.Thread(target=read, name=f"job-{name}", daemon=True)
    thread.start()
    return thread


def _stop(process: subprocess.Popen[str]) -> None:
    """End a process and what it started: politely, then for certain."""
    for order, wait in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, order)
            process.wait(wait)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            continue
