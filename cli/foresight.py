"""The demo's second half: a small model learns from a simulated fleet, goes into service, and warns.

A recorder that is on one day in eight keeps it small: a spring and summer of a unit are some 19 days.
The model is as small; what a full one is worth stands in docs/models.md.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from rich.console import Console
from rich.panel import Panel

from cli.chain import Bucket
from cli.post import mailbox
from cli.publish import publish
from cli.tables import Counting
from cli.workloads import WORKLOADS
from cycles import BadHistory
from jobs.dataset.build import Sources, build
from jobs.training.run import learn
from localcloud import Cloud
from signalbox.contracts.model_schema import FILE
from signalbox.contracts.workload import Workload
from simulator.files import REGISTRY, raw_path
from simulator.fleet import Fleet

SEED = 7  # of this half, whatever the recordings of the other are: which unit fails is known of this one
SPRING = date(2024, 5, 1)
SPAN, EVERY = 150, 8  # days; one in so many is recorded
TEACHERS, PATIENTS = 48, 12
FAILING, SOUND = (
    "hp-0008",
    "hp-0004",
)  # of the patients; the first one's valve begins to stick in June
RECORDED_UNTIL = 108  # days; it locks out on the 109th
THINNED = 10  # a row every ten seconds
SMALL = {
    "window": 32, "samples": 60, "split": {"validation": 0.3, "test": 0.1}, "precision": 0.7,
    "network": {"width": 16, "heads": 2, "layers": 2, "dropout": 0.1, "input_dropout": 0.2},
    "training": {"epochs": 8, "patience": 3, "learning_rate": 0.003, "weight_decay": 0.02},
}  # fmt: skip
OWN_PAST = {"reference": 60, "smooth": 12}
WAIT = timedelta(minutes=6)  # for the next window of scoring runs


@dataclass(frozen=True)
class Told:
    """What came of it: probabilities by unit, and the messages that dealers got."""

    probabilities: dict[str, float]
    messages: list[str]


def foresee(console: Console, cloud: Cloud, bucket: Bucket, out: Path) -> Told:
    """Train, publish, drop the recordings of two more units, and wait for what is said of them."""
    model = taught(console, out / "model-hvac", SEED)
    publish(bucket.s3, bucket.name, model)
    # a dealer's mailbox would hear the warnings of its own units alone
    inbox, _ = mailbox(cloud, "AlertsTopicArn", "dealers-inbox")
    patients = Fleet(units=PATIENTS, seed=SEED + 1, start=SPRING, days=SPAN, faults_per_year=2.0)
    chosen = patients.registry().filter(
        pc.is_in(patients.registry()["unit"], pa.array([FAILING, SOUND]))
    )
    bucket.write(REGISTRY, _csv(chosen))
    _drop(console, bucket, patients, out / "simulated" / f"patients-{SEED + 1}")
    cloud.run_until_idle()
    cloud.run_for(WAIT)
    cloud.run_until_idle()
    messages = cloud.client("sqs").receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)
    told = Told(
        _probabilities(bucket),
        [json.loads(each["Body"])["Message"] for each in messages.get("Messages", [])],
    )
    show(console, told)
    return told


def show(console: Console, told: Told) -> None:
    """What the model says of each unit, and what dealers read."""
    for unit, probability in sorted(told.probabilities.items(), key=lambda item: -item[1]):
        console.print(f"  {unit:<12} {probability:7.2%} within 60 days", highlight=False)
    for message in told.messages:
        console.print(Panel(message, title="to the dealer", title_align="left"), markup=False)
    if not told.messages:
        console.print("No unit was warned of.")


def taught(console: Console, folder: Path, seed: int) -> Path:
    """The small model; one that is there from before is taken as it is."""
    if (folder / FILE).is_file():
        return folder
    fleet = Fleet(units=TEACHERS, seed=seed, start=SPRING, days=SPAN, faults_per_year=2.0)
    cycles = folder / "cycles"
    cycles.mkdir(parents=True, exist_ok=True)
    with Counting(console, "histories to learn from", len(fleet.units)) as counting:
        for unit in fleet.units:
            pq.write_table(_recorded(fleet.cycle_history(unit)), cycles / f"{unit}.parquet")
            counting.step(unit)
    pq.write_table(fleet.fault_log(), folder / "faults.parquet")
    sources = Sources(cycles, folder / "faults.parquet", seed=seed, leave_out=True)
    data = build(small_workload(), sources, folder / "dataset")
    with Counting(console, "epochs", SMALL["training"]["epochs"]) as counting:  # type: ignore[index]
        schema = learn(data, folder, seed, lambda epoch: counting.step(epoch.line()))
    console.print(f"model {schema.version} warns from {schema.threshold:.2f} on", highlight=False)
    return folder


def small_workload() -> Workload:
    """``hvac`` with a small model."""
    told = yaml.safe_load((WORKLOADS / "hvac.yaml").read_text(encoding="utf-8"))
    if "prediction" not in told:
        raise BadHistory("no-prediction", "workload hvac says nothing of predicting faults")
    told["prediction"] |= SMALL
    told["prediction"]["baseline"] |= OWN_PAST
    return Workload.model_validate(told)


def _recorded(table: pa.Table) -> pa.Table:
    """The cycles of recorded days."""
    day = table["cycle_start"].cast(pa.int64()).to_numpy() // 86_400_000_000_000
    first = (SPRING - date(1970, 1, 1)).days
    return table.filter(pa.array((day - first) % EVERY == 0))


def _drop(console: Console, bucket: Bucket, fleet: Fleet, folder: Path) -> None:
    days: Sequence[date] = [SPRING + timedelta(days=k) for k in range(0, RECORDED_UNTIL, EVERY)]
    with Counting(console, "recordings of two units", 2 * len(days)) as counting:
        for unit in (FAILING, SOUND):
            for day in days:
                key = raw_path(unit, day)
                path = folder / key
                if not path.is_file():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    table = fleet.raw_day(unit, day)
                    fresh = path.with_suffix(".fresh")
                    pq.write_table(table.take(np.arange(0, table.num_rows, THINNED)), fresh)
                    fresh.replace(path)
                bucket.drop(path, key)
                counting.step(f"{unit} {day}")


def _probabilities(bucket: Bucket) -> dict[str, float]:
    found: dict[str, float] = {}
    for key in bucket.listing("scores/hvac/"):
        for line in bucket.read(key).splitlines():
            score = json.loads(line)
            found[score["unit"]] = float(np.exp(score["log_probabilities"][1]))
    return found


def _csv(table: pa.Table) -> bytes:
    target = io.BytesIO()
    table.to_pandas().to_csv(target, index=False)
    return target.getvalue()
