"""Pipelines that run in the cloud: who hears of them, what a failed quality check starts, strange data."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from cli.post import mailbox
from localcloud.chaos import Chaos, Disorder
from signalbox.contracts.operation_keys import violations_key
from tests.e2e.conftest import Chain
from tests.operated import OWNER, REASON, note_trained, own, predict, shorten
from tests.pace import SOAK

DAY = timedelta(days=1)
RULES = [
    {
        "status": ["Failed"],
        "step": "ModelQuality",
        "message": "Look at it.",
        "action_required": True,
    },
    {"status": ["Succeeded"]},
]
DRIFT = {"feature_name": "a", "constraint_check_type": "baseline_drift_check", "description": "far"}


class Models:
    """A workload with an owner, short pipelines in the place of its own, and a queue for every mail."""

    def __init__(self, chain: Chain, **operations: Any) -> None:
        self.chain, self.cloud = chain, chain.cloud
        chain.stop_schedules()
        self.sagemaker = chain.cloud.client("sagemaker")
        own(chain.cloud, **{"notify": RULES} | operations)
        shorten(chain.cloud)
        self.queue = self._subscribe()
        self.heard: list[dict[str, Any]] = []

    def _subscribe(self) -> str:
        return mailbox(self.cloud, "ModelsTopicArn", "owner", {"recipients": [OWNER]})[0]

    def train(self) -> None:
        note_trained(self.cloud)

    def predict(self, run: str, workload: str = "hvac") -> str:
        """A batch run, whose quality check fails; returns its ARN."""
        execution = predict(self.cloud, run.rjust(32, "0"), workload)
        self.chain.run()
        return execution

    def retunes(self) -> list[dict[str, str]]:
        """Parameters of every run of the tune pipeline, oldest first."""
        found = self.sagemaker.list_pipeline_executions(
            PipelineName="signalbox-tune", SortOrder="Ascending"
        )["PipelineExecutionSummaries"]
        return [
            {
                each["Name"]: each["Value"]
                for each in self.sagemaker.list_pipeline_parameters_for_execution(
                    PipelineExecutionArn=run["PipelineExecutionArn"]
                )["PipelineParameters"]
            }
            for run in found
        ]

    def mail(self) -> list[str]:
        """Subjects of every mail that was published so far; a topic may deliver one twice."""
        sqs = self.cloud.client("sqs")
        while found := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in found:
                self.heard.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        published = {each["MessageId"]: each["Subject"] for each in self.heard}
        return sorted(published.values())

    def dead(self) -> int:
        return sum(r.kind == "dead-letter" for r in self.cloud.journal)


@pytest.fixture
def models(chain) -> Models:
    return Models(chain)


FAILED = [
    "hvac: Failed, step ModelQuality of signalbox-batch - Action Required",
    "hvac: Failed, the run of signalbox-batch",
]
TUNED = [
    "hvac: Succeeded, the run of signalbox-tune",
    "hvac: model failed its quality check, is being tuned anew",
]


def test_a_model_that_fails_its_check_is_tuned_anew_and_the_owner_hears_of_all_of_it_once(models):
    models.train()
    execution = models.predict("1")
    assert models.mail() == sorted(FAILED + TUNED)
    bodies = {each["Subject"]: each["Message"] for each in models.heard}
    assert "Look at it." in bodies[FAILED[0]]
    assert f"Why:       ModelQuality: {REASON}" in bodies[FAILED[1]]
    assert f"  signalbox runs {execution.rpartition('/')[2]}" in bodies[FAILED[1]]
    (started,) = models.chain.events("RetuneStarted")
    assert started["execution"] == execution
    assert models.retunes() == [
        {"Workload": "hvac", "Run": started["tune_run"], "Inputs": "s3://x/inputs.json"}
    ]
    assert models.dead() == 0


def test_the_loop_ends_by_itself(models):
    models.train()
    for run in "123":
        models.predict(run)
        models.cloud.run_for(DAY)
    assert len(models.retunes()) == 2
    (suppressed,) = models.chain.events("RetuneSuppressed")
    assert (suppressed["reason"], suppressed["retunes"]) == ("limit", 2)
    stopped = "hvac: model failed its quality check, is not tuned anew (limit) - Action Required"
    assert models.mail() == sorted(3 * FAILED + 2 * TUNED + [stopped])


@pytest.mark.parametrize("seed", [1, 2])
def test_events_twice_late_and_out_of_order_change_nothing(models, seed):
    models.train()
    models.cloud._world.disorder = Disorder(Chaos(seed=seed, twice=True, shuffle=True, delay=45))
    models.predict("1")
    models.cloud.run_for(DAY / 24)
    assert models.mail() == sorted(FAILED + TUNED)
    assert len(models.retunes()) == 1
    assert models.dead() == 0


def test_a_door_killed_at_any_call_loses_no_mail_and_starts_no_second_retune(chain):
    """SIGKILL before some calls to AWS (in the soak every third), of any door; retries do the rest."""
    models = Models(chain, retune={"cooldown_hours": 0, "limit": 100})
    models.train()
    world, kills = models.cloud._world, 0
    for call in range(1, 80, 3 if SOAK else 13):
        world.disorder = Disorder(Chaos(kill=call))
        before = models.mail()
        models.predict(f"{call:x}")
        models.cloud.run_for(DAY / 24)
        told = Counter(models.mail())
        told.subtract(before)
        assert set(+told) == {*FAILED, *TUNED}, call
        if not world.disorder.dealt["kill"]:
            break
        kills += 1
        assert sum(told.values()) <= 5, call  # one mail too many at most
    assert kills >= (8 if SOAK else 3)  # nobody was killed in the last round
    assert len(models.retunes()) == kills + 1
    assert len({e["tune_run"] for e in chain.events("RetuneStarted")}) == kills + 1
    assert models.dead() == 0


def test_nothing_trained_and_nobody_there_are_said_where_they_belong(models):
    models.predict("1")
    (suppressed,) = models.chain.events("RetuneSuppressed")
    assert (suppressed["reason"], suppressed["until"]) == ("never-trained", None)
    models.predict("2", "nobody")
    parked = models.chain.bucket.listing("rejected/events/")
    assert {key.split("/")[2] for key in parked} == {"on_pipeline_change", "on_quality_failure"}
    assert models.retunes() == []
    nothing = (
        "hvac: model failed its quality check, is not tuned anew (never-trained) - Action Required"
    )
    assert models.mail() == sorted([*FAILED, nothing])


def test_strange_data_is_warned_of_once_and_a_report_that_is_none_is_parked(models):
    report = json.dumps({"violations": [DRIFT, DRIFT | {"feature_name": "b"}]}).encode()
    for content in (report, report):
        models.chain.bucket.write(violations_key("hvac", "1" * 32), content)
    models.chain.bucket.write(violations_key("hvac", "2" * 32), b'{"violations": []}')
    models.chain.bucket.write(violations_key("hvac", "3" * 32), b"[]")
    models.chain.run()
    assert models.mail() == ["hvac: data of a run has 2 violations"]
    (violated,) = models.chain.events("DataQualityViolated")
    assert (violated["run"], violated["count"]) == ("1" * 32, 2)
    (rejected,) = models.chain.events("FileRejected")
    assert (rejected["reason"], rejected["workload"]) == ("bad-report", None)
