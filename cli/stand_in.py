"""Stands in for ``jobs.tabular`` where the ways of events are tried, not models: it starts at once.

Shipped in the place of the program, so it sees what the program sees: SageMaker's folders and nothing of
the house. Files say what is to come of them: predictions for rows that say STRANGE violate the baseline,
truth that says WRONG fails its check.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

STRANGE, WRONG = "strange", "wrong"
METRIC = "rmse"

_QUALITY = {"regression_metrics": {METRIC: {"value": 2.0, "standard_deviation": 0.1}}}
_FILES: Mapping[str, Mapping[str, object]] = {
    "preprocess": {f"{split}/schema.json": {} for split in ("train", "validation", "test")},
    "baseline": {"baseline/statistics.json": {}, "baseline/constraints.json": {}},
    "evaluate": {
        "evaluation/evaluation.json": _QUALITY,
        "evaluation/gate.json": {"passed": 1, "sentence": "good enough"},
    },
}
_DRIFT = {
    "feature_name": "length", "constraint_check_type": "baseline_drift_check", "description": "far",
}  # fmt: skip


def main(command: str) -> int:
    """Do as the program does when it is started with this command; returns its exit code."""
    root = Path(os.environ.get("SIGNALBOX_ML_ROOT", "/opt/ml"))  # noqa: TID251 - once, in main
    given, left = root / "processing" / "input", root / "processing" / "output"
    for name, content in _FILES.get(command, {}).items():
        _write(left / name, json.dumps(content))
    if command == "train":
        _write(root / "model" / "model.json", "{}")
        print(f"validation_{METRIC}=2.0;", flush=True)
    elif command == "predict":
        _write(left / "predictions" / "predictions.csv", _said(given / "data"))
    elif command == "check-data":
        violated = [_DRIFT] if STRANGE in _said(given / "predictions") else []
        _write(left / "monitoring" / "statistics.json", "{}")
        found = json.dumps({"violations": violated})
        _write(left / "monitoring" / "constraint_violations.json", found)
    elif command == "check-model" and WRONG in _said(given / "truth"):
        _write(root / "output" / "message", "rmse is 30, at most 2.4 is asked: not good enough")
        return 1
    return 0


def _said(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(path.read_text(encoding="utf-8") for path in files)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
