"""SageMaker endpoints: a container that serves until it is told to go, and calls of it."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, DeployError, Record
from localcloud.clients import session_with
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.containers import DATA, IMAGE, ROLE_ARN, archive, image
from tests.integration.localcloud.shapes import assert_shape

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/fleet"
NAME = "SageMaker Endpoint State Change"
# the fields of the page's sample event
SAMPLE = {
    "EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants", "EndpointStatus",
    "CreationTime", "LastModifiedTime", "Tags",
}  # fmt: skip

Ready = Callable[..., Cloud]


@pytest.fixture
def ready(deploy: Deploy, tmp_path: Path) -> Ready:
    def made(*words: str, resources: str = BUCKET + ROLE) -> Cloud:
        cloud = deploy(resources, images={IMAGE: image(tmp_path)})
        for word in words or ("v1",):
            configure(cloud, word)
        return cloud

    return made


def configure(cloud: Cloud, word: str, **changes: Any) -> None:
    """A model that answers with a word, and a configuration of it; all called by that word."""
    key = f"models/{word}/model.tar.gz"
    cloud.client("s3").put_object(Bucket=DATA, Key=key, Body=archive(word))
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model(
        ModelName=word,
        ExecutionRoleArn=ROLE_ARN,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{DATA}/{key}"},
    )
    variant = {"VariantName": "main", "ModelName": word, "InstanceType": "ml.g5.xlarge",
               "InitialInstanceCount": 1}  # fmt: skip
    sagemaker.create_endpoint_config(
        EndpointConfigName=word, ProductionVariants=[{**variant, **changes}]
    )


def create(cloud: Cloud, word: str = "v1") -> dict[str, Any]:
    """Create the endpoint, let it come to rest, and describe it."""
    arn = cloud.client("sagemaker").create_endpoint(EndpointName="Fleet", EndpointConfigName=word)
    assert arn["EndpointArn"] == ARN
    cloud.run_until_idle()
    return describe(cloud)


def describe(cloud: Cloud) -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_endpoint(EndpointName="Fleet")
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribeEndpointOutput", answer)
    return dict(answer)


def invoke(cloud: Cloud, body: bytes = b"1\n", **more: Any) -> bytes:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="Fleet", Body=body, **more
    )
    return bytes(answer["Body"].read())


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return [record.detail["detail"] for record in cloud.journal if record.name == NAME]


def statuses(cloud: Cloud) -> list[str]:
    return [str(each["EndpointStatus"]) for each in events(cloud)]


def processes(cloud: Cloud) -> list[int]:
    """The containers that were started, as they said themselves."""
    begun = [
        record.detail["line"]
        for record in cloud.journal
        if record.kind == "log" and record.detail["line"].startswith("environment")
    ]
    return [int(line.rsplit(" ", 1)[1]) for line in begun]


def runs(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def test_an_endpoint_serves_until_it_is_deleted(ready: Ready) -> None:
    cloud = ready()
    endpoint = create(cloud)
    assert (endpoint["EndpointName"], endpoint["EndpointStatus"]) == ("Fleet", "InService")
    assert endpoint["EndpointConfigName"] == "v1"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert invoke(cloud) == b"v1:1\n"
    (process,) = processes(cloud)
    assert runs(process)
    cloud.client("sagemaker").delete_endpoint(EndpointName="Fleet")
    assert describe(cloud)["EndpointStatus"] == "Deleting"
    cloud.run_until_idle()
    assert not runs(process)
    assert cloud.client("sagemaker").list_endpoints()["Endpoints"] == []
    with pytest.raises(ClientError, match=r"Endpoint Fleet of account 123456789012 not found\."):
        invoke(cloud)
    assert statuses(cloud) == ["CREATING", "IN_SERVICE", "DELETING"]


def test_events_are_as_documented(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    created, serving = events(cloud)
    assert serving.keys() >= SAMPLE
    assert serving["ProductionVariants"][0].keys() >= {"DesiredWeight", "DesiredInstanceCount"}
    assert isinstance(created["CreationTime"], int)
    (record, _) = [record for record in cloud.journal if record.name == NAME]
    assert record.detail["resources"] == [ARN]


def test_what_is_called_reaches_the_container_and_comes_back(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    body = bytes(range(256))  # no text
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="Fleet", Body=body, ContentType="application/x-npy",
        Accept="application/octet-stream", CustomAttributes="trace=7", TargetVariant="main",
    )  # fmt: skip
    assert answer["Body"].read() == body
    assert answer["ContentType"] == "application/octet-stream"
    assert answer["CustomAttributes"] == "trace=7"
    assert answer["InvokedProductionVariant"] == "main"
    over_http = boto3.client(
        "sagemaker-runtime", endpoint_url=cloud.endpoint, region_name="eu-west-1",
        aws_access_key_id="any", aws_secret_access_key="any",
    )  # fmt: skip
    given = over_http.invoke_endpoint(
        EndpointName="Fleet", Body=body, Accept="application/octet-stream"
    )
    assert given["Body"].read() == body


def test_an_error_of_the_container_is_a_model_error(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    for body, status, text in ((b"bad", 400, "cannot read this"), (b"broken", 500, "no luck")):
        with pytest.raises(cloud.client("sagemaker-runtime").exceptions.ModelError) as raised:
            invoke(cloud, body)
        told = raised.value.response
        assert (told["OriginalStatusCode"], told["OriginalMessage"]) == (status, text)
        assert told["LogStreamArn"].endswith("log-group:/aws/sagemaker/Endpoints/Fleet")
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 424
    with pytest.raises(ClientError, match=r"Received server error \(0\) from primary"):
        invoke(cloud, b"die")
    logged = cloud.client("logs").filter_log_events(logGroupName="/aws/sagemaker/Endpoints/Fleet")
    assert logged["events"][0]["logStreamName"].startswith("main/i-")


def test_a_call_has_its_time_and_its_size(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    cloud._reactions.endpoints.second_s = 1 / 120
    with pytest.raises(ClientError, match="Your invocation timed out"):
        invoke(cloud, b"slow")
    with pytest.raises(ClientError, match="length less than or equal to 6291456"):
        invoke(cloud, b"x" * 6_291_457)
    with pytest.raises(ClientError, match="no such variant"):
        invoke(cloud, TargetVariant="other")
    with pytest.raises(ClientError, match="TargetModel is not supported"):
        invoke(cloud, TargetModel="m")
    with pytest.raises(ClientError, match="takes no asynchronous calls"):
        cloud.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="Fleet", InputLocation=f"s3://{DATA}/in"
        )


def test_an_update_serves_the_new_model_and_ends_the_old_one(ready: Ready) -> None:
    cloud = ready("v1", "v2")
    create(cloud)
    cloud.client("sagemaker").update_endpoint(EndpointName="fleet", EndpointConfigName="v2")
    assert describe(cloud)["EndpointStatus"] == "Updating"
    assert invoke(cloud) == b"v1:1\n"
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        cloud.client("sagemaker").delete_endpoint(EndpointName="Fleet")
    cloud.run_until_idle()
    assert describe(cloud)["EndpointConfigName"] == "v2"
    assert invoke(cloud) == b"v2:1\n"
    before, after = processes(cloud)
    assert (runs(before), runs(after)) == (False, True)
    assert statuses(cloud) == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE"]


def test_a_new_model_that_fails_leaves_the_old_one(ready: Ready) -> None:
    cloud = ready("v1", "crash")
    create(cloud)
    cloud.client("sagemaker").update_endpoint(EndpointName="Fleet", EndpointConfigName="crash")
    cloud.run_until_idle()
    endpoint = describe(cloud)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "v1")
    assert "the model is broken, exit code: 1" in endpoint["FailureReason"]
    assert statuses(cloud)[2:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    assert invoke(cloud) == b"v1:1\n"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("crash", "ended before it passed the ping health check: the model is broken"),
        ("sick", "did not pass the ping health check: status 503"),
    ],
)
def test_an_endpoint_that_is_never_healthy_fails(ready: Ready, word: str, reason: str) -> None:
    cloud = ready(word)
    cloud._reactions.endpoints.second_s = 1 / 240
    endpoint = create(cloud, word)
    assert endpoint["EndpointStatus"] == "Failed"
    assert reason in endpoint["FailureReason"]
    assert statuses(cloud) == ["CREATING", "FAILED"]
    assert [each["FailureReason"] for each in events(cloud)[1:]] == [endpoint["FailureReason"]]
    with pytest.raises(ClientError, match="not found"):
        invoke(cloud)
    cloud.client("sagemaker").delete_endpoint(EndpointName="Fleet")
    cloud.run_until_idle()
    assert cloud.client("sagemaker").list_endpoints()["Endpoints"] == []


def test_a_container_ends_with_the_cloud(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    (process,) = processes(cloud)
    assert os.getpgid(process) != os.getpgid(0)
    cloud.close()
    assert not runs(process)


def test_model_data_is_read_in_the_models_role(ready: Ready) -> None:
    cloud = ready(resources=BUCKET + ROLE + NARROW)
    cloud.client("sagemaker").delete_model(ModelName="v1")
    cloud.client("sagemaker").create_model(
        ModelName="v1",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/signalbox-Narrow",
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{DATA}/models/v1/model.tar.gz"},
    )
    reason = create(cloud)["FailureReason"]
    assert f"model data at s3://{DATA}/models/v1/model.tar.gz cannot be fetched" in reason
    denied = {record.name for record in cloud.journal if record.status == "denied"}
    assert denied == {"s3:GetObject"}


NARROW = """
  Narrow:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: sagemaker.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: some
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: ["sagemaker:InvokeEndpoint", "sagemaker:CreateEndpoint"],
                 Resource: "arn:aws:sagemaker:*:*:endpoint/fleet"}
