"""Small ONNX models for tests, written down node by node, and the records they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STEPS, FEATURES = 128, 5


def save(root: Path, graph: onnx.GraphProto) -> Path:
    """Lay the model where SageMaker would unpack it below this root."""
    # the runtime in use reads up to this IR; newer onnx packages write a later one by default
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    (root / "model").mkdir(parents=True)
    (root / "model" / "model.onnx").write_bytes(model.SerializeToString())
    return root


def _weights(**arrays: Any) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def _values(**told: tuple[int, list[Any]]) -> list[onnx.ValueInfoProto]:
    return [helper.make_tensor_value_info(name, *each) for name, each in told.items()]


def fault(features: int = FEATURES, width: int = 8, layers: int = 1) -> onnx.GraphProto:
    """The fault model's inputs and output around matrix products of some width and number."""
    rng = np.random.default_rng(5)

    def weight(rows: int, columns: int) -> Any:
        return rng.normal(0, 1 / np.sqrt(rows), (rows, columns)).astype(np.float32)

    nodes, arrays, last = [], {"w0": weight(features, width)}, "windows"
    for k in range(layers):
        arrays[f"w{k}"] = arrays.get(f"w{k}", weight(width, width))
        nodes += [
            helper.make_node("MatMul", [last, f"w{k}"], [f"m{k}"]),
            helper.make_node("Relu", [f"m{k}"], [f"r{k}"]),
        ]
        last = f"r{k}"
    arrays |= {"head": weight(width, 2), "time": np.array([1]), "column": np.array([1])}
    arrays |= {"bias": np.array([0.01, -0.01], np.float32)}
    nodes += [
        helper.make_node("ReduceSum", [last, "time"], ["sums"], keepdims=0),
        helper.make_node("Cast", ["valid"], ["counted"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["counted", "column"], ["counts"]),
        helper.make_node("Div", ["sums", "counts"], ["means"]),
        helper.make_node("MatMul", ["means", "head"], ["scores"]),
        helper.make_node("Mul", ["counts", "bias"], ["drift"]),
        helper.make_node("Add", ["scores", "drift"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probabilities"], axis=1),
    ]
    return helper.make_graph(
        nodes, "fault",
        _values(
            windows=(TensorProto.FLOAT, ["batch", STEPS, features]),
            valid=(TensorProto.INT64, ["batch"]),
        ),
        _values(log_probabilities=(TensorProto.FLOAT, ["batch", 2])),
        _weights(**arrays),
    )  # fmt: skip


def records(count: int, features: int = FEATURES, seed: int = 3) -> dict[str, Any]:
    """Inputs of the fault model."""
    rng = np.random.default_rng(seed)
    return {
        "windows": rng.normal(size=(count, STEPS, features)).astype(np.float32),
        "valid": rng.integers(1, STEPS + 1, count),
    }


def linear() -> onnx.GraphProto:
    """One input ``x`` (batch, 4), one output ``y`` (batch, 3)."""
    weight = np.random.default_rng(6).normal(size=(4, 3)).astype(np.float32)
    return helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"])], "linear",
        _values(x=(TensorProto.FLOAT, ["batch", 4])),
        _values(y=(TensorProto.FLOAT, ["batch", 3])),
        _weights(weight=weight),
    )  # fmt: skip


def many() -> onnx.GraphProto:
    """Input ``x`` (batch, 2) of doubles and ``flag`` (batch) of booleans; three outputs of unlike kinds."""
    return helper.make_graph(
        [
            helper.make_node("ReduceSum", ["x", "one"], ["total"], keepdims=0),
            helper.make_node("Greater", ["total", "zero"], ["positive"]),
            helper.make_node("And", ["positive", "flag"], ["chosen"]),
            helper.make_node("Log", ["x"], ["logs"]),
        ],
        "many",
        _values(x=(TensorProto.DOUBLE, ["batch", 2]), flag=(TensorProto.BOOL, ["batch"])),
        _values(
            total=(TensorProto.DOUBLE, ["batch"]),
            chosen=(TensorProto.BOOL, ["batch"]),
            logs=(TensorProto.DOUBLE, ["batch", 2]),
        ),
        _weights(one=np.array([1]), zero=np.array(0.0)),
    )


def table(offset: int = 0) -> onnx.GraphProto:
    """Looks up ``row`` + offset in a table of four rows: others cannot be run.

    With an offset that no sensible row makes up for, it is a model that does not work.
    """
    return helper.make_graph(
        [
            helper.make_node("Add", ["row", "offset"], ["place"]),
            helper.make_node("Gather", ["table", "place"], ["found"]),
        ],
        "table",
        _values(row=(TensorProto.INT64, ["batch"])),
        _values(found=(TensorProto.FLOAT, ["batch", 2])),
        _weights(offset=np.array([offset]), table=np.arange(8, dtype=np.float32).reshape(4, 2)),
    )  # fmt: skip
