"""Limits AWS enforces: refused at deploy with their place, or by the API in its words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.deploy import engine
from localcloud.errors import DeployError
from localcloud.limits import LIMITS, Limit
from localcloud.seams import queues
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import Deploy

QUEUE = "  Queue: {Type: AWS::SQS::Queue}\n"
DOOR = {"Door/app.py": "def handler(event, context):\n    return None\n"}
MIB = 1024 * 1024


def function(properties: str = "") -> str:
    return f"""
{ROLE}
  Queue: {{Type: AWS::SQS::Queue}}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
{properties}
"""


def url(cloud: Cloud) -> dict[str, str]:
    return {"QueueUrl": cloud.physical_id("Queue")}


def test_no_limit_is_listed_twice_or_without_a_page() -> None:
    assert len({each.what + each.unit for each in LIMITS}) == len(LIMITS)
    assert all("*" in each.page for each in LIMITS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DelaySeconds", 901), ("MaximumMessageSize", 1023), ("MaximumMessageSize", MIB + 1),
        ("MessageRetentionPeriod", 59), ("MessageRetentionPeriod", 1_209_601),
        ("ReceiveMessageWaitTimeSeconds", 21), ("VisibilityTimeout", 43_201),
        ("KmsDataKeyReusePeriodSeconds", 59),
    ],
)  # fmt: skip
def test_attributes_of_a_queue(deploy: Deploy, name: str, value: int) -> None:
    with pytest.raises(DeployError, match=rf"Queue\.{name}: must be from") as raised:
        deploy(f"  Queue: {{Type: AWS::SQS::Queue, Properties: {{{name}: {value}}}}}")
    assert raised.value.line is not None


def test_attributes_of_a_queue_through_the_api(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)
    sqs = cloud.client("sqs")
    with pytest.raises(ClientError, match="VisibilityTimeout"):
        sqs.set_queue_attributes(**url(cloud), Attributes={"VisibilityTimeout": "43201"})
    with pytest.raises(ClientError, match="DelaySeconds"):
        sqs.create_queue(QueueName="other", Attributes={"DelaySeconds": "901"})


def test_setting_one_attribute_leaves_the_policy_alone(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)
    sqs = cloud.client("sqs")
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}'
    sqs.set_queue_attributes(**url(cloud), Attributes={"Policy": policy})
    sqs.set_queue_attributes(**url(cloud), Attributes={"DelaySeconds": "5"})
    got = sqs.get_queue_attributes(**url(cloud), AttributeNames=["All"])["Attributes"]
    assert "Allow" in got["Policy"]
    assert got["DelaySeconds"] == "5"


def test_the_receive_count_of_a_redrive_policy(deploy: Deploy) -> None:
    redrive = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1001}"
    with pytest.raises(DeployError, match=r"Queue\.RedrivePolicy\.maxReceiveCount"):
        deploy(
            f"  Queue: {{Type: AWS::SQS::Queue, Properties: {{{redrive}}}}}\n"
            "  Dead: {Type: AWS::SQS::Queue}"
        )


def test_a_message_is_counted_in_bytes_with_its_attributes(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)
    sqs = cloud.client("sqs")
    assert sqs.send_message(**url(cloud), MessageBody="a" * MIB)
    attribute = {"k": {"DataType": "String", "StringValue": "v"}}
    for message in (
        {"MessageBody": "a" * (MIB + 1)},
        {"MessageBody": "ü" * (MIB // 2 + 1)},
        {"MessageBody": "a" * MIB, "MessageAttributes": attribute},
    ):
        with pytest.raises(ClientError, match="must be shorter than 1048576 bytes"):
            sqs.send_message(**url(cloud), **message)
    many = {f"a{n}": attribute["k"] for n in range(11)}
    with pytest.raises(ClientError, match=r"attributes \[11\] exceeds the allowed maximum \[10\]"):
        sqs.send_message(**url(cloud), MessageBody="a", MessageAttributes=many)


def test_a_batch_of_messages(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)

    def batch(*bodies: str) -> dict[str, Any]:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        answer: dict[str, Any] = cloud.client("sqs").send_message_batch(
            **url(cloud), Entries=entries
        )
        return answer

    assert len(batch("a" * (MIB // 2), "b" * (MIB // 2))["Successful"]) == 2
    with pytest.raises(ClientError, match="BatchRequestTooLong"):
        batch("ü" * (MIB // 4), "b" * (MIB // 2 + 1))
    with pytest.raises(ClientError, match="TooManyEntriesInBatchRequest"):
        batch(*"abcdefghijk")


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("send_message", {"MessageBody": "a", "DelaySeconds": 901}),
        ("receive_message", {"VisibilityTimeout": 43_201}),
        ("receive_message", {"WaitTimeSeconds": 21}),
        ("receive_message", {"MaxNumberOfMessages": 11}),
    ],
)
def test_what_moto_bounds_itself(deploy: Deploy, call: str, arguments: dict[str, Any]) -> None:
    cloud = deploy(QUEUE)
    with pytest.raises(ClientError, match="nvalid"):
        getattr(cloud.client("sqs"), call)(**url(cloud), **arguments)


def test_a_message_stays_hidden_twelve_hours_at_most(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)
    sqs = cloud.client("sqs")
    sqs.send_message(**url(cloud), MessageBody="a")
    handle = sqs.receive_message(**url(cloud))["Messages"][0]["ReceiptHandle"]
    with pytest.raises(ClientError, match=r"beyond the limit|maximum visibility timeout"):
        sqs.change_message_visibility(**url(cloud), ReceiptHandle=handle, VisibilityTimeout=43_201)


def test_messages_in_flight(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Limit("in flight", 2, "messages", "API", "*page*")
    monkeypatch.setattr(queues, "IN_FLIGHT", few)
    cloud = deploy(QUEUE)
    sqs = cloud.client("sqs")
    for body in "abc":
        sqs.send_message(**url(cloud), MessageBody=body)
    sqs.receive_message(**url(cloud), MaxNumberOfMessages=2)
    with pytest.raises(ClientError, match="OverLimit"):
        sqs.receive_message(**url(cloud))


@pytest.mark.parametrize(
    ("properties", "prop", "message"),
    [
        ("      Timeout: 901", "Timeout", "must be from 1 to 900"),
        ("      MemorySize: 127", "MemorySize", "must be from 128 to 10240"),
        ("      EphemeralStorage: {Size: 511}", "EphemeralStorage.Size", "from 512 to 10240"),
        ("      FunctionName: 'a b'", "FunctionName", "letters, digits, hyphens"),
        (f"      FunctionName: {'a' * 65}", "FunctionName", "must be up to 64"),
        (
            f"      Environment: {{Variables: {{K: {'ü' * 2048}}}}}",
            "Environment",
            "has 4097 bytes, 4096 are allowed",
        ),
    ],
)
def test_a_function(deploy: Deploy, properties: str, prop: str, message: str) -> None:
    with pytest.raises(DeployError, match=message) as raised:
        deploy(function(properties), DOOR)
    assert (raised.value.logical_id, raised.value.prop) == ("Door", prop)
    assert raised.value.line is not None


def test_code_and_layers_unzipped(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Limit("unzipped", 100, "bytes", "deploy", "*page*")
    monkeypatch.setattr("localcloud.limits.UNZIPPED", few)
    layer = """
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: Layer, CompatibleRuntimes: [python3.11]}
"""
    files = {**DOOR, "Layer/python/words.py": "#" * 80}
    with pytest.raises(DeployError, match=r"Door.*unpack to 125 bytes, 100 are allowed"):
        deploy(function("      Layers: [!Ref Layer]") + layer, files)


def mapping(properties: str) -> str:
    return f"""
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Queue.Arn
      FunctionName: !Ref Door
      {properties}
