"""What the container is told by its environment, read once in ``main``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, cast

MB = 2**20

BATCHES = {"cpu": 8, "cuda": 64}
"""Records run together where the environment does not say: more would leave a CPU's cache; a GPU gains."""


class BadSettingError(ValueError):
    """A variable holds what it must not; the message names it and says what it may hold."""


@dataclass(frozen=True)
class Settings:
    """The settings; README.md says what each does.

    Attributes:
        root: the folder SageMaker mounts; the model lies in ``model`` below it.
        port: 0 takes a free one.
        allow_cpu: whether ``device="cuda"`` may end up on the CPU.
        threads: of one run on the CPU; 0 leaves it to the runtime.
        batch: records run together.
        wait_ms: longest wait for a batch to fill, and only while other requests are arriving.
        max_payload: bytes of a request body.
        payload_mb, concurrent: what ``/execution-parameters`` tells batch transform.
        stalled_s: how long a client may keep the server waiting for its next bytes.
    """

    root: Path = Path("/opt/ml")
    host: str = "0.0.0.0"  # noqa: S104  (SageMaker calls from outside the container)
    port: int = 8080
    device: Literal["cpu", "cuda"] = "cpu"
    allow_cpu: bool = False
    threads: int = 0
    batch: int = BATCHES["cpu"]
    wait_ms: float = 2.0
    max_payload: int = 1024 * MB
    payload_mb: int = 6
    concurrent: int = 4
    stalled_s: float = 30.0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Read them.

        Raises:
            BadSettingError: a value is not one of those allowed.
        """
        device = environ.get("SIGNALBOX_DEVICE", "cpu")
        if device not in {"cpu", "cuda"}:
            raise BadSettingError(f"SIGNALBOX_DEVICE is {device!r}; it may be 'cpu' or 'cuda'")
        own_mb = _number(environ, "SIGNALBOX_MAX_PAYLOAD_MB", 1024, least=1)
        # batch transform says 0 for a payload without limit
        told_mb = int(_number(environ, "SAGEMAKER_MAX_PAYLOAD_IN_MB", 0, least=0))
        in_batch = environ.get("SAGEMAKER_BATCH", "").lower() == "true"
        most_mb = told_mb if in_batch and told_mb else own_mb
        return cls(
            root=Path(environ.get("SIGNALBOX_ML_ROOT") or cls.root),
            host=environ.get("SIGNALBOX_HOST") or cls.host,
            port=int(_number(environ, "SIGNALBOX_PORT", cls.port, least=0)),
            device=cast('Literal["cpu", "cuda"]', device),
            allow_cpu=environ.get("SIGNALBOX_ALLOW_CPU", "") == "1",
            threads=int(_number(environ, "SIGNALBOX_THREADS", cls.threads, least=0)),
            batch=int(_number(environ, "SIGNALBOX_BATCH", BATCHES[device], least=1)),
            wait_ms=_number(environ, "SIGNALBOX_WAIT_MS", cls.wait_ms, least=0),
            max_payload=int(most_mb * MB),
            payload_mb=told_mb or min(cls.payload_mb, int(own_mb)),
            concurrent=int(
                _number(environ, "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", cls.concurrent, least=1)
            ),
            stalled_s=_number(environ, "SIGNALBOX_STALLED_S", cls.stalled_s, least=0.1),
        )


def _number(environ: Mapping[str, str], name: str, otherwise: float, least: float) -> float:
    text = environ.get(name, "").strip()
    if not text:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        raise BadSettingError(f"{name} is {text!r}; it must be a number") from None
    if not least <= value < 2**40:
        raise BadSettingError(f"{name} is {text}; it must be {least:g} or more")
    return value
