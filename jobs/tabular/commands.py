"""Each command: which folders it reads, what it runs, which folders it leaves.

Libraries of learning and of sketches are imported by the commands that need them, when they run.
"""

from __future__ import annotations

from jobs.program import Asked, say
from signalbox.contracts.monitor import Violations
from signalbox.contracts.tabular import Tabular
from signalbox.errors import Misconfigured


def section(asked: Asked) -> Tabular:
    """The workload's section ``tabular``.

    Raises:
        Misconfigured: it asks no question of a table.
    """
    found = asked.workload()
    if found.tabular is None:
        raise Misconfigured(
            f"workload {found.name!r} has no section tabular; its kind is {found.kind}"
        )
    return found.tabular


def preprocess(asked: Asked) -> None:
    """Files with the target become three folders of rows."""
    from jobs.tabular.preprocess import preprocess as run
    from jobs.tabular.split import SPLITS

    out = {split: asked.left(split) for split in SPLITS}
    counts = run(asked.name, section(asked), asked.given("data"), out)
    say(", ".join(f"{split}: {rows} rows" for split, rows in counts.items()))


def baseline(asked: Asked) -> None:
    """Statistics and constraints of the training rows."""
    from jobs.tabular.baseline import baseline as run

    drawn = run(asked.given("train"), asked.name, asked.left("baseline"))
    say(f"baseline of {len(drawn.features)} columns")


def train(asked: Asked) -> None:
    """A model from the channels ``train`` and ``validation``."""
    from jobs.tabular.train import train as run

    channels = {name: asked.channel(name) for name in ("train", "validation")}
    given = asked.hyperparameters()
    model = run(channels, given, asked.root / "model", say)
    say(f"model {model.version}: {model.training['trees']} trees, {len(model.features)} features")


def evaluate(asked: Asked) -> None:
    """A model's judgement on the test rows."""
    from jobs.tabular.evaluate import evaluate as run

    names = ("train", "validation", "test", "model", "approved")
    judged = run({name: asked.given(name) for name in names}, asked.name, asked.left("evaluation"))
    say(judged["sentence"])


def predict(asked: Asked) -> None:
    """Predictions for files of inputs."""
    from jobs.tabular.predict import predict as run
    from jobs.tabular.served import opened

    with opened(asked.given("model"), asked.name) as model:
        rows = run(
            model, section(asked), asked.given("data"), asked.left("predictions"), say,
            asked.package, asked.at,
        )  # fmt: skip
        say(f"{rows} rows predicted by model {model.told.version}")


def check_data(asked: Asked) -> None:
    """Inputs, with or without predictions, against the baseline."""
    from jobs.tabular.check_data import check_data as run
    from jobs.tabular.check_data import own_of, sent

    told = section(asked)
    predicted = asked.given("predictions").is_dir()
    rows = sent(asked.given("predictions" if predicted else "data"), told, predicted=predicted)
    baseline = asked.given("baseline")
    left = asked.left("monitoring")
    report(run(rows, own_of(told), baseline, left, skip=asked.skip_check), rows.num_rows, asked)


def report(found: Violations, rows: int, asked: Asked) -> None:
    """Say in the job's log what is wrong with data."""
    for each in found.violations:
        say(f"{each.feature_name}: {each.constraint_check_type}: {each.description}")
    checked = "not checked, as asked" if asked.skip_check else f"{len(found.violations)} violations"
    say(f"{rows} rows, {checked}")


def check_model(asked: Asked) -> None:
    """Predictions against the truth; fails where the workload's threshold is not met."""
    from jobs.tabular.check_model import check_model as run

    judged = run(
        asked.name, section(asked), asked.given("predictions"), asked.given("truth"),
        asked.left("quality"), asked.package,
    )  # fmt: skip
    say(judged["sentence"])