"""


def test_calls_and_creations_are_judged(ready: Ready) -> None:
    cloud = ready(resources=BUCKET + ROLE + NARROW)
    create(cloud)
    given = cloud.client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/signalbox-Narrow", RoleSessionName="test"
    )["Credentials"]
    session = session_with(
        "eu-west-1", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )
    runtime, sagemaker = session.client("sagemaker-runtime"), session.client("sagemaker")
    answer = runtime.invoke_endpoint(EndpointName="Fleet", Body=b"1")
    assert answer["Body"].read() == b"v1:1\n"
    with pytest.raises(
        ClientError, match=r"sagemaker:InvokeEndpoint on resource: .*endpoint/other"
    ):
        runtime.invoke_endpoint(EndpointName="other", Body=b"1")
    with pytest.raises(ClientError, match=r"CreateEndpoint on resource: .*:endpoint-config/v1"):
        sagemaker.create_endpoint(EndpointName="Fleet", EndpointConfigName="v1")
    with pytest.raises(ClientError, match=r"DeleteEndpoint on resource: .*:endpoint/fleet"):
        sagemaker.delete_endpoint(EndpointName="Fleet")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"InitialInstanceCount": 2}, "InitialInstanceCount 2"),
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "ServerlessConfig"),
        ({"ModelName": "nobody"}, "Could not find model"),
    ],
)
def test_what_is_not_played_is_refused(ready: Ready, changes: dict[str, Any], message: str) -> None:
    cloud = ready()
    with pytest.raises(ClientError, match=message):
        configure(cloud, "v2", **changes)


def test_names_are_taken_once_and_things_are_listed(ready: Ready) -> None:
    cloud = ready("v1", "v2")
    sagemaker = cloud.client("sagemaker")
    create(cloud)
    with pytest.raises(ClientError, match='already existing endpoint "arn'):
        sagemaker.create_endpoint(EndpointName="FLEET", EndpointConfigName="v1")
    with pytest.raises(ClientError, match='Could not find endpoint configuration "arn'):
        sagemaker.create_endpoint(EndpointName="two", EndpointConfigName="none")
    (listed,) = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert_shape("sagemaker", "EndpointSummary", listed)
    configs = sagemaker.list_endpoint_configs(SortBy="Name", SortOrder="Ascending")
    assert [each["EndpointConfigName"] for each in configs["EndpointConfigs"]] == ["v1", "v2"]
    answer = sagemaker.describe_endpoint_config(EndpointConfigName="v1")
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribeEndpointConfigOutput", answer)
    sagemaker.delete_endpoint_config(EndpointConfigName="v1")
    assert invoke(cloud) == b"v1:1\n"
    with pytest.raises(ClientError, match="DataCaptureConfig is not supported"):
        sagemaker.create_endpoint_config(
            EndpointConfigName="captured",
            ProductionVariants=answer["ProductionVariants"],
            DataCaptureConfig={
                "InitialSamplingPercentage": 1,
                "DestinationS3Uri": f"s3://{DATA}/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
        )


HOSTED = """
  Model:
    Type: AWS::SageMaker::Model
    Properties:
      ExecutionRoleArn: !GetAtt Role.Arn
      PrimaryContainer: {Image: IMAGE, Environment: {LEVEL: high}}
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      ProductionVariants:
        - {VariantName: main, ModelName: !GetAtt Model.ModelName, InstanceType: ml.m5.large,
           InitialInstanceCount: 1, InitialVariantWeight: 1}
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties:
      EndpointName: fleet
      EndpointConfigName: !GetAtt Config.EndpointConfigName
      Tags: [{Key: a, Value: b}]
