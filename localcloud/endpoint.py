"""The cloud's address for other processes: an HTTP server on 127.0.0.1 and a free port.

werkzeug's server closes the connection after every answer and writes an answer in several pieces,
so that each call would pay for a connection and for delayed acknowledgements (40 ms each). Here
connections are kept and an answer leaves in one write.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from werkzeug.serving import ThreadedWSGIServer
from werkzeug.test import run_wsgi_app

from localcloud.control import Answers, controlled
from localcloud.errors import DeployError
from localcloud.seams import QuietHandler, application

# werkzeug looks for a stop request this often; its default of 0.5 s would be felt at every close
_STOP_POLL_S = 0.02
_WITHOUT_BODY = (204, 304)


@contextmanager
def served(port: int = 0, answers: Answers | None = None) -> Iterator[str]:
    """moto's state behind one URL, yielded, until the context ends; port 0 takes a free one.

    Args:
        port: on 127.0.0.1.
        answers: what `localcloud.control` answers in front of moto.
    """
    # werkzeug would end the process over a port in use; bound here, it is an error like any other
    listening = bound(port)
    served_by = controlled(application(), answers or {})
    server = _Server("127.0.0.1", port, served_by, _Handler, fd=listening.fileno())
    thread = threading.Thread(
        target=partial(server.serve_forever, poll_interval=_STOP_POLL_S),
        name="local-cloud-endpoint",
        daemon=True,
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listening.close()


class _Server(ThreadedWSGIServer):  # type: ignore[misc]
    """Ends the connections that clients keep open when it is closed: a later cloud is not theirs."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        super().__init__(*args, **named)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread of its own."""
        with self._changing:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A connection is over."""
        with self._changing:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening and end what is open."""
        super().server_close()
        with self._changing:
            for connection in self._open:
                with suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(QuietHandler):
    """One kept connection."""

    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Serve one request; its body is read whole, so that the next one begins after it."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        chunked = environ.get("wsgi.input_terminated", False)
        size = -1 if chunked else int(self.headers.get("Content-Length") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(size))
        pieces, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        body, (code, _, reason) = b"".join(pieces), status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and int(code) not in _WITHOUT_BODY:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


def bound(port: int) -> socket.socket:
    """A socket listening on this port of 127.0.0.1, on a free one if 0.

    Raises:
        DeployError: the port is in use, or not for this user.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError as problem:
        listening.close()
        raise DeployError(
            f"port {port} on 127.0.0.1 cannot be had ({problem.strerror}); choose another"
        ) from problem
    return listening
