"""The cloud's address for other processes: an HTTP server on 127.0.0.1 and a free port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from werkzeug.serving import make_server

from localcloud.control import Answers, controlled
from localcloud.errors import DeployError
from localcloud.seams import QuietHandler, application

# werkzeug looks for a stop request this often; its default of 0.5 s would be felt at every close
_STOP_POLL_S = 0.02


@contextmanager
def served(port: int = 0, answers: Answers | None = None) -> Iterator[str]:
    """moto's state behind one URL, yielded, until the context ends; port 0 takes a free one.

    Args:
        port: on 127.0.0.1.
        answers: what `localcloud.control` answers in front of moto.
    """
    # werkzeug would end the process over a port in use; bound here, it is an error like any other
    listening = bound(port)
    server = make_server(
        "127.0.0.1",
        port,
        controlled(application(), answers or {}),
        threaded=True,
        request_handler=QuietHandler,
        fd=listening.fileno(),
    )
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
