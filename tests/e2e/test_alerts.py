"""From a score file to a dealer's mail, once an episode; feedback; and how it turned out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from cli.post import mailbox
from localcloud.chaos import Chaos, Disorder
from localcloud.journal import Record
from signalbox.adapters.fleet_table import FleetTable
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.contracts.keys import scores_prefix, windows_manifest_key
from tests.alerted import manifest_file, schema, score_line
from tests.e2e.conftest import Chain
from tests.e2e.served import signalbox, up
from tests.idle import OFTEN

DAY = timedelta(days=1)
RUN = "0" * 31 + "1"
MODEL = schema()


class Alerts:
    """A fleet of two dealers in the cloud, and a queue for each of them."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.cloud = chain, chain.cloud
        self.begin = chain.cloud.now()
        self.fleet = FleetTable(
            chain.cloud.physical_id("FleetTable"), chain.cloud.client("dynamodb")
        )
        for unit, dealer in (("A1", "north"), ("B2", "south")):
            record = UnitRecord(
                unit=unit, model="XC-20", dealer=dealer, location="Oslo",
                installed=self.begin.date(),
            )  # fmt: skip
            self.fleet.merge("hvac", record, "1")
        chain.bucket.write(windows_manifest_key("hvac", RUN), manifest_file(RUN, MODEL))
        self.queues = {
            name: mailbox(self.cloud, "AlertsTopicArn", name, wanted)[0]
            for name, wanted in (
                ("north", {"dealer": ["north"]}), ("south", {"dealer": ["south"]}), ("everybody", None),
            )
        }  # fmt: skip
        self.heard: dict[str, list[dict]] = {name: [] for name in self.queues}

    def score(self, name: str, *scores: tuple, **changes) -> None:
        """A score file arrives: (unit, probability, days since the beginning)."""
        lines = [
            score_line(unit, probability, self.begin + day * DAY, int(day) + 100, MODEL, **changes)
            for unit, probability, day in scores
        ]
        self.chain.bucket.write(f"{scores_prefix('hvac', RUN)}{name}.out", b"\n".join(lines))
        self.chain.run()

    def mail(self, dealer: str) -> list[str]:
        """The episodes that a dealer heard of, repeats and all."""
        sqs, queue = self.cloud.client("sqs"), self.queues[dealer]
        while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.heard[dealer].append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [each["MessageAttributes"]["episode"]["Value"] for each in self.heard[dealer]]

    def answer(self, verdict: str, at: datetime, **changes) -> None:
        """A dealer's app puts feedback on the bus."""
        detail = {
            "workload": "hvac", "unit": "A1", "episode": "hvac-A1-0001", "verdict": verdict,
            "by": "north", "at": at.isoformat(),
        } | changes  # fmt: skip
        self.cloud.client("events").put_events(
            Entries=[
                {
                    "EventBusName": self.cloud.outputs["BusName"], "Source": "signalbox.feedback",
                    "DetailType": "AlertFeedback", "Detail": json.dumps(detail),
                }
            ]
        )  # fmt: skip
        self.chain.run()

    def dead(self) -> list[Record]:
        return [r for r in self.cloud.journal if r.kind == "dead-letter"]


@pytest.fixture
def alerts(chain) -> Alerts:
    return Alerts(chain)


@pytest.mark.ric
def test_each_dealer_is_told_once_of_his_own_units_however_often_scores_come(alerts):
    chain = alerts.chain
    for name in ("one", "one", "two"):
        alerts.score(name, ("A1", 0.95, 1), ("B2", 0.4, 1))
    alerts.score("three", ("A1", 0.99, 2), ("B2", 0.97, 2), ("Z9", 0.99, 2))
    assert alerts.mail("north") == ["hvac-A1-0001"]
    assert alerts.mail("south") == ["hvac-B2-0001"]
    (envelope,) = alerts.heard["north"]
    assert envelope["Subject"] == "hvac: unit A1 (XC-20, Oslo) may fail within 60 days"
    assert "signalbox feedback hvac-A1-0001 confirmed" in envelope["Message"]
    assert {e["episode"]: e["dealer"] for e in chain.events("FaultPredicted")} == {
        "hvac-A1-0001": "north", "hvac-B2-0001": "south", "hvac-Z9-0001": None,
    }  # fmt: skip
    assert not chain.bucket.rejections()
    assert not alerts.dead()


