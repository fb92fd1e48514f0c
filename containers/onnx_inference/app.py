"""The paths SageMaker calls, as an ASGI application.

A body is taken in piece by piece while its first records already run, and the answer grows in a
spooled file. It is sent once the last record has been run: its status is always right, a record that
is refused at the end of a gigabyte included, and no client has to read while it still writes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import IO, Any

import orjson

from containers.onnx_inference.batcher import Batcher
from containers.onnx_inference.formats.contract import Spools, Writer
from containers.onnx_inference.formats.registry import format_in, format_out
from containers.onnx_inference.model import Model
from containers.onnx_inference.records import Slice
from containers.onnx_inference.refusals import ModelFailed, Refused, body_of
from containers.onnx_inference.settings import Settings
from containers.onnx_inference.signature import Tensors

log = logging.getLogger("onnx_inference")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_JSON = "application/json"
_PIECE = 256 * 2**10
# slices of one request that may be queued: one runs while the next is parsed
_AHEAD = 2


class Gone(Exception):  # noqa: N818  (a fact, not a fault)
    """The client went away; nobody is left to answer."""


class App:
    """Answers for one model."""

    def __init__(self, model: Model, batcher: Batcher, settings: Settings) -> None:
        self._model = model
        self._batcher = batcher
        self._settings = settings
        self._paths: dict[str, tuple[str, _Serve]] = {
            "/ping": ("GET", self._ping),
            "/invocations": ("POST", self._invoke),
            "/execution-parameters": ("GET", self._parameters),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = _Answer(scope, send, self._settings.stalled_s)
        try:
            serve = self._route(scope["path"], scope["method"])
            await serve(_headers(scope), receive, answer)
        except Refused as refused:
            await answer.send(refused.status, _JSON, body_of(refused))
        except Gone:
            return
        except Exception:
            log.exception("a request failed for a reason that has no answer yet")
            await answer.send(
                500, _JSON, body_of(ModelFailed("the container failed; its log says how"))
            )

    def _route(self, path: str, method: str) -> _Serve:
        if path not in self._paths:
            raise Refused(404, "unknown_path", f"{path[:80]!r}; there are {', '.join(self._paths)}")
        allowed, serve = self._paths[path]
        if method != allowed and (allowed, method) != ("GET", "HEAD"):
            raise Refused(405, "wrong_method", f"{path} takes {allowed}")
        return serve

    async def _ping(self, headers: dict[str, str], receive: Receive, answer: _Answer) -> None:
        del headers, receive
        if not (self._model.works or await asyncio.wrap_future(self._batcher.check())):
            raise ModelFailed("the model does not run a record of ones; the log says why")
        await answer.send(200, _JSON, b"{}")

    async def _parameters(self, headers: dict[str, str], receive: Receive, answer: _Answer) -> None:
        del headers, receive
        told = {
            "MaxConcurrentTransforms": self._settings.concurrent,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": self._settings.payload_mb,
        }
        await answer.send(200, _JSON, orjson.dumps(told))

    async def _invoke(self, headers: dict[str, str], receive: Receive, answer: _Answer) -> None:
        self._check(headers)
        signature = self._model.signature
        given = format_in(headers.get("content-type", ""))
        wanted = format_out(headers.get("accept", ""), given, signature)
        with Spools() as spools:
            run = _Run(self._batcher, wanted.writer(signature, spools))
            reader = given.reader(signature, self._batcher.most, spools)
            self._batcher.arriving += 1
            try:
                async for piece in self._pieces(receive):
                    await run.take(reader.feed(piece))
                await run.take(reader.close())
                await run.finish()
            finally:
                self._batcher.arriving -= 1
                run.cancel()
            await answer.send(200, wanted.name, run.writer.close())

    def _check(self, headers: dict[str, str]) -> None:
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "wrong_content_type", "Content-Encoding must be left out")
        self._check_size(int(headers.get("content-length", 0)))

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_payload:
            raise Refused(
                413, "too_large", f"a body takes {self._settings.max_payload} bytes at most"
            )

    async def _pieces(self, receive: Receive) -> AsyncIterator[bytes]:
        size, more = 0, True
        while more:
            try:
                async with asyncio.timeout(self._settings.stalled_s):
                    message = await receive()
            except TimeoutError:
                raise Refused(408, "stalled", "the body stopped arriving") from None
            if message["type"] == "http.disconnect":
                raise Gone
            more = message.get("more_body", False)
            if piece := message.get("body", b""):
                size += len(piece)
                self._check_size(size)
                yield piece


class _Run:
    """One request's slices on their way through the batcher, and their outputs into its answer."""

    def __init__(self, batcher: Batcher, writer: Writer) -> None:
        self.writer = writer
        self._batcher = batcher
        self._ahead: deque[tuple[Slice, asyncio.Future[Tensors]]] = deque()

    async def take(self, parts: Iterable[Slice]) -> None:
        """Queue slices, no more than a few ahead of the model."""
        for part in parts:
            while len(self._ahead) >= _AHEAD:
                await self._next()
            self._ahead.append((part, asyncio.wrap_future(self._batcher.submit(part))))

    async def finish(self) -> None:
        """Wait for the last."""
        while self._ahead:
            await self._next()

    def cancel(self) -> None:
        """Give up what has not been run."""
        for _, outputs in self._ahead:
            outputs.cancel()

    async def _next(self) -> None:
        part, outputs = self._ahead.popleft()
        self.writer.add(part, await outputs)


class _Answer:
    """Sends one answer; a client that stops reading is cut off."""

    def __init__(self, scope: Scope, send: Send, stalled_s: float) -> None:
        self._abort: Callable[[], None] = scope["signalbox.abort"]
        self._send = send
        self._stalled_s = stalled_s

    async def send(self, status: int, kind: str, body: bytes | IO[bytes]) -> None:
        """Send it whole; a file is read from its beginning to where it stands."""
        size = len(body) if isinstance(body, bytes) else body.tell()
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % size)]
        if status == 408:  # what may still arrive belongs to no request
            headers.append((b"connection", b"close"))
        try:
            await self._bounded(
                {"type": "http.response.start", "status": status, "headers": headers}
            )
            if not isinstance(body, bytes):
                body.seek(0)
                while size > _PIECE:
                    size -= _PIECE
                    await self._piece(body.read(_PIECE), more=True)
                body = body.read()
            await self._piece(body, more=False)
        except TimeoutError:
            log.warning("a client stopped reading its answer and was cut off")
            self._abort()

    async def _piece(self, body: bytes, more: bool) -> None:
        await self._bounded({"type": "http.response.body", "body": body, "more_body": more})

    async def _bounded(self, message: dict[str, Any]) -> None:
        async with asyncio.timeout(self._stalled_s):
            await self._send(message)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


_Serve = Callable[[dict[str, str], Receive, _Answer], Awaitable[None]]
