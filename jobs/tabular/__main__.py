"""What SageMaker starts: ``python3 -m jobs.tabular <command>``.

preprocess    data -> train, validation, test
baseline      train -> baseline
train         channels train, validation -> /opt/ml/model
evaluate      train, validation, test, model, approved (may be empty) -> evaluation
predict       data, model -> predictions
check-data    predictions (or data), baseline -> monitoring
check-model   predictions, truth -> quality

Names are folders under ``/opt/ml/processing/input`` and ``.../output``; training has its own paths and
reads hyperparameters from ``/opt/ml/input/config``. The workloads are the one file in the input
``workloads``, or what ``--workloads`` names. A failure is told in ``/opt/ml/output/message``, which becomes
the job's ExitMessage, and for training in ``/opt/ml/output/failure``. ``SIGNALBOX_ML_ROOT`` stands in for
``/opt/ml``. Source: SageMaker Developer Guide, "How Amazon SageMaker Runs Your Training Image" and
"Build Your Own Processing Container".

Metric definitions, of a regression: ``validation_rmse=(.*?);``, ``_mae``, ``_r2``; binary:
``validation_auc=(.*?);``, ``_f1``; all of ``train_`` too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.tabular import commands
from signalbox.errors import SignalboxError

MOST = 1024
"""Characters of a message. Source: shapes ExitMessage and FailureReason of SageMaker."""
RUN = {
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
    asked = _parser().parse_args(argv)
    root = Path(os.environ.get("SIGNALBOX_ML_ROOT", "/opt/ml"))  # noqa: TID251 - once, in main
    try:
        RUN[asked.command](commands.Asked(root, asked.workload, asked.workloads))
    except SignalboxError as problem:
        place = root / "output" / ("failure" if asked.command == "train" else "message")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(problem)[:MOST], encoding="utf-8")
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tabular", allow_abbrev=False)
    steps = parser.add_subparsers(dest="command", required=True)
    for name in RUN:
        step = steps.add_parser(name)
        # a training job has no workload but that of its channels
        step.add_argument("--workload", required=name != "train", default="")
        step.add_argument("--workloads", help="s3:// address or file; else the input workloads")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
