"""Each command: which folders it reads, what it runs, which folders it leaves.

Libraries of learning and of sketches are imported by the commands that need them, when they run.
"""

from __future__ import annotations

from jobs.program import Asked, say


def preprocess(asked: Asked) -> None:
    """Cycle tables and fault logs become three folders, each of its own units."""
    from cycles.history.sequences import SPLITS
    from jobs.faults.preprocess import preprocess as run

    out = {split: asked.left(split) for split in SPLITS}
    counts = run(asked.workload(), asked.given("data"), out)
    say(", ".join(f"{split}: {units} units" for split, units in counts.items()))


def baseline(asked: Asked) -> None:
    """Statistics and constraints of the cycles of the training units."""
    from jobs.dataset.build import prediction_of
    from jobs.dataset.tables import columns_of
    from jobs.faults.parts import read_part
    from jobs.faults.rows import raw_table
    from jobs.tabular.baseline import draw

    workload = asked.workload()
    read_part(asked.given("train"), workload.name)
    kinds = dict.fromkeys(columns_of(workload), "number")
    rows = raw_table(asked.given("train"))
    drawn = draw(rows, kinds, prediction_of(workload).drift, asked.left("baseline"))
    say(f"baseline of {len(drawn.features)} columns")


def train(asked: Asked) -> None:
    """A model from the channels ``train`` and ``validation``."""
    from jobs.faults.train import Places
    from jobs.faults.train import train as run

    root = asked.root
    places = Places(root / "model", root / "checkpoints", root / "output" / "data")
    channels = [asked.channel(name) for name in ("train", "validation")]
    schema = run(channels, asked.hyperparameters(), places, say)
    say(
        f"model {schema.version}: {len(schema.features)} features, warns from {schema.threshold:.4f}"
    )


def evaluate(asked: Asked) -> None:
    """A model's judgement on units it never saw."""
    from jobs.faults.evaluate import evaluate as run

    names = ("train", "validation", "test", "model", "approved")
    folders = {name: asked.given(name) for name in names}
    say(run(folders, asked.workload(), asked.left("evaluation"))["sentence"])


def predict(asked: Asked) -> None:
    """Probabilities of a fault at every cycle of tables of units."""
    from jobs.faults.predict import predict as run
    from jobs.faults.score import Scorer
    from jobs.tabular.served import unpacked

    with unpacked(asked.given("model")) as folder:
        scorer = Scorer.open(folder)
        rows = run(
            scorer, asked.workload(), asked.given("data"), asked.left("predictions"),
            asked.package, asked.at,
        )  # fmt: skip
    say(f"{rows} rows predicted by model {scorer.schema.version}")


def check_data(asked: Asked) -> None:
    """Cycles, with or without predictions, against the baseline."""
    from jobs.faults.rows import known, sent
    from jobs.tabular.check_data import check_data as run
    from jobs.tabular.commands import report

    workload = asked.workload()
    predicted = asked.given("predictions").is_dir()
    rows = sent(asked.given("predictions" if predicted else "data"), workload, predicted=predicted)
    left = asked.left("monitoring")
    found = run(rows, known(workload), asked.given("baseline"), left, skip=asked.skip_check)
    report(found, rows.num_rows, asked)


def check_model(asked: Asked) -> None:
    """Predictions against the faults that came; fails where the workload's gate is not passed."""
    from jobs.faults.check_model import check_model as run

    workload, out = asked.workload(), asked.left("quality")
    found = run(workload, asked.given("predictions"), asked.given("truth"), out, asked.package)
    say(found["sentence"])
