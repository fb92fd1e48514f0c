"""Steps of pipelines beside plain jobs: models, transforms, conditions, functions, callbacks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, Record
from localcloud.clients import client_of, session_with
from tests.integration.localcloud import containers
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.pipelines import (
    DATA,
    IMAGE,
    ROLE_ARN,
    STEP,
    TOKEN,
    condition,
    create,
    definition,
    details,
    equals,
    execution,
    fail,
    get,
    join,
    played,
    prepare,
    processing,
    start,
    statuses,
    steps,
)

FUNCTION = """
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
"""
DOOR = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("told to fail")
    return {"statusCode": 200, "word": event["word"].upper(), "count": 3, "yes": True}
"""
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:signalbox-Door"
QUEUE = "\n  Queue: {Type: AWS::SQS::Queue}\n"
QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:signalbox-Queue"
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/signalbox-Queue"

Ready = Callable[..., Cloud]


@pytest.fixture
def ready(deploy: Deploy) -> Ready:
    def made(resources: str = "", **options: Any) -> Cloud:
        return prepare(deploy(BUCKET + ROLE + resources, **options))

    return made


def function(**changes: Any) -> dict[str, Any]:
    kinds = {"word": "String", "count": "Integer", "yes": "Boolean"}
    outputs = [{"OutputName": name, "OutputType": kind} for name, kind in kinds.items()]
    return {
        "Name": "Ask",
        "Type": "Lambda",
        "FunctionArn": FUNCTION_ARN,
        "Arguments": {"word": get("Parameters.Word")},
        "OutputParameters": outputs,
        **changes,
    }


WORD = [{"Name": "Word", "Type": "String", "DefaultValue": "hello"}]


def test_a_function_answers_a_step(ready: Ready) -> None:
    cloud = ready(FUNCTION, files={"Door/app.py": DOOR})
    word = get("Steps.Ask.OutputParameters['word']")
    three = equals(get("Steps.Ask.OutputParameters['count']"), 3)
    true = equals(get("Steps.Ask.OutputParameters['yes']"), True)
    _, found = played(
        cloud,
        definition(function(), condition("C", three, true), fail("End", word), Parameters=WORD),
    )
    assert found["Ask"]["StepStatus"] == "Succeeded"
    assert found["Ask"]["Metadata"] == {
        "Lambda": {
            "Arn": FUNCTION_ARN,
            "OutputParameters": [
                {"Name": "word", "Value": "HELLO"},
                {"Name": "count", "Value": "3"},
                {"Name": "yes", "Value": "true"},
            ],
        }
    }
    assert found["C"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert found["End"]["FailureReason"] == "HELLO"
    (invocation,) = [r for r in cloud.journal if r.kind == "invocation"]
    step = cloud.journal[invocation.cause or 0]
    assert (step.kind, step.name, step.status) == ("job", "Ask", "Starting")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Arguments": {"fail": True}}, "told to fail"),
        (
            {"OutputParameters": [{"OutputName": "gone", "OutputType": "String"}]},
            "output parameter gone is missing",
        ),
        (
            {"OutputParameters": [{"OutputName": "word", "OutputType": "Integer"}]},
            "output parameter word is no Integer: 'HELLO'",
        ),
        ({"FunctionArn": FUNCTION_ARN + "s"}, "ResourceNotFoundException"),
    ],
)
def test_a_function_that_does_not_answer_fails_its_step(
    ready: Ready, changes: dict[str, Any], reason: str
) -> None:
    cloud = ready(FUNCTION, files={"Door/app.py": DOOR})
    _, found = played(cloud, definition(function(**changes), Parameters=WORD))
    assert found["Ask"]["StepStatus"] == "Failed"
    assert reason in found["Ask"]["FailureReason"]


def callback(**changes: Any) -> dict[str, Any]:
    return {
        "Name": "Wait",
        "Type": "Callback",
        "SqsQueueUrl": QUEUE_URL,
        "Arguments": {"run": get("Execution.PipelineExecutionId")},
        "OutputParameters": [{"OutputName": "verdict", "OutputType": "String"}],
        **changes,
    }


