"""What SageMaker starts: ``python3 -m jobs.training train``.

Reads the channel ``dataset`` under ``/opt/ml/input/data``, hyperparameters from
``/opt/ml/input/config``, keeps its checkpoint under ``/opt/ml/checkpoints``, leaves the model in
``/opt/ml/model`` and the curve in ``/opt/ml/output/data``; a failure is told in
``/opt/ml/output/failure``. Source: SageMaker Developer Guide, "How Amazon SageMaker Runs Your
Training Image". ``SIGNALBOX_ML_ROOT`` stands in for ``/opt/ml``.

Metric definitions: ``train_loss=(.*?);``, ``validation_loss=(.*?);``, ``validation_auc=(.*?);``.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from cycles.errors import BadHistory
from cycles.history import Sequences
from jobs.training.hyperparameters import switches, tuned
from jobs.training.run import CURVE, REPORT, learn


def main() -> int:
    """Run with the environment that SageMaker gives; exit code 1 with the reason in ``failure``."""
    root = Path(os.environ.get("SIGNALBOX_ML_ROOT", "/opt/ml"))  # noqa: TID251 - once, in main
    try:
        _run(root)
    except BadHistory as problem:
        place = root / "output" / "failure"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{problem.reason}: {problem.message}", encoding="utf-8")
        print(f"{problem.reason}: {problem.message}", file=sys.stderr, flush=True)
        return 1
    return 0


def _run(root: Path) -> None:
    config = root / "input" / "config" / "hyperparameters.json"
    given = _given(config) if config.is_file() else {}
    seed, int8 = switches(given)
    data = Sequences.read(root / "input" / "data" / "dataset")
    data.manifest["prediction"].update(tuned(data.manifest["prediction"], given))
    checkpoints = root / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    model, extra = root / "model", root / "output" / "data"
    schema = learn(
        data, model, seed,
        lambda epoch: print(epoch.line(), flush=True),
        checkpoint=checkpoints / "checkpoint.pt", int8=int8,
    )  # fmt: skip
    extra.mkdir(parents=True, exist_ok=True)
    for name in (CURVE, REPORT):
        shutil.copy(model / name, extra / name)
    print(f"model {schema.version}: threshold {schema.threshold:.4f}", flush=True)


def _given(config: Path) -> dict[str, str]:
    try:
        return dict(json.loads(config.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as problem:
        raise BadHistory("bad-hyperparameter", f"{config}: {problem}") from problem


if __name__ == "__main__":
    sys.exit(main())