"""


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("BatchSize: 0", "must be from 1 to 10000"),
        ("BatchSize: 10001", "must be from 1 to 10000"),
        ("BatchSize: 11", "needs a MaximumBatchingWindowInSeconds of at least 1"),
        ("MaximumBatchingWindowInSeconds: 301", "must be from 0 to 300"),
        ("ScalingConfig: {MaximumConcurrency: 1}", "must be from 2 to 1000"),
        ("ScalingConfig: {MaximumConcurrency: 1001}", "must be from 2 to 1000"),
        ("FunctionResponseTypes: [ReportFailures]", "there is no 'ReportFailures'"),
        (
            "FilterCriteria: {Filters: ["
            + ", ".join('{Pattern: \'{"body": ["a"]}\'}' for _ in range(6))
            + "]}",
            "has at most 5 filters",
        ),
    ],
)
def test_a_mapping(deploy: Deploy, properties: str, message: str) -> None:
    with pytest.raises(DeployError, match=message) as raised:
        deploy(function("      Timeout: 30") + mapping(properties), DOOR)
    assert raised.value.logical_id == "Mapping"


def test_a_template(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match="1,048,576 are allowed"):
        deploy(QUEUE + "#" * MIB)


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        ("RESOURCES", "", "the stack has 1 entries"),
        ("PARAMETERS", "Parameters: {One: {Type: String}}", "Parameters has 1 entries"),
        ("OUTPUTS", "Outputs: {One: {Value: a}}", "Outputs has 1 entries"),
    ],
)
def test_entries_of_a_template(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, name: str, head: str, message: str
) -> None:
    none = Limit(name, 0, "", "deploy", "*page*")
    monkeypatch.setattr(engine.limits, name, none)
    with pytest.raises(DeployError, match=message):
        deploy(QUEUE, head=head, parameters={"One": "a"} if "Parameters" in head else None)


def test_an_item_of_a_table(deploy: Deploy) -> None:
    cloud = deploy("""
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
""")
    item = {"id": {"S": "a"}, "body": {"S": "b" * (400 * 1024)}}
    with pytest.raises(ClientError, match="exceeded the maximum allowed size"):
        cloud.client("dynamodb").put_item(TableName=cloud.physical_id("Table"), Item=item)


def test_a_secret(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)
    secrets = cloud.client("secretsmanager")
    assert secrets.create_secret(Name="fits", SecretString="a" * 65_536)
    assert secrets.create_secret(Name="binary", SecretBinary=b"a" * 65_536)
    with pytest.raises(ClientError, match="less than or equal to 65536"):
        secrets.create_secret(Name="large", SecretString="ü" * 32_769)
    with pytest.raises(ClientError, match="less than or equal to 65536"):
        secrets.put_secret_value(SecretId="fits", SecretBinary=b"a" * 65_537)


def test_a_parameter(deploy: Deploy) -> None:
    cloud = deploy(QUEUE)

    def put(size: int, **tier: str) -> Any:
        value = "a" * size
        return cloud.client("ssm").put_parameter(
            Name="p", Value=value, Type="String", Overwrite=True, **tier
        )

    assert put(4096)
    assert put(8192, Tier="Advanced")
    with pytest.raises(ClientError, match="maximum parameter value of 4096"):
        put(4097)
    with pytest.raises(ClientError, match="maximum parameter value of 8192"):
        put(8193, Tier="Advanced")
