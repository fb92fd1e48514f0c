"""Dead letters: what they are, why, and the way back, for queues, rules and functions."""

from __future__ import annotations

import json

import pytest

from localcloud.trace import Trace
from tests.integration.localcloud import builds

FILES = {
    "Door/app.py": builds.DOOR,
    "Layer/python/signalbox/__init__.py": "",
    "Layer/python/signalbox/words.py": 'MARK = b" done"\n',
}
FUNCTION = """
  Late:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Late
      Role: !GetAtt Role.Arn
      Events:
        Rule:
          Type: EventBridgeRule
          Properties:
            Pattern: {source: [test]}
            DeadLetterConfig: {Arn: !GetAtt Lost.Arn}
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Lost.Arn}}
  Lost: {Type: AWS::SQS::Queue}
  LostPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Lost]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Lost.Arn
"""
LATE = """
done = []

def handler(event, context):
    if event["detail"].get("works") or done:
        return "done"
    done.append(1)
    raise RuntimeError("not yet")
"""


@pytest.fixture
def chain(deploy):
    return deploy(builds.CHAIN, FILES)


@pytest.fixture
def late(deploy):
    return deploy(builds.ROLE + FUNCTION, {"Late/app.py": LATE})


def drop(cloud, key):
    cloud.client("s3").put_object(Bucket=cloud.physical_id("Bucket"), Key=key, Body=b"1")
    cloud.run_until_idle()


def put(cloud, detail):
    entry = {"Source": "test", "DetailType": "Hello", "Detail": json.dumps(detail)}
    cloud.client("events").put_events(Entries=[entry])
    cloud.run_until_idle()


def test_a_message_received_too_often_tells_what_why_and_how_often(chain):
    drop(chain, "raw/bad")
    (letter,) = chain.dead_letters.waiting()
    assert letter.queue == "signalbox-Dead"
    assert letter.about == "Object Created raw/bad"
    assert letter.tries == 3
    assert letter.back.endswith(":signalbox-Queue")
    assert letter.why == "signalbox-Door did not acknowledge it"
    assert chain.dead_letters.waiting("signalbox-Dead") == [letter]  # looking takes nothing
    assert chain.dead_letters.waiting("signalbox-Queue") == []


def test_sent_back_it_is_a_new_message_with_a_full_round_of_tries(chain):
    drop(chain, "raw/bad")
    (letter,) = chain.dead_letters.waiting()
    told = chain.dead_letters.redrive()
    assert told.moved == {letter.back: 1}
    assert told.stays == {}
    assert chain.dead_letters.waiting() == []
    chain.run_until_idle()
    (again,) = chain.dead_letters.waiting()
    assert again.message_id != letter.message_id
    assert again.tries == 3
    trace = Trace(chain.journal)
    (root,) = trace.roots()
    kinds = [record.kind for record in trace.below(root) if record.kind not in {"call", "log"}]
    assert kinds == [
        "event", "rule", "delivery", *["invocation"] * 3, "dead-letter",
        "redrive", "delivery", *["invocation"] * 3, "dead-letter",
    ]  # fmt: skip


def test_at_most_so_many_go_back_oldest_first(chain):
    drop(chain, "raw/bad-1")
    drop(chain, "raw/bad-2")
    assert sum(chain.dead_letters.redrive(most=1).moved.values()) == 1
    (left,) = chain.dead_letters.waiting()
    assert left.about.endswith("raw/bad-2")


def test_a_message_somebody_received_stays(chain):
    drop(chain, "raw/bad")
    queue = chain.physical_id("Dead")
    sqs = chain.client("sqs")
    (received,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=60)["Messages"]
    told = chain.dead_letters.redrive()
    assert told.moved == {}
    assert "received it just now" in told.stays[received["MessageId"]]
    assert len(chain.dead_letters.waiting()) == 1


def test_an_event_without_permission_goes_back_to_the_rules_target(late):
    aws, function = late.client("lambda"), late.physical_id("Late")
    (statement,) = json.loads(aws.get_policy(FunctionName=function)["Policy"])["Statement"]
    aws.remove_permission(FunctionName=function, StatementId=statement["Sid"])
    put(late, {"works": True})
    (letter,) = late.dead_letters.waiting()
    assert letter.why.startswith("NO_PERMISSIONS: ")
    assert letter.back.endswith(":function:signalbox-Late")
    assert letter.rule
    assert letter.tries == 1
    late.dead_letters.redrive()
    late.run_until_idle()
    assert len(late.dead_letters.waiting()) == 1  # still not allowed
    aws.add_permission(
        FunctionName=function, StatementId="x", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )  # fmt: skip
    late.dead_letters.redrive()
    late.run_until_idle()
    assert late.dead_letters.waiting() == []
    (run,) = [record for record in late.journal if record.kind == "invocation"]
    assert run.status == "ok"


def test_a_failed_invocation_goes_back_to_its_function_with_its_event(late):
    put(late, {"n": 1})
    (letter,) = late.dead_letters.waiting()
    assert (letter.why, letter.tries) == ("RuntimeError: not yet", 1)
    assert letter.back.endswith(":function:signalbox-Late")
    assert late.dead_letters.redrive("signalbox-Lost").moved == {letter.back: 1}
    late.run_until_idle()
    statuses = [record.status for record in late.journal if record.kind == "invocation"]
    assert statuses == ["failed", "ok"]
    assert late.dead_letters.waiting() == []


def test_what_came_from_nobody_known_stays(late):
    queue = late.physical_id("Lost")
    sent = late.client("sqs").send_message(QueueUrl=queue, MessageBody="by hand")
    told = late.dead_letters.redrive()
    assert told.stays == {sent["MessageId"]: "where it came from is not known"}


def test_the_room_beside_moto_needs_its_header_and_says_what_is_wrong(chain):
    import urllib.error
    import urllib.request

    def ask(path, body=None, headers=None):
        request = urllib.request.Request(chain.endpoint + path, body, headers or {})
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    own = {"X-Localcloud": "1"}
    drop(chain, "raw/bad")
    assert len(ask("/_localcloud/dead-letters", headers=own)["letters"]) == 1
    for path, body, headers, code in (
        ("/_localcloud/dead-letters", None, {}, 404),
        ("/_localcloud/nothing", None, own, 404),
        ("/_localcloud/redrive", b"{", own, 400),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(path, body, headers)
        assert refused.value.code == code
        refused.value.close()
    assert ask("/_localcloud/redrive", b'{"queue": null, "most": 5}', own)["stays"] == {}


def test_an_invocation_answers_with_the_end_of_its_log(late):
    import base64

    answer = late.client("lambda").invoke(
        FunctionName=late.physical_id("Late"), Payload='{"detail": {}}', LogType="Tail"
    )
    assert "not yet" in base64.b64decode(answer["LogResult"]).decode()
    quiet = late.client("lambda").invoke(
        FunctionName=late.physical_id("Late"), Payload='{"detail": {"works": 1}}'
    )
    assert "LogResult" not in quiet
