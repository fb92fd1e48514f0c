"""Each command: which folders it reads, what it runs, which folders it leaves.

Libraries of learning and of sketches are imported by the commands that need them, when they run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from jobs.tabular.workloads import section
from signalbox.contracts.tabular import Tabular
from signalbox.errors import Rejected


@dataclass(frozen=True)
class Asked:
    """What a command was started with.

    Attributes:
        root: in place of ``/opt/ml``.
        workload: its name; empty for training.
        workloads: where all of them are written, or None for the input ``workloads``.
    """

    root: Path
    workload: str
    workloads: str | None

    def given(self, name: str) -> Path:
        """Folder of an input."""
        return self.root / "processing" / "input" / name

    def left(self, name: str) -> Path:
        """Folder of an output."""
        return self.root / "processing" / "output" / name

    def section(self) -> Tabular:
        """The workload's section ``tabular``."""
        return section(self.workloads, self.given("workloads"), self.workload)


def preprocess(asked: Asked) -> None:
    """Files with the target become three folders of rows."""
    from jobs.tabular.preprocess import preprocess as run
    from jobs.tabular.split import SPLITS

    out = {split: asked.left(split) for split in SPLITS}
    counts = run(asked.workload, asked.section(), asked.given("data"), out)
    _say(", ".join(f"{split}: {rows} rows" for split, rows in counts.items()))


def baseline(asked: Asked) -> None:
    """Statistics and constraints of the training rows."""
    from jobs.tabular.baseline import baseline as run

    drawn = run(asked.given("train"), asked.workload, asked.left("baseline"))
    _say(f"baseline of {len(drawn.features)} columns")


def train(asked: Asked) -> None:
    """A model from the channels ``train`` and ``validation``."""
    from jobs.tabular.train import train as run

    config = asked.root / "input" / "config" / "hyperparameters.json"
    given: dict[str, str] = {}
    if config.is_file():
        try:
            given = dict(json.loads(config.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as problem:
            raise Rejected("bad-hyperparameter", f"{config}: {problem}") from problem
    channels = {name: asked.root / "input" / "data" / name for name in ("train", "validation")}
    model = run(channels, given, asked.root / "model", _say)
    _say(f"model {model.version}: {model.training['trees']} trees, {len(model.features)} features")


def evaluate(asked: Asked) -> None:
    """A model's judgement on the test rows."""
    from jobs.tabular.evaluate import evaluate as run

    names = ("train", "validation", "test", "model", "approved")
    judged = run(
        {name: asked.given(name) for name in names}, asked.workload, asked.left("evaluation")
    )
    _say(judged["sentence"])


def predict(asked: Asked) -> None:
    """Predictions for files of inputs."""
    from jobs.tabular.predict import predict as run
    from jobs.tabular.served import opened

    with opened(asked.given("model"), asked.workload) as model:
        rows = run(model, asked.section(), asked.given("data"), asked.left("predictions"), _say)
        _say(f"{rows} rows predicted by model {model.told.version}")


def check_data(asked: Asked) -> None:
    """Inputs, with or without predictions, against the baseline."""
    from jobs.tabular.check_data import check_data as run
    from jobs.tabular.check_data import sent

    told = asked.section()
    predicted = asked.given("predictions").is_dir()
    rows = sent(asked.given("predictions" if predicted else "data"), told, predicted=predicted)
    found = run(rows, told, asked.given("baseline"), asked.left("monitoring")).violations
    for each in found:
        _say(f"{each.feature_name}: {each.constraint_check_type}: {each.description}")
    _say(f"{len(found)} violations in {rows.num_rows} rows")


def check_model(asked: Asked) -> None:
    """Predictions against the truth; fails where the workload's threshold is not met."""
    from jobs.tabular.check_model import check_model as run

    judged = run(
        asked.workload, asked.section(), asked.given("predictions"), asked.given("truth"),
        asked.left("quality"),
    )  # fmt: skip
    _say(judged["sentence"])


def _say(line: str) -> None:
    print(line, flush=True)
