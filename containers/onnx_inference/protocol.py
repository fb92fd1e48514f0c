"""HTTP/1.1 by uvicorn and httptools, with what this house adds: refusals in JSON, and no endless wait."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from containers.onnx_inference.refusals import Refused, body_of


class Protocol(HttpToolsProtocol):
    """One connection.

    A request's headers must be complete ``timeout_keep_alive`` seconds after the connection was made
    or the answer before was sent; uvicorn itself would wait for ever once a byte has arrived. While
    a request is served its body and answer are timed by the application.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for headers."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Let the application end the connection without waiting for its client."""
        super().on_message_begin()
        self.scope["signalbox.abort"] = self.transport.abort  # type: ignore[typeddict-unknown-key]

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._stop_waiting()
        if not self.transport.is_closing():
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Tell a client that it does not speak HTTP, and end the connection.

        Where an answer is under way the connection only ends: two answers would be read as one.
        """
        self._stop_waiting()
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            body = body_of(Refused(400, "bad_request", msg))
            self.transport.write(
                b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
                b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
            )
        self.transport.close()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def options(stalled_s: float) -> dict[str, Any]:
    """What uvicorn is to be configured with; 25 s of SageMaker's 30 are for what is in flight."""
    return {
        "http": Protocol,
        "ws": "none",
        "lifespan": "off",
        "loop": "asyncio",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": stalled_s,
        "timeout_graceful_shutdown": 25,
    }
