"""Alarms on metrics that the cloud itself, functions and their logs measure, in virtual time."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.errors import DeployError
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import START, Deploy

BASE = """
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: ops}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: cloudwatch.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Topic
            Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}
  Queue: {Type: AWS::SQS::Queue}
  Told: {Type: AWS::SQS::Queue}
  ToldPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Told]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: [sns.amazonaws.com, events.amazonaws.com]}
            Action: sqs:SendMessage
            Resource: !GetAtt Told.Arn
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Told.Arn}
"""
OF_QUEUE = """
      Namespace: AWS/SQS
      Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]
"""
DEPTH = OF_QUEUE + "      MetricName: ApproximateNumberOfMessagesVisible\n"
RULE = """
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.cloudwatch], detail-type: [CloudWatch Alarm State Change]}
      Targets: [{Id: q, Arn: !GetAtt Told.Arn}]
"""


def alarm(metric: str, name: str = "Alarm", **changes: Any) -> str:
    properties = {
        "AlarmName": "deep", "Statistic": "Maximum", "Period": 300, "EvaluationPeriods": 1,
        "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching", "AlarmActions": "[!Ref Topic]",
        "OKActions": "[!Ref Topic]", **changes,
    }  # fmt: skip
    lines = "".join(f"      {k}: {v}\n" for k, v in properties.items() if v is not None)
    return f"\n  {name}:\n    Type: AWS::CloudWatch::Alarm\n    Properties:{metric}{lines}"


def send(cloud: Cloud, body: str = "x", **options: Any) -> None:
    url = cloud.physical_id("Queue")
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body, **options)


def drain(cloud: Cloud, queue: str = "Queue") -> list[str]:
    sqs, url, bodies = cloud.client("sqs"), cloud.physical_id(queue), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def changes(cloud: Cloud) -> list[tuple[float, str]]:
    """(minutes since the start, state) of every change of state."""
    cloud.run_until_idle()
    return [
        ((r.at - START).total_seconds() / 60, r.detail["detail"]["state"]["value"])
        for r in cloud.journal
        if r.name == "CloudWatch Alarm State Change"
    ]


def state(cloud: Cloud) -> str:
    (found,) = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return str(found["StateValue"])


def measured(cloud: Cloud, namespace: str, name: str, statistic: str = "Sum", **dims: str) -> Any:
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Period=86_400, Statistics=[statistic],
        Dimensions=[{"Name": k, "Value": v} for k, v in dims.items()],
        StartTime=START - timedelta(hours=1), EndTime=START + timedelta(hours=23),
    )  # fmt: skip
    return sum(point[statistic] for point in answer["Datapoints"])


def test_an_alarm_goes_off_and_back_and_tells_topic_and_bus(deploy: Deploy) -> None:
    cloud = deploy(BASE + RULE + alarm(DEPTH, AlarmDescription="too deep"))
    assert state(cloud) == "INSUFFICIENT_DATA"
    assert changes(cloud) == [(1, "OK")]
    drain(cloud, "Told")
    send(cloud)
    assert changes(cloud)[1:] == [(2, "ALARM")]
    assert state(cloud) == "ALARM"
    told = [json.loads(body) for body in drain(cloud, "Told")]
    event = next(each for each in told if each.get("source") == "aws.cloudwatch")
    detail, arn = event["detail"], cloud.stack.attribute("Alarm", "Arn")
    assert event["resources"] == [arn]
    assert detail["alarmName"] == "deep"
    assert detail["previousState"]["value"] == "OK"
    now = detail["state"]
    assert now["value"] == "ALARM"
    assert now["timestamp"] == "2026-01-01T00:02:00.000+0000"
    assert now["reason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [1.0 (")
    assert json.loads(now["reasonData"])["recentDatapoints"] == [1.0]
    (metric,) = detail["configuration"]["metrics"]
    assert detail["configuration"]["description"] == "too deep"
    assert metric["returnData"] is True
    assert metric["metricStat"] == {
        "metric": {
            "dimensions": {"QueueName": "signalbox-Queue"},
            "name": "ApproximateNumberOfMessagesVisible",
            "namespace": "AWS/SQS",
        },
        "period": 300,
        "stat": "Maximum",
    }
    envelope = next(each for each in told if each.get("Type") == "Notification")
    assert envelope["Subject"] == 'ALARM: "deep" in EU (Ireland)'
    message = json.loads(envelope["Message"])
    assert message["NewStateValue"] == "ALARM"
    assert message["OldStateValue"] == "OK"
    assert message["NewStateReason"] == now["reason"]
    assert message["AlarmArn"] == arn
    assert message["AlarmDescription"] == "too deep"
    assert message["Trigger"] == {
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Namespace": "AWS/SQS",
        "StatisticType": "Statistic",
        "Statistic": "MAXIMUM",
        "Unit": None,
        "Dimensions": [{"value": "signalbox-Queue", "name": "QueueName"}],
        "Period": 300,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.0,
        "TreatMissingData": "notBreaching",
        "EvaluateLowSampleCountPercentile": "",
    }
    drain(cloud)
    assert changes(cloud)[2:] == [(7, "OK")]  # the last minute that held one leaves the window
    assert any("OK: " in body for body in drain(cloud, "Told"))


def test_what_set_an_alarm_off_is_its_cause(deploy: Deploy) -> None:
    cloud = deploy(BASE + alarm(DEPTH))
    send(cloud)
    cloud.run_until_idle()
    arrival = next(r for r in cloud.journal if r.detail.get("message_id"))
    off = [r for r in cloud.journal if r.name == "CloudWatch Alarm State Change"][-1]
    action = next(r for r in cloud.journal if r.detail.get("state") == "ALARM")
    assert off.cause == action.cause == arrival.id


def test_time_goes_no_further_than_the_last_change(deploy: Deploy) -> None:
    cloud = deploy(BASE + alarm(DEPTH))
    send(cloud)
    cloud.run_until_idle()
    assert cloud.now() == START + timedelta(minutes=1)
    cloud.run_until_idle()
    assert cloud.now() == START + timedelta(minutes=1)
    assert state(cloud) == "ALARM"


def test_a_message_counts_from_when_it_is_visible_again(deploy: Deploy) -> None:
    cloud = deploy(BASE + alarm(DEPTH))
    send(cloud)
    url = cloud.physical_id("Queue")
    cloud.client("sqs").receive_message(QueueUrl=url, VisibilityTimeout=1200)
    assert changes(cloud) == [(1, "OK"), (21, "ALARM")]


def test_age_is_waited_for(deploy: Deploy) -> None:
    metric = OF_QUEUE + "      MetricName: ApproximateAgeOfOldestMessage\n"
    cloud = deploy(BASE + alarm(metric, Threshold=7200, Period=60))
    send(cloud)
    assert changes(cloud) == [(1, "OK"), (121, "ALARM")]
    depth = measured(cloud, "AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum",
                     QueueName="signalbox-Queue")  # fmt: skip
    assert depth == 7260


def test_m_out_of_n_needs_m(deploy: Deploy) -> None:
    metric = OF_QUEUE + "      MetricName: NumberOfMessagesSent\n"
    counted = {"Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2}
    cloud = deploy(BASE + alarm(metric, **counted))
    send(cloud)
    cloud.run_until_idle()
    assert state(cloud) == "OK"
    cloud._world.clock.follow(START + timedelta(minutes=2))
    send(cloud)
    # both datapoints are among the five retrieved until the first one leaves them
    assert changes(cloud) == [(1, "OK"), (3, "ALARM"), (6, "OK")]


def test_silence_alone_makes_no_time_pass(deploy: Deploy) -> None:
    metric = OF_QUEUE + "      MetricName: NumberOfMessagesSent\n"
    cloud = deploy(BASE + alarm(metric, Statistic="Sum", Period=60, TreatMissingData="missing"))
    cloud.run_until_idle()
    assert cloud.now() == START
    send(cloud)
    assert changes(cloud) == [(1, "ALARM")]
    cloud._world.clock.after(3600, lambda: None)  # whatever else lets time pass
    assert changes(cloud) == [(1, "ALARM"), (4, "INSUFFICIENT_DATA")]


def test_ignored_silence_keeps_the_state(deploy: Deploy) -> None:
    metric = OF_QUEUE + "      MetricName: NumberOfMessagesSent\n"
    cloud = deploy(BASE + alarm(metric, Statistic="Sum", Period=60, TreatMissingData="ignore"))
    send(cloud)
    cloud.run_until_idle()
    cloud._world.clock.after(3600, lambda: None)
    assert changes(cloud) == [(1, "ALARM")]


def test_silence_that_breaches_goes_off_at_once(deploy: Deploy) -> None:
    metric = OF_QUEUE + "      MetricName: NumberOfMessagesSent\n"
    cloud = deploy(BASE + alarm(metric, TreatMissingData="breaching"))
    assert changes(cloud) == [(1, "ALARM")]


FUNCTION = """
  Door:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.11, Handler: app.handler, CodeUri: Door, Role: !GetAtt Role.Arn}
