"""The doors of alerts as they are, on moto: what they do, and that their roles allow exactly that."""

from __future__ import annotations

import json

import boto3
import pytest

from signalbox.contracts.keys import scores_prefix, windows_manifest_key
from tests.alerted import manifest_file, schema, score_line
from tests.fakes import BUCKET, LambdaContext, object_event, sample
from tests.integration.adapters.test_doors import doors, keys
from tests.integration.adapters.test_roles import judge, role_of, watch, watched
from tests.unit.signalbox.domain.test_alerting import DAY, NOON

__all__ = ["doors", "watch", "watched"]

RUN = "0" * 31 + "1"
MODEL = schema()


@pytest.fixture
def scores(s3):
    """Writes a score file and returns its event."""
    s3.put_object(
        Bucket=BUCKET, Key=windows_manifest_key("hvac", RUN), Body=manifest_file(RUN, MODEL)
    )

    def write(name, day, probability=0.95, **changes):
        key = f"{scores_prefix('hvac', RUN)}{name}.out"
        line = score_line("A1", probability, NOON + day * DAY, day + 1, MODEL, **changes)
        version = s3.put_object(Bucket=BUCKET, Key=key, Body=line)["VersionId"]
        return object_event(key, "a1", version, "aws.s3/object-created.scores.json")

    return write


def answer(**changes):
    event = sample("signalbox.feedback/AlertFeedback.json")
    event["detail"] |= changes
    return event


def scheduled(time):
    return sample("aws.scheduler/scheduled-event.json") | {"time": time}


def test_an_alert_from_its_score_to_its_judgement(doors, s3, scores):
    alert = doors.on_scores
    for _ in range(2):
        alert(scores("one", 0), LambdaContext())
    doors.on_alert_sent(sample("aws.sns/notification.json"), LambdaContext())
    for _ in range(2):
        doors.on_feedback(answer(), LambdaContext())
    for _ in range(2):
        doors.judge_predictions(scheduled("2026-10-01T03:30:00Z"), LambdaContext())
    said = doors.heard()
    assert list(dict.fromkeys(kind for kind, _ in said)) == [
        "FaultPredicted", "FeedbackRecorded", "PredictionsJudged",
    ]  # fmt: skip
    assert [kind for kind, _ in said].count("FaultPredicted") == 1
    assert said[0][1]["episode"] == "hvac-A1-0001"
    assert keys(s3, "feedback/") == ["feedback/hvac/hvac-A1-0001.json"]
    (report,) = keys(s3, "judgements/")
    told = json.loads(s3.get_object(Bucket=BUCKET, Key=report)["Body"].read())
    assert told["episodes"][0]["outcome"] == "false alarm"
    assert told["episodes"][0]["verdict"] == "confirmed"


def test_on_scores(watch, scores):
    first = scores("one", 0)
    unversioned = scores("two", 1)
    del unversioned["detail"]["object"]["version-id"]
    odd = scores("odd", 2, schema="other")
    judge(role_of("on_scores"), watch("on_scores", first, unversioned, odd, odd))


def test_on_alert_sent(watch, scores):
    watch("on_scores", scores("one", 0)).clear()
    strange = sample("aws.sns/notification.json")
    strange["Records"][0]["Sns"]["MessageAttributes"] = {}
    calls = watch("on_alert_sent", sample("aws.sns/notification.json"), strange)
    judge(role_of("on_alert_sent"), calls)


def test_on_feedback(watch, scores):
    watch("on_scores", scores("one", 0)).clear()
    calls = watch("on_feedback", answer(), answer(episode="hvac-A1-0009"))
    judge(role_of("on_feedback"), calls)


def test_judge_predictions(watch, scores):
    watch("on_scores", scores("one", 0)).clear()
    judge(
        role_of("judge_predictions"), watch("judge_predictions", scheduled("2026-10-01T03:30:00Z"))
    )


def test_a_topic_that_is_gone_parks_no_file(doors, s3, scores):
    from signalbox.errors import Misconfigured

    boto3.client("sns").delete_topic(TopicArn="arn:aws:sns:eu-west-1:123456789012:AlertsTopic")
    with pytest.raises(Misconfigured, match="AlertsTopic does not exist"):
        doors.on_scores(scores("one", 0), LambdaContext())
    assert keys(s3, "rejected/") == []
