"""moto in this process, with our seams cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import moto
from moto import mock_aws
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)

from localcloud.cuts import cut, misfit
from localcloud.seams import (
    archives,
    events,
    functions,
    glue,
    hosting,
    metrics,
    model_cards,
    queues,
    ram,
    requests,
    s3,
    sagemaker,
    scheduler,
    sizes,
    times,
    topics,
    whole,
)
from localcloud.wiring import Hooks

MOTO_VERSION = "5.2.5"

SEAMS = (
    *s3.SEAMS,
    *events.SEAMS,
    *archives.SEAMS,
    *scheduler.SEAMS,
    *queues.SEAMS,
    *functions.SEAMS,
    *glue.SEAMS,
    *sagemaker.SEAMS,
    *hosting.SEAMS,
    *whole.SEAMS,
    *model_cards.SEAMS,
    *ram.SEAMS,
    *topics.SEAMS,
    *sizes.SEAMS,
    *metrics.SEAMS,
    *requests.SEAMS,
    *times.SEAMS,
)

_CONFIG: Any = {"core": {"mock_credentials": False, "reset_boto3_session": False}}
_running = threading.Lock()


@contextmanager
def moto_running(hooks: Hooks) -> Iterator[None]:
    """moto in this process with our seams cut: empty state before and after.

    Raises:
        RuntimeError: moto is not the version the seams were cut for, or another cloud runs in
            this process (moto's state is one per process).
    """
    if not _running.acquire(blocking=False):
        raise RuntimeError("another local cloud runs in this process: close it first")
    try:
        misfits = [reason for seam in SEAMS if (reason := misfit(seam, moto.__version__))]
        if moto.__version__ != MOTO_VERSION or misfits:
            message = f"the seams fit moto {MOTO_VERSION}, not {moto.__version__}: {misfits}"
            raise RuntimeError(message)
        with cut(SEAMS, hooks), ram.routed(), mock_aws(config=_CONFIG):
            mock_random.seed(20)  # ids equal from run to run
            yield
    finally:
        _running.release()


class QuietHandler(MotoRequestHandler):  # type: ignore[misc]
    """Answers for the endpoint; what matters is in the journal, so nothing goes to stderr."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """moto's dispatcher, which looks through the folder of its services at every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._found: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The service a host name stands for, looked up once."""
        if host not in self._found:
            self._found[host] = super().get_backend_for_host(host)
        return self._found[host]


def application() -> Any:
    """moto's WSGI application: every service behind one address."""
    return _Dispatcher()
