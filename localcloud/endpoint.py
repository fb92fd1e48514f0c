"""The cloud's address for other processes: an HTTP server on 127.0.0.1 and a free port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from werkzeug.serving import make_server

from localcloud.seams import QuietHandler, application

# werkzeug looks for a stop request this often; its default of 0.5 s would be felt at every close
_STOP_POLL_S = 0.02


@contextmanager
def served(port: int = 0) -> Iterator[str]:
    """moto's state behind one URL, yielded, until the context ends; port 0 takes a free one."""
    server = make_server(
        "127.0.0.1", port, application(), threaded=True, request_handler=QuietHandler
    )
    thread = threading.Thread(
        target=partial(server.serve_forever, poll_interval=_STOP_POLL_S),
        name="local-cloud-endpoint",
        daemon=True,
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