def test_scores_of_another_model_warn_nobody_and_say_why(alerts):
    chain = alerts.chain
    for _ in range(2):
        alerts.score("other", ("A1", 0.99, 1), schema="0123456789abcdef")
    alerts.score("torn", ("A1", 0.99, 1), log_probabilities=[float("nan"), -0.01])
    assert alerts.mail("north") == []
    reasons = {key.rsplit("/", 1)[1]: r["reason"] for key, r in chain.bucket.rejections().items()}
    assert reasons == {"other.out": "schema-mismatch", "torn.out": "bad-scores"}
    assert {e["reason"] for e in chain.events("FileRejected")} == set(reasons.values())
    assert not chain.events("FaultPredicted")


def test_a_sender_that_is_killed_at_any_call_loses_no_alert_and_sends_none_twice(alerts):
    """SIGKILL before the n-th call to AWS, of on_scores or of what follows; Lambda's retries do the rest."""
    world = alerts.cloud._world
    kills = 0
    for call in range(1, 30):
        world.disorder = Disorder(Chaos(kill=call))
        alerts.score(f"file-{call}", (f"K{call}", 0.95, 1))
        if not world.disorder.dealt["kill"]:
            break
        kills += 1
    assert kills >= 12  # nobody was killed in the last round: every call was tried
    wanted = sorted(f"hvac-K{call}-0001" for call in range(1, kills + 2))
    assert sorted(alerts.mail("everybody")) == wanted
    assert sorted({e["episode"] for e in alerts.chain.events("FaultPredicted")}) == wanted
    assert not alerts.dead()


def test_deliveries_twice_late_and_in_any_order_warn_once(alerts):
    alerts.cloud._world.disorder = Disorder(Chaos(seed=3, twice=True, shuffle=True, delay=45))
    for day in range(1, 5):
        line = score_line("A1", 0.95, alerts.begin + day * DAY, day, MODEL)
        alerts.chain.bucket.write(f"{scores_prefix('hvac', RUN)}{day}.out", line)
    alerts.chain.run()
    assert set(alerts.mail("north")) == {"hvac-A1-0001"}
    assert len({each["MessageId"] for each in alerts.heard["north"]}) == 1
    assert {e["episode"] for e in alerts.chain.events("FaultPredicted")} == {"hvac-A1-0001"}
    assert not alerts.dead()


def test_a_false_alarm_gives_a_unit_peace_and_its_verdict_is_kept(alerts):
    chain = alerts.chain
    alerts.score("one", ("A1", 0.95, 1))
    for _ in range(2):
        alerts.answer("false alarm", alerts.begin + 2 * DAY, note="all in order")
    alerts.answer("confirmed", alerts.begin + 1 * DAY)  # said before, heard after
    kept = json.loads(chain.bucket.read("feedback/hvac/hvac-A1-0001.json"))
    assert (kept["verdict"], kept["note"]) == ("false alarm", "all in order")
    assert {e["verdict"] for e in chain.events("FeedbackRecorded")} == {"false alarm"}
    alerts.score("snoozed", ("A1", 0.99, 10))
    assert alerts.mail("north") == ["hvac-A1-0001"]
    alerts.score("awake", ("A1", 0.99, 17))
    assert alerts.mail("north") == ["hvac-A1-0001", "hvac-A1-0002"]


