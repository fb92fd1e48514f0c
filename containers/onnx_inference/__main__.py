"""``python3 -m containers.onnx_inference serve``: what SageMaker starts as ``docker run image serve``."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

import uvicorn

from containers.onnx_inference.app import App
from containers.onnx_inference.batcher import Batcher
from containers.onnx_inference.model import load
from containers.onnx_inference.protocol import options
from containers.onnx_inference.settings import BadSettingError, Settings
from containers.onnx_inference.signature import UnservableModelError

log = logging.getLogger("onnx_inference")

_SWITCH_S = 2e-4
"""How long the parser may keep the model's thread from its next batch: Python's 5 ms are nearly a batch."""

USAGE, REFUSES_TO_START = 2, 3
"""Exit codes besides 0, which is the answer to SIGTERM."""


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; the exit code."""
    sys.setswitchinterval(_SWITCH_S)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it tells of every malformed request
    if list(argv) not in ([], ["serve"]):
        log.error("this image can only 'serve', not %r", " ".join(argv))
        return USAGE
    try:
        settings = Settings.of(environ)
        listening = _bound(settings)
        model = load(settings)
    except (BadSettingError, UnservableModelError, OSError) as problem:
        log.error("cannot serve: %s", problem)  # noqa: TRY400  (one line is what a person needs)
        return REFUSES_TO_START
    _serve(
        App(model, batcher := Batcher(model, settings.batch, settings.wait_ms), settings),
        settings,
        listening,
    )
    batcher.close()
    return 0


def _bound(settings: Settings) -> socket.socket:
    """A socket that has its port but answers nobody before the model is loaded."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as problem:
        listening.close()
        raise BadSettingError(
            f"{settings.host}:{settings.port} cannot be had: {problem.strerror}"
        ) from problem
    return listening


def _serve(app: App, settings: Settings, listening: socket.socket) -> None:
    # uvicorn raises SIGTERM once more after it has finished; by default that would be the exit code
    signal.signal(signal.SIGTERM, lambda *_: None)
    server = uvicorn.Server(uvicorn.Config(app, **options(settings.stalled_s)))
    listening.listen(2048)
    log.info("serving on http://%s:%d", *listening.getsockname())
    server.run(sockets=[listening])


if __name__ == "__main__":
    # before the model is loaded there is nothing in flight to finish
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(main(sys.argv[1:], os.environ))  # noqa: TID251