""".replace("IMAGE", f'"{IMAGE}"')


def test_a_template_makes_them(deploy: Deploy, tmp_path: Path) -> None:
    cloud = deploy(ROLE + HOSTED, images={IMAGE: image(tmp_path)})
    assert cloud.physical_id("Model").endswith(":model/signalbox-Model")
    assert cloud.physical_id("Endpoint") == ARN
    cloud.run_until_idle()
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName="fleet", Body=b"1")
    assert answer["Body"].read() == b"none:1\n"
    assert "Role" in cloud.role_owners
    assert cloud.client("sagemaker").list_tags(ResourceArn=ARN)["Tags"][0]["Key"] == "a"


def test_a_template_makes_asynchronous_ones(deploy: Deploy, tmp_path: Path) -> None:
    config = """
      AsyncInferenceConfig:
        ClientConfig: {MaxConcurrentInvocationsPerInstance: 4}
        OutputConfig:
          S3OutputPath: !Sub s3://${Bucket}/out
          NotificationConfig: {SuccessTopic: !Ref Done}
      ProductionVariants:
"""
    hosted = HOSTED.replace("\n      ProductionVariants:\n", config)
    cloud = deploy(BUCKET + ROLE + TOPICS + hosted, images={IMAGE: image(tmp_path)})
    cloud.run_until_idle()
    answer = cloud.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="fleet", Body=b"1", Filename="mine.csv"
    )
    assert "FailureLocation" not in answer
    cloud.run_until_idle()
    assert stored(cloud, f"s3://{DATA}/out/mine.csv") == b"none:1\n"
    assert mail(cloud)[0]["responseParameters"]["outputLocation"] == answer["OutputLocation"]


def test_a_template_that_asks_for_more_is_refused(deploy: Deploy, tmp_path: Path) -> None:
    wrong = HOSTED.replace("InitialVariantWeight: 1", "RoutingConfig: {RoutingStrategy: RANDOM}")
    with pytest.raises(DeployError, match=r"Config.*RoutingConfig.*is not supported"):
        deploy(ROLE + wrong)


def test_a_role_that_sagemaker_cannot_take_is_refused(deploy: Deploy) -> None:
    role = ROLE.replace("sagemaker.amazonaws.com, ", "")
    with pytest.raises(DeployError, match=r"Model\.ExecutionRoleArn: AccessDenied"):
        deploy(role + HOSTED)


def test_in_real_time_an_endpoint_is_made_beside_everything_else(ready: Ready) -> None:
    cloud = ready("v1")
    cloud._reactions.endpoints.start_s = 0.0
    cloud.client("sagemaker").create_endpoint(EndpointName="Fleet", EndpointConfigName="v1")
    stop = threading.Event()

    def watch(record: Record) -> None:
        if record.kind == "job" and record.status == "InService":
            stop.set()

    cloud.serve(stop, watch)
    assert invoke(cloud) == b"v1:1\n"


def test_a_cloud_that_closes_waits_for_no_endpoint(ready: Ready) -> None:
    cloud = ready("sick")
    cloud._reactions.endpoints.start_s = 0.0
    cloud.client("sagemaker").create_endpoint(EndpointName="Fleet", EndpointConfigName="sick")
    stop = threading.Event()
    cloud.serve(stop, lambda record: stop.set() if record.name == "s3:GetObject" else None)
    (server,) = cloud._reactions.endpoints._servers
    cloud.close()
    assert not server._place.exists()
    assert "endpoint" not in {thread.name for thread in threading.enumerate()}


TOPICS = """
  Done: {Type: AWS::SNS::Topic}
  Wrong: {Type: AWS::SNS::Topic}
  Mail: {Type: AWS::SQS::Queue}
  Letters:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Mail]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage,
             Resource: !GetAtt Mail.Arn}
  DoneMail:
    Type: AWS::SNS::Subscription
    Properties: {Protocol: sqs, TopicArn: !Ref Done, Endpoint: !GetAtt Mail.Arn,
                 RawMessageDelivery: true}
  WrongMail:
    Type: AWS::SNS::Subscription
    Properties: {Protocol: sqs, TopicArn: !Ref Wrong, Endpoint: !GetAtt Mail.Arn,
                 RawMessageDelivery: true}
