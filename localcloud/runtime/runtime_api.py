"""Lambda's Runtime API, as one execution environment speaks it: HTTP/1.1 on 127.0.0.1.

Citation: "Using the Lambda runtime API for custom runtimes" of the Lambda Developer Guide:
`/runtime/invocation/next`, `/response`, `/error` and `/runtime/init/error`, version 2018-06-01.

Nothing here waits by itself: whoever selects calls what is registered with each socket.
"""

from __future__ import annotations

import json
import selectors
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

from localcloud.runtime.base import FunctionError
from localcloud.runtime.faults import LARGEST_RESPONSE, too_large

_ROOT = "/2018-06-01/runtime/"
_CHUNK = 1 << 18
_SEND_S = 10.0  # a runtime that asked for an invocation and does not read it is broken
_ACCEPTED = b'{"status":"OK"}'


@dataclass(frozen=True)
class Answer:
    """What the runtime posted: a result's bytes, or an error."""

    body: bytes
    error: FunctionError | None


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    body: bytes


class Connection:
    """The runtime's end of a connection, requests cut out of what arrives."""

    def __init__(self, plain: socket.socket) -> None:
        self.plain = plain
        plain.settimeout(_SEND_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._arrived = bytearray()
        self._wanted = 0

    def read(self) -> list[Request] | None:
        """The requests that are complete now; None when the other side has closed."""
        try:
            chunk = self.plain.recv(_CHUNK)
        except ConnectionError:
            return None
        if not chunk:
            return None
        self._arrived += chunk
        found = []
        while (request := self._cut()) is not None:
            found.append(request)
        return found

    def _cut(self) -> Request | None:
        if len(self._arrived) < self._wanted:
            return None
        end = self._arrived.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._arrived[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (
            line.partition(":") for line in lines)}  # fmt: skip
        self._wanted = end + 4 + int(headers.get("content-length", 0))
        if len(self._arrived) < self._wanted:
            return None
        body = bytes(self._arrived[end + 4 : self._wanted])
        del self._arrived[: self._wanted]
        self._wanted = 0
        method, path, _ = first.split(" ")
        return Request(method, path, body)

    def send(self, status: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer a request, in one write."""
        named = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = "".join(
            f"{key}: {value}\r\n" for key, value in {**named, **(headers or {})}.items()
        )
        self.plain.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body)


class RuntimeApi:
    """The API of one execution environment, and what its runtime has said.

    Args:
        selector: gets every socket, with what to call when it is readable.

    Attributes:
        waiting: the connection that asks for the next invocation, once the runtime is ready.
        answer: what the runtime posted about the invocation, or about its start.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._connections: list[Connection] = []
        self._request_id: str | None = None
        self.waiting: Connection | None = None
        self.answer: Answer | None = None
        selector.register(self._listening, selectors.EVENT_READ, self._accept)

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._listening.getsockname()
        return f"{host}:{port}"

    def hand_over(self, request_id: str, payload: bytes, headers: dict[str, str]) -> None:
        """Give the runtime the invocation it waits for.

        Raises:
            OSError: the runtime is gone, or does not take it.
        """
        if self.waiting is None:
            raise ConnectionError("the runtime does not ask for an invocation")
        self._request_id, self.answer = request_id, None
        connection, self.waiting = self.waiting, None
        connection.send("200 OK", payload, {"Lambda-Runtime-Aws-Request-Id": request_id, **headers})

    def close(self) -> None:
        """Close everything."""
        for each in (self._listening, *(connection.plain for connection in self._connections)):
            self._selector.unregister(each)
            each.close()

    def _accept(self) -> None:
        connection = Connection(self._listening.accept()[0])
        self._connections.append(connection)
        taking = partial(self._take, connection)
        self._selector.register(connection.plain, selectors.EVENT_READ, taking)

    def _take(self, connection: Connection) -> None:
        requests = connection.read()
        if requests is None:
            self._connections.remove(connection)
            self._selector.unregister(connection.plain)
            connection.plain.close()
            if self.waiting is connection:
                self.waiting = None
            return
        for request in requests:
            self._serve(connection, request)

    def _serve(self, connection: Connection, request: Request) -> None:
        if (request.method, request.path) == ("GET", f"{_ROOT}invocation/next"):
            self.waiting = connection
        elif (request.method, request.path) == ("POST", f"{_ROOT}init/error"):
            self.answer = Answer(b"", _reported(request.body))
            connection.send("202 Accepted", _ACCEPTED)
        elif request.path == f"{_ROOT}invocation/{self._request_id}/response":
            self._respond(connection, request.body)
        elif request.path == f"{_ROOT}invocation/{self._request_id}/error":
            self.answer = Answer(b"", _reported(request.body))
            connection.send("202 Accepted", _ACCEPTED)
        else:
            connection.send("400 Bad Request", _refusal("InvalidRequestID", "Invalid request ID"))

    def _respond(self, connection: Connection, body: bytes) -> None:
        if len(body) > LARGEST_RESPONSE:
            error = too_large()
            self.answer = Answer(b"", error)
            refusal = _refusal(error.type, error.message)
            connection.send("413 Request Entity Too Large", refusal)
            return
        self.answer = Answer(body, None)
        connection.send("202 Accepted", _ACCEPTED)


def _refusal(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _reported(body: bytes) -> FunctionError:
    told: dict[str, Any] = json.loads(body)
    trace = tuple(str(line).rstrip("\n") for line in told.get("stackTrace") or ())
    return FunctionError(str(told.get("errorType")), str(told.get("errorMessage")), trace)
