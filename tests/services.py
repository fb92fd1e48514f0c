"""A server on this machine that stands for GitLab or GitHub and answers as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service(ThreadingHTTPServer):
    """Answers one status after the other, the last for ever; None never answers.

    Attributes:
        asked: path, headers and body of every request.
        over: set when nobody needs to be kept waiting any more.
    """

    daemon_threads = True

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = self.server
        service.asked.append((self.path, dict(self.headers), body))
        status = service.statuses[min(len(service.asked), len(service.statuses)) - 1]
        if status is None:
            service.over.wait(60)
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"http://{service.host}/elsewhere")
        self.send_header("Retry-After", "3600")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the name that http.server calls

    def log_message(self, *about: object) -> None:
        pass


@contextmanager
def serving(*statuses: int | None) -> Iterator[Service]:
    """A server until the block ends."""
    with Service(*statuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
