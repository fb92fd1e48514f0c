"""One execution environment: a process with Lambda's runtime client, and the talk with it.

The thread that invokes does everything: it watches the Runtime API, the process's output and its
end, its memory and the time in one loop, so nothing else runs while a function is idle.

Citation: "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import codecs
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from localcloud.runtime import bootstrap
from localcloud.runtime.base import FunctionSpec
from localcloud.runtime.libraries import Libraries
from localcloud.runtime.output import LineStream
from localcloud.runtime.runtime_api import Answer, RuntimeApi

End = Literal["answered", "ready", "exited", "too late", "too much memory"]

_SAMPLE_S = 0.02  # between two looks at the memory
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Execution:
    """A function's process, from its start to its end.

    Args:
        spec: the function.
        libraries: what the runtime brings.
        at: virtual instant of the start.

    Attributes:
        memory_mb: the most memory seen, in MB: resident pages that no file backs, of the process
            itself (Lambda counts the whole environment; mapped libraries are its own matter).
    """

    def __init__(self, spec: FunctionSpec, libraries: Libraries, at: datetime) -> None:
        self.spec = spec
        self.memory_mb = 0.0
        self._selector = selectors.DefaultSelector()
        self._api = RuntimeApi(self._selector)
        self._stream = LineStream()
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._output, writing = os.pipe()
        self._lifeline_end, self._lifeline = os.pipe()
        os.set_blocking(self._output, False)
        told = {
            "path": [*map(str, _path(spec)), str(libraries.runtime)],
            "clock": str(libraries.clock),
            "lifeline": self._lifeline_end,
            "instant": at.timestamp(),
            "timeout": spec.timeout_s,
        }
        program = [sys.executable, "-S", "-P", "-s", "-B", str(Path(bootstrap.__file__))]
        self._process = subprocess.Popen(
            [*program, spec.handler, json.dumps(told)],
            env=_environment(spec, libraries, self._api.address),
            cwd=spec.code,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            pass_fds=[self._lifeline_end],
            start_new_session=True,
        )
        os.close(writing)
        self._ended = os.pidfd_open(self._process.pid)
        self._has_ended = False
        self._selector.register(self._output, selectors.EVENT_READ, self._drain)
        self._selector.register(self._ended, selectors.EVENT_READ, self._note_end)
        self._statm = Path(f"/proc/{self._process.pid}/statm")

    @property
    def answer(self) -> Answer | None:
        """What the runtime posted last."""
        return self._api.answer

    @property
    def status(self) -> int:
        """How the process ended, as subprocess counts it; what it left running ends too."""
        self.kill()
        return self._process.wait()

    def start(self, limit_s: float, log: Callable[[str], None]) -> End:
        """Wait until the runtime asks for an invocation or says why it cannot start."""
        self._api.answer = None
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return "exited"
        return self._until(time.monotonic() + limit_s, log, self._has_started)

    def run(
        self, request_id: str, payload: bytes, at: datetime, deadline: float,
        log: Callable[[str], None],
    ) -> End:  # fmt: skip
        """Hand over one invocation and wait for its answer until `deadline` (monotonic)."""
        ends_ms = int((at.timestamp() + self.spec.timeout_s) * 1000)
        root = request_id.replace("-", "")
        trace = f"Root=1-{int(at.timestamp()):08x}-{root[:24]};Parent={root[-16:]};Sampled=0"
        headers = {
            "Lambda-Runtime-Deadline-Ms": str(ends_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.spec.arn,
            "Lambda-Runtime-Trace-Id": trace,
        }
        try:
            self._api.hand_over(request_id, payload, headers)
        except OSError:
            self.kill()
            return "exited"
        return self._until(deadline, log, self._has_answered)

    def kill(self) -> None:
        """Kill the process and what it started, from any thread."""
        if self._process.returncode is None:  # until it is waited for, the number is its own
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill it if it lives and give everything back."""
        self.kill()
        self._process.wait()
        self._api.close()
        self._selector.close()
        for descriptor in (self._output, self._lifeline, self._lifeline_end, self._ended):
            os.close(descriptor)

    def _has_started(self) -> End | None:
        if self._api.answer is not None:
            return "answered"
        return "ready" if self._api.waiting is not None else None

    def _has_answered(self) -> End | None:
        return "answered" if self._api.answer is not None else None

    def _until(
        self, deadline: float, log: Callable[[str], None], done: Callable[[], End | None]
    ) -> End:
        with self._stream.heard_by(lambda line: log(_unframed(line))):
            end = self._watch(deadline, done)
            if end in ("too late", "too much memory"):
                self.kill()
            self._drain()
        return end

    def _watch(self, deadline: float, done: Callable[[], End | None]) -> End:
        while True:
            end = done()
            if self._above_its_memory():
                return "too much memory"
            if end is not None:
                return end
            left = deadline - time.monotonic()
            if left <= 0:
                return "too late"
            for key, _ in self._selector.select(min(left, _SAMPLE_S)):
                key.data()
            if self._has_ended:
                return "answered" if done() == "answered" else "exited"

    def _note_end(self) -> None:
        self._has_ended = True

    def _drain(self) -> None:
        """Hand over what the process has written so far."""
        while chunk := self._read():
            self._stream.write(self._decode(chunk))

    def _read(self) -> bytes:
        try:
            chunk = os.read(self._output, 1 << 16)
        except BlockingIOError:
            return b""
        if not chunk and self._output in self._selector.get_map():
            self._selector.unregister(self._output)  # closed there: it would always be readable
        return chunk

    def _above_its_memory(self) -> bool:
        try:
            _, resident, shared, *_ = self._statm.read_bytes().split()
        except (FileNotFoundError, ProcessLookupError):
            return False  # it has ended
        self.memory_mb = max(self.memory_mb, (int(resident) - int(shared)) * _PAGE_MB)
        return self.memory_mb > self.spec.memory_mb


def _unframed(line: str) -> str:
    """The runtime client writes an error as one line: its lines end in carriage returns, and
    hard spaces keep their indentation."""
    return line.replace("\r", "\n").replace("\xa0", " ")


def _path(spec: FunctionSpec) -> list[Path]:
    """`/var/task` and `/opt/python` with its longer form, as Lambda orders them."""
    long_form = "lib/python3.11/site-packages"
    return [spec.code, *(each for f in spec.folders[1:] for each in (f / long_form, f))]


def _environment(spec: FunctionSpec, libraries: Libraries, address: str) -> dict[str, Any]:
    """The function's environment with what Lambda adds ("Using Lambda environment variables").

    The last two keep the AWS SDK from reading the files of the person at this machine.
    """
    libs = [spec.code, spec.code / "lib", *(layer / "lib" for layer in spec.layers)]
    return {
        **spec.environment,
        "AWS_LAMBDA_RUNTIME_API": address,
        "LAMBDA_RUNTIME_DIR": str(libraries.runtime),
        "LD_LIBRARY_PATH": ":".join(map(str, libs)),
        "PYTHONPATH": ":".join(map(str, [*_path(spec)[1:], libraries.runtime])),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
