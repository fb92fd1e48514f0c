"""The inference container as a process on a free port of 127.0.0.1, and a client for it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signalbox.contracts.packages import Smoke
from tests.conftest import ROOT

COMMAND = [sys.executable, "-m", "containers.onnx_inference", "serve"]


@dataclass(frozen=True)
class Answer:
    """Status, headers with lower-case names, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """What a refusal says."""
        return dict(json.loads(self.body)["error"])


@dataclass
class Container:
    """A running container."""

    process: subprocess.Popen[str]
    port: int
    log: list[str] = field(default_factory=list)

    def connect(self, timeout: float = 60) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own; header names with _ for -."""
        connection = self.connect()
        try:
            return ask(connection, method, path, body, **headers)
        finally:
            connection.close()

    def post(self, kind: str, body: Any, **headers: str) -> Answer:
        """Ask for predictions."""
        return self.call("POST", "/invocations", body, content_type=kind, **headers)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> Answer:
    """One request on a kept connection."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named, encode_chunked=False)
    return answered(connection)


def answered(connection: http.client.HTTPConnection) -> Answer:
    """The answer to what was sent."""
    response = connection.getresponse()
    told = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, told, response.read())


@contextmanager
def container(root: Path, **settings: str) -> Iterator[Container]:
    """Start it for the model below this root, and stop it."""
    given = {"SIGNALBOX_ML_ROOT": str(root), "SIGNALBOX_HOST": "127.0.0.1", "SIGNALBOX_PORT": "0"}
    process = subprocess.Popen(
        COMMAND, cwd=ROOT, text=True, stderr=subprocess.PIPE,
        env={**os.environ, "SIGNALBOX_THREADS": "1", **given, **settings},
    )  # fmt: skip
    with process:
        try:
            yield _started(process)
        finally:
            process.kill()


def tried(model: Path, sample: Smoke, root: Path) -> str | None:
    """How a model's container answers a request otherwise than was said, or None."""
    root.mkdir()
    (root / "model").symlink_to(model)
    with container(root) as served:
        answer = served.post(sample.content_type, sample.body.encode(), accept=sample.accept)
        assert answer.status == 200, answer.body
    return sample.differs(answer.body)


def _started(process: subprocess.Popen[str]) -> Container:
    told = process.stderr
    assert told is not None
    log: list[str] = []
    for line in told:
        log.append(line)
        if found := re.search(r"serving on http://127\.0\.0\.1:(\d+)", line):
            # what it goes on to say must be read, or it would block
            threading.Thread(target=log.extend, args=(told,), daemon=True).start()
            return Container(process, int(found[1]), log)
    raise AssertionError(f"ended with {process.wait()}: {''.join(log)}")