"""
OF_DOOR = """
      Namespace: AWS/Lambda
      Dimensions: [{Name: FunctionName, Value: !Ref Door}]
"""
DOOR = """
import json
import boto3

def handler(event, context):
    if "emf" in event:
        print(json.dumps(event["emf"]))
    if "put" in event:
        boto3.client("cloudwatch").put_metric_data(Namespace="Own", MetricData=event["put"])
    if event.get("fail"):
        raise ValueError("asked to")
"""


def invoke(cloud: Cloud, **payload: Any) -> None:
    cloud.client("lambda").invoke(
        FunctionName=cloud.physical_id("Door"), Payload=json.dumps(payload).encode()
    )


def test_lambda_metrics(deploy: Deploy) -> None:
    metric = OF_DOOR + "      MetricName: Errors\n"
    cloud = deploy(
        BASE + ROLE + FUNCTION + alarm(metric, Statistic="Sum", Period=60), {"Door/app.py": DOOR}
    )
    invoke(cloud)
    assert changes(cloud) == [(1, "OK")]
    invoke(cloud, fail=True)
    assert changes(cloud)[1][1] == "ALARM"
    assert changes(cloud)[2] == (changes(cloud)[1][0] + 3, "OK")
    of = {"FunctionName": cloud.physical_id("Door")}
    assert measured(cloud, "AWS/Lambda", "Invocations", **of) == 2
    assert measured(cloud, "AWS/Lambda", "Errors", **of) == 1
    assert measured(cloud, "AWS/Lambda", "Throttles", **of) == 0
    assert measured(cloud, "AWS/Lambda", "Duration", "SampleCount", **of) == 2


OWN = """
      Namespace: Own
      MetricName: Rejected
      Dimensions: [{Name: service, Value: door}]