"""


@pytest.fixture
def later(ready: Ready) -> Cloud:
    """An endpoint for asynchronous calls only."""
    cloud = ready("v1", resources=BUCKET + ROLE + NARROW + TOPICS)
    asynchronous(cloud)
    create(cloud, "later")
    return cloud


def asynchronous(cloud: Cloud, model: str = "v1") -> None:
    topics = {"SuccessTopic": cloud.physical_id("Done"), "ErrorTopic": cloud.physical_id("Wrong")}
    output = {"S3OutputPath": f"s3://{DATA}/out/", "S3FailurePath": f"s3://{DATA}/failed",
              "NotificationConfig": topics}  # fmt: skip
    variant = {"VariantName": "main", "ModelName": model, "InstanceType": "ml.g5.xlarge",
               "InitialInstanceCount": 1}  # fmt: skip
    cloud.client("sagemaker").create_endpoint_config(
        EndpointConfigName="later",
        ProductionVariants=[variant],
        AsyncInferenceConfig={"OutputConfig": output},
    )


def mail(cloud: Cloud) -> list[dict[str, Any]]:
    arn = cloud.stack.attribute("Mail", "Arn")
    told = [json.loads(body) for body in cloud.messages(arn)]
    return [each for each in told if each["eventName"] != "TestNotification"]


def stored(cloud: Cloud, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bytes(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def test_an_asynchronous_call_is_answered_in_s3_and_told_by_sns(later: Cloud) -> None:
    assert describe(later)["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"]
    later.client("s3").put_object(Bucket=DATA, Key="in/a.csv", Body=b"1\n2\n")
    answer = later.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName="Fleet", InputLocation=f"s3://{DATA}/in/a.csv", ContentType="text/csv",
        Accept="text/csv", InferenceId="one", S3OutputPathExtension="fleet",
    )  # fmt: skip
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "one"
    assert answer["OutputLocation"] == f"s3://{DATA}/out/fleet/one.out"
    assert answer["FailureLocation"] == f"s3://{DATA}/failed/one-error.out"
    assert mail(later) == []
    later.run_until_idle()
    assert stored(later, answer["OutputLocation"]) == b"v1:1\nv1:2\n"
    (told,) = mail(later)
    assert told == {
        "awsRegion": "eu-west-1",
        "eventName": "InferenceResult",
        "eventSource": "aws:sagemaker",
        "eventTime": told["eventTime"],
        "eventVersion": "1.0",
        "inferenceId": "one",
        "invocationStatus": "Completed",
        "receivedTime": told["receivedTime"],
        "requestParameters": {
            "accept": "text/csv", "contentType": "text/csv", "endpointName": "Fleet",
            "inputLocation": f"s3://{DATA}/in/a.csv",
        },
        "responseParameters": {
            "contentType": "text/csv", "outputLocation": answer["OutputLocation"],
        },
    }  # fmt: skip
    assert told["eventTime"] > told["receivedTime"]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"Body": b"broken"}, r'Received server error \(500\) from model with message "no luck"'),
        ({"Body": b"slow", "InvocationTimeoutSeconds": 1}, "timed out"),
        ({"InputLocation": f"s3://{DATA}/in/none"}, "NoSuchKey"),
    ],
)
def test_an_asynchronous_call_that_fails_is_told_too(
    later: Cloud, call: dict[str, Any], reason: str
) -> None:
    answer = later.client("sagemaker-runtime").invoke_endpoint_async(EndpointName="Fleet", **call)
    later.run_until_idle()
    (told,) = mail(later)
    assert told["invocationStatus"] == "Failed"
    assert re.search(reason, told["failureReason"])
    assert stored(later, answer["FailureLocation"]).decode() == told["failureReason"]
    assert "responseParameters" not in told


def test_what_an_asynchronous_endpoint_does_not_take(later: Cloud) -> None:
    runtime = later.client("sagemaker-runtime")
    with pytest.raises(ClientError, match="takes asynchronous calls only"):
        invoke(later)
    with pytest.raises(ClientError, match="exactly one of InputLocation and Body"):
        runtime.invoke_endpoint_async(EndpointName="Fleet")
    with pytest.raises(ClientError, match="at most 128000 bytes"):
        runtime.invoke_endpoint_async(EndpointName="Fleet", Body=b"x" * 128_001)


def test_topics_are_tried_when_the_endpoint_is_made(ready: Ready) -> None:
    cloud = ready("v1", resources=BUCKET + ROLE + NARROW + TOPICS)
    cloud.client("sagemaker").create_model(
        ModelName="narrow",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/signalbox-Narrow",
        PrimaryContainer={"Image": IMAGE},
    )
    asynchronous(cloud, "narrow")
    endpoint = create(cloud, "later")
    assert endpoint["EndpointStatus"] == "Failed"
    assert "cannot be notified" in endpoint["FailureReason"]
    assert not any(runs(process) for process in processes(cloud))