def waiting(cloud: Cloud) -> tuple[str, str, dict[str, Any]]:
    """Play until a callback waits: the execution, its token and the message."""
    verdict = get("Steps.Wait.OutputParameters['verdict']")
    arn, found = played(cloud, definition(callback(), fail("End", verdict)))
    assert found["Wait"]["StepStatus"] == "Executing"
    (message,) = cloud.messages(QUEUE_ARN)
    body = json.loads(message)
    token = found["Wait"]["Metadata"]["Callback"]["CallbackToken"]
    assert (len(token), body["token"]) == (10, token)
    return arn, token, body


def test_a_callback_waits_for_its_answer(ready: Ready) -> None:
    cloud = ready(QUEUE)
    arn, token, body = waiting(cloud)
    assert body["status"] == "Executing"
    assert body["arguments"] == {"run": arn.rpartition("/")[2]}
    client = cloud.client("sagemaker")
    with pytest.raises(ClientError, match="output parameter verdict is missing"):
        client.send_pipeline_execution_step_success(CallbackToken=token)
    cloud.run_for(timedelta(days=1))
    answer = client.send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=[{"Name": "verdict", "Value": "good"}]
    )
    assert answer["PipelineExecutionArn"] == arn
    cloud.run_until_idle()
    found = steps(cloud, arn)
    assert found["Wait"]["StepStatus"] == "Succeeded"
    assert (found["Wait"]["EndTime"] - found["Wait"]["StartTime"]).days == 1
    assert found["End"]["FailureReason"] == "good"
    with pytest.raises(client.exceptions.ResourceNotFound):
        client.send_pipeline_execution_step_success(CallbackToken=token)


def test_a_callback_may_report_a_failure(ready: Ready) -> None:
    cloud = ready(QUEUE)
    arn, token, _ = waiting(cloud)
    cloud.client("sagemaker").send_pipeline_execution_step_failure(
        CallbackToken=token, FailureReason="nobody came"
    )
    cloud.run_until_idle()
    assert steps(cloud, arn)["Wait"]["FailureReason"] == "nobody came"
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Failed"


def test_a_stop_waits_for_the_callback_and_tells_its_queue(ready: Ready) -> None:
    cloud = ready(QUEUE)
    arn, token, _ = waiting(cloud)
    client = cloud.client("sagemaker")
    client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
    cloud.run_until_idle()
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Stopping"
    told = json.loads(cloud.messages(QUEUE_ARN)[-1])
    assert (told["token"], told["status"]) == (token, "Stopping")
    client.send_pipeline_execution_step_failure(CallbackToken=token)
    cloud.run_until_idle()
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Stopped"
    assert statuses(cloud, arn) == {"Wait": "Stopped"}


def test_a_model_is_made_and_its_predictions_reach_s3(ready: Ready, tmp_path: Path) -> None:
    cloud = ready(images={IMAGE: containers.image(tmp_path)})
    s3 = cloud.client("s3")
    s3.put_object(Bucket=DATA, Key="model.tar.gz", Body=containers.archive("word"))
    s3.put_object(Bucket=DATA, Key="in/a.csv", Body=b"1\n2\n")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{DATA}/model.tar.gz"}
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/in/"}
    model = {
        "Name": "Make",
        "Type": "Model",
        "Arguments": {"ExecutionRoleArn": ROLE_ARN, "PrimaryContainer": container},
    }
    transform = {
        "Name": "Predict",
        "Type": "Transform",
        "Arguments": {
            "ModelName": get("Steps.Make.ModelName"),
            "TransformInput": {"DataSource": {"S3DataSource": source}},
            "TransformOutput": {"S3OutputPath": f"s3://{DATA}/predicted"},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        },
    }
    place = join(get("Steps.Predict.TransformOutput.S3OutputPath"), "a.csv.out")
    _, found = played(cloud, definition(model, transform, fail("End", place)))
    assert ":model/pipelines-" in found["Make"]["Metadata"]["Model"]["Arn"]
    assert ":transform-job/pipelines-" in found["Predict"]["Metadata"]["TransformJob"]["Arn"]
    key = found["End"]["FailureReason"].removeprefix(f"s3://{DATA}/")
    assert s3.get_object(Bucket=DATA, Key=key)["Body"].read() == b"word:1\nword:2\n"


