"""What SageMaker starts: ``python3 -m jobs.faults <command>``.

preprocess    data (cycle tables, fault logs) -> train, validation, test
baseline      train -> baseline
train         channels train, validation -> /opt/ml/model
evaluate      train, validation, test, model, approved (may be empty) -> evaluation
predict       data, model -> predictions
check-data    predictions (or data), baseline -> monitoring
check-model   predictions, truth (fault logs) -> quality

:mod:`jobs.program` says where these folders are and where a failure is told. ``SIGNALBOX_ML_ROOT`` stands in
for ``/opt/ml``. Training keeps its checkpoint in ``/opt/ml/checkpoints`` and its curve in
``/opt/ml/output/data``.

Metric definitions: ``train_loss=(.*?);``, ``validation_loss=(.*?);``, ``validation_auc=(.*?);`` of each
epoch; last comes a line of the model that is kept, ``validation_auc=...; validation_f1=...;``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs import program
from jobs.faults import commands

RUN: dict[str, program.Command] = {
    "preprocess": commands.preprocess,
    "baseline": commands.baseline,
    "train": commands.train,
    "evaluate": commands.evaluate,
    "predict": commands.predict,
    "check-data": commands.check_data,
    "check-model": commands.check_model,
}


def main(argv: Sequence[str]) -> int:
    """Run one command; exit code 1 with the reason where SageMaker looks for it."""
    root = Path(os.environ.get("SIGNALBOX_ML_ROOT", "/opt/ml"))  # noqa: TID251 - once, in main
    return program.run("faults", RUN, argv, root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