"""


def test_embedded_metrics_of_a_log_line(deploy: Deploy) -> None:
    cloud = deploy(
        BASE + ROLE + FUNCTION + alarm(OWN, Statistic="Sum", Period=60), {"Door/app.py": DOOR}
    )
    about = {
        "Timestamp": 1,
        "CloudWatchMetrics": [
            {
                "Namespace": "Own",
                "Dimensions": [["service"]],
                "Metrics": [{"Name": "Rejected", "Unit": "Count"}],
            }
        ],
    }
    invoke(cloud, emf={"_aws": about, "service": "door", "Rejected": [1.0, 2.0]})
    assert changes(cloud)[0] == (1, "ALARM")
    assert measured(cloud, "Own", "Rejected", service="door") == 3


def test_put_metric_data_and_a_percentile(deploy: Deploy) -> None:
    changed = {"Statistic": None, "ExtendedStatistic": "p90", "Threshold": 8, "Period": 60}
    cloud = deploy(BASE + ROLE + FUNCTION + alarm(OWN, **changed), {"Door/app.py": DOOR})
    dimensions = [{"Name": "service", "Value": "door"}]
    datum = {"MetricName": "Rejected", "Dimensions": dimensions}
    invoke(cloud, put=[{**datum, "Values": [1, 10], "Counts": [90, 5]}])
    cloud.run_until_idle()
    assert state(cloud) == "OK"
    invoke(cloud, put=[{**datum, "Value": 10.0}] * 15)
    cloud.run_until_idle()
    assert "ALARM" in [each for _, each in changes(cloud)]
    assert measured(cloud, "Own", "Rejected", "SampleCount", service="door") == 110


def test_rules_are_measured(deploy: Deploy) -> None:
    broken = """
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: broken
      EventPattern: {source: [tests]}
      Targets: [{Id: q, Arn: !GetAtt Told.Arn}]
"""
    of_rule = """
      Namespace: AWS/Events
      MetricName: FailedInvocations
      Dimensions: [{Name: RuleName, Value: !Ref Rule}]
