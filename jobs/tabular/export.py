"""From trees to an ONNX file, and proof that it is the same.

One input, ``features`` float32 (batch, F).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.tabular.boosting import answers_of
from jobs.tabular.served import Served
from signalbox.contracts.gate import Problem
from signalbox.contracts.tabular_model import INPUT
from signalbox.errors import Rejected

CLOSE = 1e-4
"""Of answers, relative to their spread: float32 sums of some hundred leaves."""
OPSET = {"": 17, "ai.onnx.ml": 3}


class _Exact:
    """The converter's container with two corrections on the way to each node.

    scikit-learn compares in float64, the graph in float32: the original threshold rounded down decides
    every float32 value as before; the converter's own rounding does not where values are neighbours. And
    it writes truth values where the format wants numbers, which protobuf refuses.
    """

    def __init__(self, container: Any, trees: Sequence[Any]) -> None:
        self._container = container
        self._trees = trees

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, kind: str, inputs: Any, outputs: Any, **attributes: Any) -> None:
        """As the container's own."""
        if "nodes_values" in attributes:
            places = zip(attributes["nodes_treeids"], attributes["nodes_nodeids"], strict=True)
            exact = np.asarray(
                [self._trees[tree].nodes[node]["num_threshold"] for tree, node in places]
            )
            near = exact.astype(np.float32)
            lower = np.nextafter(near, np.float32(-np.inf))
            attributes["nodes_values"] = np.where(near > exact, lower, near)
        key = "nodes_missing_value_tracks_true"
        if key in attributes:
            attributes[key] = [int(each) for each in attributes[key]]
        self._container.add_node(kind, inputs, outputs, **attributes)


def export(model: Any, problem: Problem, features: int, path: Path) -> None:
    """Write ``model.onnx``: output ``prediction`` (batch, 1), or ``probabilities`` (batch, 2).

    Raises:
        Rejected: the converter cannot write such a model.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common._registration import get_converter
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

    trees = [tree for grown in model._predictors for tree in grown]  # noqa: SLF001 - no public way
    kind = "Regressor" if problem == "regression" else "Classifier"
    own = get_converter(f"SklearnHistGradientBoosting{kind}")

    def corrected(scope: Any, operator: Any, container: Any) -> None:
        own(scope, operator, _Exact(container, trees))

    final = [("prediction", FloatTensorType([None, 1]))] if problem == "regression" else None
    try:
        graph = convert_sklearn(
            # without a name it takes a random one, and equal models would differ
            model, "signalbox", initial_types=[(INPUT, FloatTensorType([None, features]))], final_types=final,
            options={id(model): {"zipmap": False}} if problem == "binary" else None,
            custom_conversion_functions={type(model): corrected}, target_opset=OPSET,
        )  # fmt: skip
    except (ValueError, TypeError, RuntimeError, KeyError) as problem_:
        raise Rejected("no-export", f"skl2onnx: {str(problem_)[:300]}") from problem_
    if problem == "binary":
        graph = select_model_inputs_outputs(graph, outputs=["probabilities"])
    path.write_bytes(graph.SerializeToString())


def parity(
    model: Any, problem: Problem, path: Path, shown: npt.NDArray[np.float32]
) -> dict[str, float]:
    """Compare the exported model with the trained one on the same rows.

    Returns:
        ``rows``, the largest ``difference`` and the ``spread`` (standard deviation) of the answers.

    Raises:
        Rejected: they differ by more than 1e-4 of the spread of the answers.
    """
    mine = answers_of(model, problem, shown)
    theirs = Served.open(path, problem).answers(shown)
    difference, spread = float(np.abs(mine - theirs).max()), float(np.std(mine))
    if not difference <= CLOSE * max(spread, 1e-3):
        raise Rejected(
            "export-differs",
            f"{path.name}: answers differ by up to {difference:.2g}; their spread is {spread:.2g}",
        )
    return {"rows": float(len(shown)), "difference": difference, "spread": spread}
