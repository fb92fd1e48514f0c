"""An exported model in this process: loaded, compared with what it is to score, run in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.contracts.model_schema import FILE, ONNX, ModelSchema
from signalbox.errors import Rejected

PROVIDERS = ["CPUExecutionProvider"]  # GPUs are the container's business
INPUTS = ["windows", "valid"]
BATCH = 8  # measured best on CPUs: larger batches leave the cache


@dataclass(frozen=True)
class OnnxModel:
    """A fault model as ONNX Runtime runs it."""

    session: Any

    @classmethod
    def open(cls, path: Path, threads: int = 0) -> OnnxModel:
        """Load ``model.onnx``; ``threads`` 0 takes all cores.

        Raises:
            Rejected: there is no such file, or it is no fault model in ONNX.
        """
        import onnxruntime  # noqa: PLC0415 - a model runtime: only where a model is run

        if not path.is_file():
            raise Rejected("no-model", f"{path} is not there; train a model first")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=PROVIDERS)
        except Exception as problem:
            raise Rejected("bad-model", f"{path} does not load: {problem}") from problem
        inputs = [each.name for each in session.get_inputs()]
        if inputs != INPUTS:
            raise Rejected("bad-model", f"{path} takes {inputs}, a fault model {INPUTS}")
        return cls(session)

    def log_probabilities(
        self, windows: npt.NDArray[np.float32], valid: npt.NDArray[np.int64], batch: int = BATCH
    ) -> npt.NDArray[np.float32]:
        """Log-probabilities of no fault and of one within the horizon.

        Args:
            windows: (n, T, F) features as they were measured.
            valid: (n,) real cycles at the end of each.
            batch: windows a call.

        Returns:
            (n, 2).

        Raises:
            Rejected: a window holds NaN or infinity, or has another shape than the model takes.
        """
        shape = self.session.get_inputs()[0].shape[1:]
        if list(windows.shape[1:]) != list(shape):
            raise Rejected(
                "wrong-shape",
                f"windows of {windows.shape[1:]} cycles and features; the model takes {shape}",
            )
        if valid.shape != (len(windows),) or ((valid < 1) | (valid > windows.shape[1])).any():
            raise Rejected("wrong-shape", "valid: give each window 1 to T real cycles")
        bad = np.flatnonzero(~np.isfinite(windows).all(axis=(1, 2)))
        if len(bad):
            raise Rejected("not-finite", f"window {bad[0]} holds NaN or infinity", row=int(bad[0]))
        parts = [
            self.session.run(
                None, {"windows": windows[k : k + batch], "valid": valid[k : k + batch]}
            )[0]
            for k in range(0, len(windows), batch)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 2), np.float32)


def read_schema(folder: Path) -> ModelSchema:
    """Read what the model in a folder was made from.

    Raises:
        Rejected: there is none, or it is damaged.
    """
    path = folder / FILE
    if not path.is_file() or not (folder / ONNX).is_file():
        raise Rejected("no-model", f"{folder} holds no model ({ONNX} and {FILE}); train one first")
    try:
        return ModelSchema.model_validate_json(path.read_bytes())
    except ValidationError as problem:
        raise Rejected("bad-model", f"{path}: {complaint(problem)}") from None


def refuse_mismatch(schema: ModelSchema, workload: str, columns: Sequence[str]) -> None:
    """See that a model fits what it is to score.

    Raises:
        Rejected: it is of another workload, or features are missing; they are named.
    """
    if schema.workload != workload:
        raise Rejected(
            "other-workload",
            f"model {schema.version} is of workload {schema.workload!r}, not of {workload!r}",
        )
    missing = [name for name in schema.columns if name not in columns]
    if missing:
        raise Rejected(
            "missing-features",
            f"model {schema.version} needs {', '.join(missing)}, which are not there",
        )
