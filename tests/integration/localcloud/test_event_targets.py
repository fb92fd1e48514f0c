"""Rules that reach other buses and log groups, and what EventBridge refuses at deploy or when asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, DeployError
from localcloud.errors import DeliveryError
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.test_bus import QUEUES, TO_QUEUE, bodies, put, rule

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: TRUSTED}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: forward
          PolicyDocument: {Statement: [{Effect: Allow, Action: events:PutEvents, Resource: GRANTED}]}
"""


def role(trusted: str = "events.amazonaws.com", granted: str = '"*"') -> str:
    return ROLE.replace("TRUSTED", trusted).replace("GRANTED", granted)


FORWARDED = (
    QUEUES
    + """
  Second: {Type: AWS::Events::EventBus, Properties: {Name: second}}
  Third: {Type: AWS::Events::EventBus, Properties: {Name: third}}
"""
    + rule("First", "[{Id: b, Arn: !GetAtt Second.Arn, RoleArn: !GetAtt Role.Arn}]")
    + rule("Landing", TO_QUEUE).replace("!Ref Bus", "!Ref Second")
)


def test_an_event_goes_on_to_another_bus_as_it_is(deploy: Deploy) -> None:
    cloud = deploy(FORWARDED + role(granted="!GetAtt Second.Arn"))
    event_id = put(cloud)["Entries"][0]["EventId"]
    (message,) = bodies(cloud)
    event = json.loads(message["Body"])
    assert (event["id"], event["source"], event["detail"]) == (event_id, "tests", {"n": 1})
    kinds = [(record.kind, record.name) for record in cloud.journal]
    assert kinds == [
        ("event", "Done"), ("rule", "signalbox-First"), ("delivery", "event-bus/second"),
        ("event", "Done"), ("rule", "signalbox-Landing"), ("delivery", "signalbox-Queue"),
    ]  # fmt: skip
    causes = {record.id: record.cause for record in cloud.journal}
    assert causes == {1: None, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5}


def test_an_event_from_another_bus_goes_no_further_not_even_back(deploy: Deploy) -> None:
    on = "[{Id: b, Arn: !GetAtt %s.Arn, RoleArn: !GetAtt Role.Arn}]"
    onward = rule("Onward", on % "Third").replace("!Ref Bus", "!Ref Second")
    back = rule("Back", on % "Bus").replace("!Ref Bus", "!Ref Second")
    end = rule("End", TO_QUEUE).replace("!Ref Bus", "!Ref Third")
    cloud = deploy(FORWARDED + onward + back + end + role())
    put(cloud)
    assert len(bodies(cloud)) == 1
    dropped = [(r.name, r.detail["message"]) for r in cloud.journal if r.status == "dropped"]
    message = "an event from another bus is not routed to a third bus"
    assert dropped == [("event-bus/third", message), ("event-bus/own", message)]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (role(trusted="lambda.amazonaws.com"), r"does not allow sts:AssumeRole to events"),
        (role(granted="!GetAtt Third.Arn"), r"does not allow events:PutEvents .*event-bus/second"),
    ],
)
def test_a_bus_that_the_role_does_not_reach_fails_at_deploy(
    deploy: Deploy, made: str, message: str
) -> None:
    with pytest.raises(DeployError, match=rf"First\.Targets\[0\]\.Arn: .*{message}"):
        deploy(FORWARDED + made)


def test_a_bus_that_vanished_makes_the_delivery_fail(deploy: Deploy) -> None:
    cloud = deploy(FORWARDED + role())
    cloud.client("events").delete_event_bus(Name="second")
    put(cloud)
    cloud.run_until_idle()
    failed = [r.detail["error"] for r in cloud.journal if r.kind == "delivery"]
    assert failed == ["NO_RESOURCE"]


LOGS = """
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/events/own}}
  LogPolicy:
    Type: AWS::Logs::ResourcePolicy
    Properties:
      PolicyName: events
      PolicyDocument: !Sub >-
        {"Statement": [{"Effect": "Allow", "Principal": {"Service": PRINCIPALS},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/events/*:*"}]}
"""
BOTH = '["events.amazonaws.com", "delivery.logs.amazonaws.com"]'
TO_LOGS = (
    "[{Id: l, Arn: !Sub 'arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/events/own'}]"
)


def logged(cloud: Cloud) -> list[Any]:
    cloud.run_until_idle()
    events = cloud.client("logs").filter_log_events(logGroupName="/aws/events/own")["events"]
    return [json.loads(event["message"]) for event in events]