def test_what_is_no_feedback_and_no_alert_of_ours_is_parked_with_the_reason(alerts):
    chain = alerts.chain
    alerts.answer("confirmed", alerts.begin, episode="hvac-A1-0007")
    alerts.answer("maybe", alerts.begin)
    alerts.cloud.client("sns").publish(
        TopicArn=alerts.cloud.outputs["AlertsTopicArn"], Message="hello from the console"
    )
    chain.run()
    parked = [
        json.loads(chain.bucket.read(key)) for key in chain.bucket.listing("rejected/events/")
    ]
    assert sorted((each["door"], each["reason"]) for each in parked) == [
        ("on_alert_sent", "unreadable-event"),
        ("on_feedback", "unknown-episode"),
        ("on_feedback", "unreadable-event"),
    ]
    assert not alerts.dead()


def test_predictions_are_judged_by_the_fault_log_when_their_time_is_up(alerts):
    chain = alerts.chain
    matured = [(unit, 0.95, -91) for unit in ("A1", "B2", "C3")]
    alerts.score("one", *matured, ("D4", 0.95, -88))
    assert alerts.mail("north") == ["hvac-A1-0001"]
    for unit, day in (("A1", 40 - 91), ("B2", 75 - 91)):
        fault = FaultRecord(unit=unit, fault="compressor", failed_at=alerts.begin + day * DAY)
        alerts.fleet.merge("hvac", fault, "1")
    assert not chain.events("PredictionsJudged")
    chain.stop_schedules(*OFTEN)
    alerts.cloud.run_for(DAY)  # at some time of it, the daily judging
    (event,) = chain.events("PredictionsJudged")
    assert event["judged"] == 3
    (model,) = event["models"]
    assert (model["true"], model["late"], model["false_alarm"]) == (1, 1, 1)
    assert model["effective_precision"] == pytest.approx(2 / 3)
    report = json.loads(chain.bucket.read(event["output_key"]))
    assert [e["outcome"] for e in report["episodes"]] == ["true", "late", "false alarm"]
    alerts.score("again", ("A1", 0.95, 1))
    assert alerts.mail("north") == ["hvac-A1-0001", "hvac-A1-0002"]


def test_the_commands_show_alerts_and_answer_them(build, tmp_path):
    home = tmp_path / "home"
    with up(home=home) as cloud:
        s3, bucket = boto3.client("s3", endpoint_url=cloud.endpoint), cloud.note()["bucket"]
        at = datetime(2026, 7, 2, tzinfo=UTC)
        line = score_line("A1", 0.95, at, 12, MODEL)
        manifest = manifest_file(RUN, MODEL)
        s3.put_object(Bucket=bucket, Key=windows_manifest_key("hvac", RUN), Body=manifest)
        s3.put_object(Bucket=bucket, Key=f"{scores_prefix('hvac', RUN)}part.out", Body=line)
        cloud.until("FaultPredicted")
        shown = signalbox("alerts", "--open", home=home)
        assert shown.returncode == 0, shown.stderr
        row = next(line for line in shown.stdout.splitlines() if "hvac-A1-0001" in line)
        assert [cell.strip() for cell in row.split("│")[2:7]] == [
            "A1", "unknown", "95 %", "2026-07-02 00:00", "open",
        ]  # fmt: skip
        strange = signalbox("feedback", "hvac-A1-0009", "confirmed", home=home)
        assert (strange.returncode, "no alert 'hvac-A1-0009'" in strange.stderr) == (2, True)
        said = signalbox(
            "feedback", "hvac-A1-0001", "false-alarm", "--note", "fine", "--by", "me", home=home
        )
        assert said.returncode == 0, said.stderr
        cloud.until("FeedbackRecorded")
        (found,) = json.loads(signalbox("alerts", "--json", home=home).stdout)
        assert (found["episode"], found["status"]) == ("hvac-A1-0001", "closed")
        assert (found["feedback"]["verdict"], found["feedback"]["note"]) == ("false alarm", "fine")
        assert cloud.end() == 0
