"""From weights to an ONNX file that takes features as they were measured, and proof that it is the same.

TorchScript's exporter makes the graph that ONNX Runtime runs fastest here (benchmarks/inference.py);
docs/decisions/0005 says when to leave it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from cycles.errors import BadHistory
from cycles.history import Sequences, Standard
from jobs.training.model import FaultModel, Served
from signalbox.adapters.onnx_model import OnnxModel

CLOSE = 1e-5  # of log-probabilities
FLIPS = 0.005  # share of decisions that int8 may change on validation
OPSET = 17


@dataclass(frozen=True)
class Parity:
    """How far the exported model is from the trained one, over ``windows`` windows.

    Attributes:
        difference: largest difference of a log-probability.
        flips: decisions that differ, of windows further from the threshold than 1e-5.
        spread: 1st and 99th percentile of the probabilities, to see that the outputs were spread.
    """

    windows: int
    difference: float
    flips: int
    spread: tuple[float, float]


def export(model: FaultModel, standard: Standard, features: int, path: Path) -> None:
    """Write ``model.onnx``: inputs ``windows`` (batch, T, F) float32 and ``valid`` (batch,) int64."""
    served = Served(model.cpu().eval(), standard).eval()
    example = (torch.zeros(2, model.window, features), torch.tensor([model.window, 1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one is known
        torch.onnx.export(
            served, example, str(path), input_names=["windows", "valid"],
            output_names=["log_probabilities"], opset_version=OPSET, dynamo=False,
            dynamic_axes={name: {0: "batch"} for name in ("windows", "valid", "log_probabilities")},
        )  # fmt: skip
    onnx.checker.check_model(str(path))


def raw_windows(
    data: Sequences, rows: npt.NDArray[np.int64], window: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Windows as production sends them: features before they were standardised."""
    stored, valid = data.windows(rows, window)
    scale = np.where(data.standard.scale > 0, data.standard.scale, 1)
    return (stored.astype(np.float32) / scale + data.standard.centre).astype(np.float32), valid


def parity(
    model: FaultModel, standard: Standard, path: Path, threshold: float,
    windows: npt.NDArray[np.float32], valid: npt.NDArray[np.int64],
) -> Parity:  # fmt: skip
    """Compare the exported model with the trained one on the same windows.

    Raises:
        BadHistory: they differ by more than 1e-5, or in a decision.
    """
    served = Served(model.cpu().eval(), standard).eval()
    with torch.inference_mode():
        parts = [
            served(torch.from_numpy(windows[k : k + 64]), torch.from_numpy(valid[k : k + 64]))
            for k in range(0, len(windows), 64)
        ]
    mine = torch.cat(parts).numpy()
    theirs = OnnxModel.open(path).log_probabilities(windows, valid)
    difference = float(np.abs(mine - theirs).max())
    # the threshold is the very probability of a window: there the last bit decides nothing
    apart = np.abs(mine[:, 1] - np.log(threshold)) > CLOSE
    flips = int(
        ((mine[:, 1] >= np.log(threshold)) != (theirs[:, 1] >= np.log(threshold)))[apart].sum()
    )
    low, high = np.percentile(np.exp(mine[:, 1]), [1, 99])
    found = Parity(len(windows), difference, flips, (float(low), float(high)))
    if not difference <= CLOSE or flips:
        raise BadHistory(
            "export-differs",
            f"{path}: log-probabilities differ by up to {difference:.2g} and {flips} decisions of "
            f"{len(windows)}; allowed are {CLOSE} and none",
        )
    return found


def int8_of(path: Path) -> Path:
    """Where the weights of eight bits lie beside a model."""
    return path.with_name(f"{path.stem}.int8.onnx")


def quantize(
    path: Path, threshold: float, windows: npt.NDArray[np.float32], valid: npt.NDArray[np.int64]
) -> tuple[Path, float, bool]:
    """Try int8 weights on validation windows.

    Returns:
        The int8 file, the share of decisions it changes, and whether that is little enough; a file
        that is not accepted is removed.
    """
    small = int8_of(path)
    quantize_dynamic(str(path), str(small), weight_type=QuantType.QInt8)
    whole = OnnxModel.open(path).log_probabilities(windows, valid)[:, 1] >= np.log(threshold)
    rough = OnnxModel.open(small).log_probabilities(windows, valid)[:, 1] >= np.log(threshold)
    share = float((whole != rough).mean())
    accepted = share <= FLIPS
    if not accepted:
        small.unlink()
    return small, share, accepted
