"""An ONNX model in memory: its session, and whether it works."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import onnxruntime

from containers.onnx_inference.settings import Settings
from containers.onnx_inference.signature import (
    Array,
    Node,
    Signature,
    Tensors,
    UnservableModelError,
)

log = logging.getLogger("onnx_inference")

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_OPTIONS = {"CUDAExecutionProvider": {"use_tf32": "0"}}
"""Products in ten bits of mantissa, a GPU's default, moved log-probabilities by 4e-3; thresholds were
chosen on those of a CPU. Source: onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html"""


class Session(Protocol):
    """The part of onnxruntime's InferenceSession that is used."""

    def get_inputs(self) -> Sequence[Node]:
        """Inputs in the model's order."""

    def get_outputs(self) -> Sequence[Node]:
        """Outputs in the model's order."""

    def run(self, names: Sequence[str], feed: Tensors) -> list[Array]:
        """Run once."""

    def io_binding(self) -> Any:
        """A new binding of inputs and outputs to memory."""

    def run_with_iobinding(self, binding: Any) -> None:
        """Run once on what is bound."""


class Model:
    """A session with its signature.

    Args:
        session: of onnxruntime.
        schema: what model.json says; only shapes the model leaves open are taken from it.
        bound: bind inputs and outputs to memory, as a GPU needs it to copy each tensor once.

    Attributes:
        works: False after a run failed that should not have, until one succeeds.
    """

    def __init__(self, session: Session, schema: dict[str, Any], bound: bool = False) -> None:
        self.signature = Signature.of(session.get_inputs(), session.get_outputs(), schema)
        self.works = True
        self._session = session
        self._canary = self.signature.canary()
        self.run = self._run_bound if bound else self._run

    def check(self) -> bool:
        """Run the canary: whether the model works, which is remembered.

        What went wrong is logged.
        """
        try:
            self.run(self._canary)
        except Exception as problem:  # noqa: BLE001  (whatever it is, the model does not work)
            log.error("the model does not run a record of ones: %s", reason(problem))  # noqa: TRY400
            self.works = False
        else:
            self.works = True
        return self.works

    def _run(self, inputs: Tensors) -> Tensors:
        names = self.signature.outputs
        return dict(zip(names, self._session.run(names, inputs), strict=True))

    def _run_bound(self, inputs: Tensors) -> Tensors:
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)  # copied to the device, once
        for name in self.signature.outputs:
            binding.bind_output(name)  # to main memory, which the runtime allocates
        self._session.run_with_iobinding(binding)
        return dict(zip(self.signature.outputs, binding.copy_outputs_to_cpu(), strict=True))


def reason(problem: Exception) -> str:
    """What onnxruntime says went wrong, without where in its own sources it was noticed."""
    *_, told = str(problem).split("Status Message: ")
    *_, told = told.rpartition("onnxruntime::")
    return " ".join(told.split())[:300]


def load(settings: Settings) -> Model:
    """Load the model and run it once.

    Raises:
        UnservableModelError: it is not there, cannot be read, is not of a kind that is served, or would
            run on the CPU where a GPU was asked for.
    """
    folder = settings.root / "model"
    path = folder / "model.onnx"
    if not path.is_file():
        raise UnservableModelError(
            f"{path}: no such file; model.tar.gz must hold model.onnx at its top"
        )
    session = _session(path, settings)
    got = session.get_providers()[0]
    if got != _PROVIDERS[settings.device] and not settings.allow_cpu:
        raise UnservableModelError(
            f"SIGNALBOX_DEVICE=cuda, but onnxruntime fell back to {got}: no usable GPU, CUDA 13 or "
            "cuDNN 9; mend that, or set SIGNALBOX_ALLOW_CPU=1 to serve on the CPU all the same"
        )
    model = Model(session, _schema(folder / "model.json"), bound=got == _PROVIDERS["cuda"])
    model.check()
    log.info("%s on %s: %s", path, got, model.signature)
    return model


def _session(path: Path, settings: Settings) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    # threads that spin between runs would take the cores that parse the next records
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    named = dict.fromkeys([_PROVIDERS[settings.device], _PROVIDERS["cpu"]])
    providers = [(name, _OPTIONS.get(name, {})) for name in named]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as problem:  # onnxruntime's errors share no class of their own
        raise UnservableModelError(
            f"{path}: not a model onnxruntime can load: {reason(problem)}"
        ) from problem


def _schema(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        schema = json.loads(path.read_bytes())
    except ValueError as problem:
        raise UnservableModelError(f"{path}: not JSON: {problem}") from problem
    if not isinstance(schema, dict):
        raise UnservableModelError(f"{path}: not a JSON object")
    return schema