def test_an_event_becomes_one_event_of_a_log_group(deploy: Deploy) -> None:
    cloud = deploy(QUEUES + LOGS.replace("PRINCIPALS", BOTH) + rule("Rule", TO_LOGS))
    put(cloud)
    put(cloud, Detail='{"n": 2}')
    found = logged(cloud)
    assert [event["detail"] for event in found] == [{"n": 1}, {"n": 2}]
    assert found[0]["detail-type"] == "Done"
    streams = cloud.client("logs").describe_log_streams(logGroupName="/aws/events/own")
    assert len(streams["logStreams"]) == 1


def test_a_log_group_without_a_policy_for_events_fails_at_deploy(deploy: Deploy) -> None:
    policy = LOGS.replace("PRINCIPALS", '["delivery.logs.amazonaws.com"]')
    with pytest.raises(DeployError, match=r"Rule\.Targets\[0\]\.Arn: .*logs:CreateLogStream to ev"):
        deploy(QUEUES + policy + rule("Rule", TO_LOGS))


def targets(extra: str) -> str:
    return rule("Rule", f"[{{Id: q, Arn: !GetAtt Queue.Arn, {extra}}}]")


PATHS = "{" + ", ".join(f"a{n}: $.a" for n in range(101)) + "}"
REFUSED = {
    "a log group of another name": (
        rule("Rule", TO_LOGS.replace("/aws/events/own", "own")),
        r"Rule\.Targets\[0\]\.Arn: .*name begins with /aws/events/",
    ),
    "the streams of a log group": (
        rule("Rule", TO_LOGS.replace("own'", "own:*'")),
        r"Rule\.Targets\[0\]\.Arn: .*without :\* at its end",
    ),
    "a log group that is not there": (
        rule("Rule", TO_LOGS),
        r"Rule\.Targets\[0\]\.Arn: there is no arn:aws:logs",
    ),
    "a bus without a role": (
        rule("Rule", "[{Id: b, Arn: !GetAtt Bus.Arn}]"),
        r"Rule\.Targets\[0\]\.RoleArn: is required",
    ),
    "another text for a bus": (
        role() + rule("Rule", "[{Id: b, Arn: !GetAtt Bus.Arn, RoleArn: !GetAtt Role.Arn, Input: '1'}]"),
        r"Rule\.Targets\[0\]\.Arn: Input is not supported for an event bus",
    ),
    "a group of a FIFO queue": (
        targets("SqsParameters: {MessageGroupId: a}"),
        r"Rule\.Targets\[0\]\.SqsParameters: is not supported",
    ),
    "two inputs": (
        targets("Input: '1', InputPath: $.detail"),
        r"Rule\.Targets\[0\]\.Arn: Input and InputPath exclude each other",
    ),
    "an input that is no JSON": (
        targets("Input: '{'"),
        r"Rule\.Targets\[0\]\.Arn: Input is not JSON",
    ),
    "a long input": (
        targets(f"Input: '\"{'x' * 8191}\"'"),
        r"Rule\.Targets\[0\]\.Input: has length 8193, at most 8192 is allowed",
    ),
    "too many paths": (
        targets(f"InputTransformer: {{InputTemplate: '1', InputPathsMap: {PATHS}}}"),
        r"InputTransformer\.InputPathsMap: has length 101, at most 100",
    ),
    "an id with a space": (
        rule("Rule", "[{Id: a b, Arn: !GetAtt Queue.Arn}]"),
        r"Rule\.Targets\[0\]\.Id: 'a b' does not match",
    ),
    "too many retries": (
        targets("RetryPolicy: {MaximumRetryAttempts: 186}"),
        r"RetryPolicy\.MaximumRetryAttempts: is 186, at most 185 is allowed",
    ),
    "too short an age": (
        targets("RetryPolicy: {MaximumEventAgeInSeconds: 59}"),
        r"RetryPolicy\.MaximumEventAgeInSeconds: is 59, at least 60 is needed",
    ),
    "six targets": (
        rule("Rule", str([f"{{Id: t{n}, Arn: !GetAtt Queue.Arn}}" for n in range(6)]).replace("'", "")),
        r"Rule\.Targets: a rule has at most 5 targets",
    ),
    "a long pattern": (
        rule("Rule", TO_QUEUE, pattern=f"{{source: [{'x' * 2040}]}}"),
        r"Rule\.EventPattern: has 2055 characters, at most 2048 are allowed",
    ),
    "a long name": (
        rule("Rule", TO_QUEUE, f"      Name: {'n' * 65}"),
        r"Rule\.Name: has length 65, at most 64 is allowed",
    ),
    "a bus with a name of another alphabet": (
        "  Odd: {Type: AWS::Events::EventBus, Properties: {Name: 'a b'}}",
        r"Odd\.Name: 'a b' does not match",
    ),
    "neither pattern nor schedule": (
        "  Rule: {Type: AWS::Events::Rule, Properties: {State: ENABLED}}",
        r"Rule\.EventPattern: or ScheduleExpression is required",
    ),
    "an archive with a long name": (
        "  Archive: {Type: AWS::Events::Archive, Properties:"
        f" {{SourceArn: !GetAtt Bus.Arn, ArchiveName: {'a' * 49}}}}}",
        r"Archive\.ArchiveName: has length 49, at most 48 is allowed",
    ),
    "an archive of nothing": (
        "  Archive: {Type: AWS::Events::Archive, Properties: {SourceArn: bus}}",
        r"Archive\.SourceArn: 'bus' does not match",
    ),
    "an archive with a bad pattern": (
        "  Archive: {Type: AWS::Events::Archive, Properties:"
        " {SourceArn: !GetAtt Bus.Arn, EventPattern: {source: x}}}",
        r"Archive\.EventPattern: .*put the value in a list",
    ),
    "a log policy that is no JSON": (
        "  Policy: {Type: AWS::Logs::ResourcePolicy, Properties:"
        " {PolicyName: p, PolicyDocument: '{}'}}",
        r"Policy\.PolicyDocument: must be a policy as JSON text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_eventbridge_refuses_is_an_error_at_deploy(deploy: Deploy, case: str) -> None:
    resources, message = REFUSED[case]
    with pytest.raises(DeployError, match=message + r".*\(template line \d+\)"):
        deploy(QUEUES + resources)


def test_what_eventbridge_refuses_is_refused_by_the_api(deploy: Deploy) -> None:
    cloud = deploy(QUEUES)
    events, arn = cloud.client("events"), cloud.stack.attribute("Queue", "Arn")

    def code(call: str, **request: Any) -> str:
        with pytest.raises(ClientError) as refused:
            getattr(events, call)(**request)
        return str(refused.value.response["Error"]["Code"])

    bad, long = '{"source": [{"oops": 1}]}', json.dumps({"source": ["x" * 2048]})
    assert code("put_rule", Name="r", EventPattern=bad) == "InvalidEventPatternException"
    assert code("put_rule", Name="r", EventPattern=long) == "InvalidEventPatternException"
    for schedule in ("cron(0 0 * * * *)", "rate(1 minutes)", "at(2030-01-01T00:00:00)"):
        assert code("put_rule", Name="r", ScheduleExpression=schedule) == "ValidationException"
    events.put_rule(Name="r", EventPattern='{"source": ["a"]}')
    five = [{"Id": f"t{n}", "Arn": arn} for n in range(5)]
    events.put_targets(Rule="r", Targets=five)
    events.put_targets(Rule="r", Targets=five)  # the same five again
    sixth = [{"Id": "t5", "Arn": arn}]
    assert code("put_targets", Rule="r", Targets=sixth) == "LimitExceededException"
    two = [{"Id": "t0", "Arn": arn, "Input": "1", "InputPath": "$"}]
    assert code("put_targets", Rule="r", Targets=two) == "ValidationException"


def test_a_pattern_is_tried_out_by_the_api(deploy: Deploy) -> None:
    events = deploy(QUEUES).client("events")
    event = dict.fromkeys(("id", "account", "time", "region", "detail-type"), "x")
    happened = {**event, "source": "tests", "resources": ["r"], "detail": {"n": [{"k": 1}]}}

    def tried(pattern: str, **changes: Any) -> Any:
        text = json.dumps({**happened, **changes})
        return events.test_event_pattern(EventPattern=pattern, Event=text)["Result"]

    assert tried('{"detail": {"n": {"k": [{"numeric": ["<", 2]}]}}}') is True
    assert tried('{"source": [{"prefix": "aws."}]}') is False
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        tried('{"source": "tests"}')
    happened.pop("region")
    with pytest.raises(ClientError, match="no region"):
        tried('{"source": ["tests"]}')
    with pytest.raises(ClientError, match="ValidationException"):
        events.test_event_pattern(EventPattern='{"source": ["tests"]}', Event="[]")


@pytest.mark.parametrize("to", [TO_QUEUE, TO_LOGS])
def test_a_fault_comes_before_anything_is_handed_over(deploy: Deploy, to: str) -> None:
    cloud = deploy(QUEUES + LOGS.replace("PRINCIPALS", BOTH) + rule("Rule", to))
    asked: list[str] = []

    def fault(target_arn: str) -> None:
        asked.append(target_arn)
        raise DeliveryError("INTERNAL", "injected", retryable=len(asked) < 3)

    cloud._world.faults.append(fault)
    put(cloud)
    assert bodies(cloud) == []
    assert logged(cloud) == []
    assert len(set(asked)) == 1
    assert len(asked) == 3