def compared(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


N = get("Parameters.N")
HOLDS = [
    (equals(N, 3), True),
    (equals("a", "b"), False),
    (equals(1, True), False),
    (compared("GreaterThan", N, 2), True),
    (compared("GreaterThan", N, 3), False),
    (compared("GreaterThanOrEqualTo", N, 3), True),
    (compared("LessThan", N, 3.5), True),
    (compared("LessThanOrEqualTo", 4, N), False),
    ({"Type": "In", "QueryValue": N, "Values": [1, 3]}, True),
    ({"Type": "In", "QueryValue": "c", "Values": ["a", "b"]}, False),
    ({"Type": "Not", "Condition": equals(N, 3)}, False),
    ({"Type": "Or", "Conditions": [equals(N, 1), equals(N, 3)]}, True),
    ({"Type": "Or", "Conditions": [equals(N, 1), equals(N, 2)]}, False),
]


def test_every_condition_holds_or_not(ready: Ready) -> None:
    cloud = ready()
    made = [condition(f"C{place}", given) for place, (given, _) in enumerate(HOLDS)]
    both = condition("Both", equals(N, 3), equals(N, 4))
    wrong = condition("Wrong", compared("LessThan", N, "4"), DependsOn=["Both"])
    parameters = [{"Name": "N", "Type": "Integer", "DefaultValue": 3}]
    _, found = played(cloud, definition(*made, both, wrong, Parameters=parameters))
    outcomes = [
        found[f"C{place}"]["Metadata"]["Condition"]["Outcome"] for place in range(len(made))
    ]
    assert outcomes == [str(expected) for _, expected in HOLDS]
    assert found["Both"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert "LessThan compares numbers, not '4'" in found["Wrong"]["FailureReason"]


def test_only_the_branch_that_is_taken_is_run(ready: Ready) -> None:
    cloud = ready()
    second = condition(
        "Second", equals(get("Steps.First.Outcome"), "True"), then=[processing("Yes")],
        other=[fail("No")],
    )  # fmt: skip
    first = condition("First", equals(1, 1), then=[], other=[processing("Never")])
    arn, found = played(cloud, definition(first, second, processing("After", DependsOn=["Yes"])))
    assert list(found) == ["First", "Second", "Yes", "After"]
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Succeeded"
    told = [each for each in details(cloud, STEP) if each["stepName"] == "First"]
    assert told[-1]["metadata"] == {"condition": {"outcome": "True"}}


NARROW = """
  Narrow:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: some
          PolicyDocument:
            Statement:
              - Effect: Allow
                Action: sagemaker:SendPipelineExecutionStepSuccess
                Resource: arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/*
"""


def test_who_may_answer_a_callback_is_judged_on_its_execution(ready: Ready) -> None:
    cloud = ready(QUEUE + NARROW)
    arn, token, _ = waiting(cloud)
    role = cloud.stack.attribute("Narrow", "Arn")
    given = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="door")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    door = client_of(session_with(cloud.region, *keys), "sagemaker")
    with pytest.raises(ClientError, match=f"StepFailure on resource: {arn}"):
        door.send_pipeline_execution_step_failure(CallbackToken=token)
    verdict = [{"Name": "verdict", "Value": "good"}]
    door.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=verdict)
    cloud.run_until_idle()
    assert statuses(cloud, arn) == {"Wait": "Succeeded", "End": "Failed"}


def test_in_real_time_a_function_is_awaited_beside_everything_else(ready: Ready) -> None:
    cloud = ready(FUNCTION, files={"Door/app.py": DOOR})
    create(cloud, definition(function(), Parameters=WORD))
    arn, stop = start(cloud), threading.Event()

    def watch(record: Record) -> None:
        if record.kind == "job" and (record.name, record.status) == ("p", "Succeeded"):
            stop.set()

    cloud.serve(stop, watch)
    assert statuses(cloud, arn) == {"Ask": "Succeeded"}
