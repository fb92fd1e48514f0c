"""Talks to a container that serves a model: is it healthy, what does it take, what does it answer.

The standard library only: `batch.py` uses it in a process that is no part of the cloud's.

Citation: "Use Your Own Inference Code with Hosting Services" of the SageMaker Developer Guide:
`GET /ping` answers 200 when the container accepts requests; `POST /invocations` is an inference.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
UNHEALTHY = "the ping health check"  # what every text of `Unhealthy` says
PING_S = 2.0  # "the request timeout on /ping attempts is 2 seconds"


class Unhealthy(Exception):  # noqa: N818 - named for what it says
    """The container ended or did not become healthy; the text says which."""


@dataclass(frozen=True)
class Reply:
    """What the container answered: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def request(
    port: int,
    method: str,
    path: str,
    timeout_s: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request to the container.

    Raises:
        OSError: it does not listen, or does not answer in time.
        http.client.HTTPException: what it answers is not HTTP.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read())
    finally:
        connection.close()


def wait_until_healthy(port: int, limit_s: float, ended: Callable[[float], bool]) -> None:
    """Ask for /ping until it answers 200.

    Args:
        port: the container's.
        limit_s: how long to ask.
        ended: waits that many seconds at most for the container's end; True once it has ended.

    Raises:
        Unhealthy: the container ended, or it did not answer 200 in time.
    """
    until, last = time.monotonic() + limit_s, "no answer"
    while not ended(0.02):
        try:
            last = f"status {request(port, 'GET', '/ping', PING_S).status}"
        except (OSError, http.client.HTTPException) as error:
            last = str(error) or type(error).__name__
        if last == "status 200":
            return
        if time.monotonic() > until:
            raise Unhealthy(f"the container did not pass {UNHEALTHY}: {last}")
    raise Unhealthy(f"the container ended before it passed {UNHEALTHY}")