"""
    cloud = deploy(BASE + broken + alarm(of_rule, Statistic="Sum", Period=60, AlarmActions="[]"))
    entry = {"Source": "tests", "DetailType": "x", "Detail": "{}"}
    cloud.client("events").put_events(Entries=[entry])
    assert changes(cloud) == [(1, "OK")]
    cloud.client("sqs").delete_queue(QueueUrl=cloud.physical_id("Told"))
    cloud.client("events").put_events(Entries=[entry])
    assert changes(cloud)[1][1] == "ALARM"
    assert measured(cloud, "AWS/Events", "Invocations", RuleName="broken") == 2
    assert measured(cloud, "AWS/Events", "FailedInvocations", RuleName="broken") == 1


def test_queue_metrics_count_what_comes_and_goes(deploy: Deploy) -> None:
    cloud = deploy(BASE)
    for body in "abc":
        send(cloud, body)
    assert drain(cloud) == ["a", "b", "c"]
    of = {"QueueName": "signalbox-Queue"}
    assert measured(cloud, "AWS/SQS", "NumberOfMessagesSent", **of) == 3
    assert measured(cloud, "AWS/SQS", "NumberOfMessagesReceived", **of) == 3
    assert measured(cloud, "AWS/SQS", "NumberOfMessagesDeleted", **of) == 3
    assert measured(cloud, "AWS/SQS", "NumberOfEmptyReceives", **of) == 1


def test_a_queue_nobody_watches_is_sampled_too(deploy: Deploy) -> None:
    cloud = deploy(BASE)
    send(cloud)
    cloud.run_until_idle()
    cloud._world.clock.follow(START + timedelta(minutes=3))
    of = {"QueueName": "signalbox-Queue"}
    depth = "ApproximateNumberOfMessagesVisible"
    assert measured(cloud, "AWS/SQS", depth, "SampleCount", **of) == 3
    assert measured(cloud, "AWS/SQS", depth, "Sum", **of) == 3
    drain(cloud)
    cloud.run_until_idle()
    cloud._world.clock.follow(START + timedelta(hours=20))
    # for six hours it is sampled as empty
    assert measured(cloud, "AWS/SQS", depth, "SampleCount", **of) == 3 + 6 * 60
    assert measured(cloud, "AWS/SQS", depth, "Sum", **of) == 3


def test_a_state_set_by_hand_runs_actions_and_lasts_until_the_next_evaluation(
    deploy: Deploy,
) -> None:
    cloud = deploy(BASE + alarm(DEPTH))
    cloud.run_until_idle()
    drain(cloud, "Told")
    cloud.client("cloudwatch").set_alarm_state(
        AlarmName="deep", StateValue="ALARM", StateReason="a test"
    )
    assert changes(cloud) == [(1, "OK"), (1, "ALARM"), (2, "OK")]
    subjects = [json.loads(body)["Subject"] for body in drain(cloud, "Told")]
    assert [each.split(":")[0] for each in subjects] == ["ALARM", "OK"]


def test_disabled_actions_do_not_run(deploy: Deploy) -> None:
    cloud = deploy(BASE + alarm(DEPTH, ActionsEnabled="false"))
    send(cloud)
    assert changes(cloud) == [(1, "ALARM")]
    assert drain(cloud, "Told") == []


def test_a_topic_closed_to_cloudwatch_fails_at_deploy(deploy: Deploy) -> None:
    other = "  Other: {Type: AWS::SNS::Topic}\n"
    with pytest.raises(DeployError, match=r"Alarm\.AlarmActions.* cloudwatch\.amazonaws\.com") as e:
        deploy(BASE + other + alarm(DEPTH, AlarmActions="[!Ref Other]"))
    assert e.value.line is not None


def test_a_topic_closed_later_loses_the_action_visibly(deploy: Deploy) -> None:
    cloud = deploy(BASE + alarm(DEPTH, OKActions="[]"))
    cloud.client("sns").delete_topic(TopicArn=cloud.physical_id("Topic"))
    send(cloud)
    cloud.run_until_idle()
    (lost,) = [r for r in cloud.journal if r.status == "lost"]
    assert (lost.kind, lost.detail["error"]) == ("delivery", "NO_RESOURCE")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Metrics": "[{Id: a, Expression: b + c}]"}, r"Alarm\.Metrics: is not supported"),
        ({"Period": 30}, "must be a multiple of 60"),
        ({"EvaluationPeriods": 300}, "looks back 86400 s at most"),
        ({"DatapointsToAlarm": 2}, "is more than EvaluationPeriods, 1"),
        ({"Statistic": "Median"}, "must be one of"),
        ({"ExtendedStatistic": "p99"}, "either Statistic or ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "tm90"}, "is no percentile"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "must be one of"),
        ({"TreatMissingData": "nothing"}, "must be one of"),
        ({"Threshold": "much"}, "must be a number"),
        ({"AlarmActions": "['arn:aws:automate:eu-west-1:ec2:stop']"}, "is no topic"),
    ],
)
def test_what_is_not_evaluated_here_is_refused(
    deploy: Deploy, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeployError, match=message) as raised:
        deploy(BASE + alarm(DEPTH, **changed))
    assert raised.value.logical_id == "Alarm"
    assert raised.value.line is not None


def test_expressions_are_refused_through_the_api_too(deploy: Deploy) -> None:
    cloud = deploy(BASE)
    with pytest.raises(ClientError, match="evaluates alarms on one metric"):
        cloud.client("cloudwatch").put_metric_alarm(
            AlarmName="sum", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "a", "Expression": "b + c"}], Threshold=1.0,
        )  # fmt: skip


def test_composite_alarms_are_refused(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match="AWS::CloudWatch::CompositeAlarm"):
        deploy("  C: {Type: AWS::CloudWatch::CompositeAlarm, Properties: {AlarmRule: 'TRUE'}}")
