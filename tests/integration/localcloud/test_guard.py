"""Requests are judged against the role and the resource, in this process and over HTTP."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import DeployError
from localcloud.clients import session_with
from localcloud.iam.evaluate import Principal
from localcloud.wiring import Call, Refused
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.doors import NOBODY, Door

HOUSE = (
    NOBODY
    + """
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "s3:GetObject*", Resource: !Sub "${Bucket.Arn}/in/*"}
              - {Effect: Allow, Action: s3:PutObject, Resource: !Sub "${Bucket.Arn}/out/*"}
              - Effect: Allow
                Action: s3:ListBucket
                Resource: !GetAtt Bucket.Arn
                Condition: {StringLike: {"s3:prefix": in/*}}
              - Effect: Allow
                Action: events:PutEvents
                Resource: !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
                Condition: {StringEquals: {"events:source": mine}}
              - {Effect: Allow, Action: "sqs:*Message", Resource: "arn:aws:sqs:*:*:signalbox-Sealed"}
              - {Effect: Deny, Action: dynamodb:DeleteItem, Resource: "*"}
              - {Effect: Allow, Action: "dynamodb:*", Resource: !GetAtt Table.Arn}
  Bucket: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Sid: Tls, Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${Bucket.Arn}/*",
             Condition: {Bool: {"aws:SecureTransport": "false"}}}
          - {Effect: Deny, Principal: {AWS: !GetAtt Role.Arn}, Action: s3:GetObject,
             Resource: !Sub "${Bucket.Arn}/in/secret"}
          - {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: s3:DeleteObject,
             Resource: !Sub "${Bucket.Arn}/in/old"}
  Queue: {Type: AWS::SQS::Queue}
  Sealed: {Type: AWS::SQS::Queue, Properties: {KmsMasterKeyId: !Ref Key}}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: "123456789012"}, Action: "kms:*", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: "kms:GenerateDataKey*",
             Resource: "*"}
  Topic: {Type: AWS::SNS::Topic}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
)


@pytest.fixture(params=["in process", "over HTTP"])
def door(deploy: Deploy, request: pytest.FixtureRequest) -> Door:
    cloud = deploy(HOUSE)
    return Door(cloud, cloud.endpoint if request.param == "over HTTP" else None)


def test_what_the_role_allows_is_served_and_written_down(door: Door) -> None:
    s3 = {"Bucket": door.bucket}
    assert door.call("s3", "get_object", **s3, Key="in/a")["Body"].read() == b"1"
    door.call("s3", "put_object", **s3, Key="out/a", Body=b"2")
    assert door.call("s3", "list_objects_v2", **s3, Prefix="in/")["KeyCount"] == 3
    door.call("s3", "delete_object", **s3, Key="in/old")  # by the bucket's policy alone
    entry = {"Source": "mine", "DetailType": "x", "Detail": "{}"}
    assert door.call("events", "put_events", Entries=[entry])["FailedEntryCount"] == 0
    table = door.cloud.physical_id("Table")
    door.call("dynamodb", "put_item", TableName=table, Item={"id": {"S": "1"}})
    assert door.call("sts", "get_caller_identity")["Arn"].endswith(
        "assumed-role/signalbox-Role/door"
    )
    assert door.calls()[:-1] == [
        ("s3:GetObject", "ok"), ("s3:PutObject", "ok"), ("s3:ListBucket", "ok"),
        ("s3:DeleteObject", "ok"), ("events:PutEvents", "ok"), ("dynamodb:PutItem", "ok"),
    ]  # fmt: skip
    first = next(record for record in door.cloud.journal if record.kind == "call")
    assert first.detail["resource"] == f"arn:aws:s3:::{door.bucket}/in/a"
    assert first.detail["role"] == "Role"
    assert first.detail["grants"] == [
        ["Role.Policies[0].Statement[0]", "s3:GetObject*", f"arn:aws:s3:::{door.bucket}/in/*"]
    ]


def test_a_refusal_names_principal_action_resource_and_the_nearest_statement(door: Door) -> None:
    code, status, message = door.denied("s3", "get_object", Bucket=door.bucket, Key="elsewhere/a")
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        "User: arn:aws:sts::123456789012:assumed-role/signalbox-Role/door is not authorized to "
        f"perform: s3:GetObject on resource: arn:aws:s3:::{door.bucket}/elsewhere/a because no "
        "statement of role signalbox-Role or of the resource allows it; nearest: "
        f"Role.Policies[0].Statement[0] allows s3:GetObject* on arn:aws:s3:::{door.bucket}/in/*"
    )
    assert door.calls() == [("s3:GetObject", "denied")]


DENIED = {
    "SNS": ("sns", "publish", {"TopicArn": "Topic", "Message": "x"}, "AuthorizationError", 403),
    "SQS": ("sqs", "send_message", {"QueueUrl": "Queue", "MessageBody": "x"}, "AccessDenied", 403),
    "DynamoDB": (
        "dynamodb", "delete_item", {"TableName": "Table", "Key": {"id": {"S": "1"}}},
        "AccessDeniedException", 400,
    ),
    "EventBridge": (
        "events", "put_events",
        {"Entries": [{"Source": "theirs", "DetailType": "x", "Detail": "{}"}]},
        "AccessDeniedException", 400,
    ),
    "Lambda": ("lambda", "invoke", {"FunctionName": "nobody"}, "AccessDeniedException", 403),
    "Glue": ("glue", "start_job_run", {"JobName": "job"}, "AccessDeniedException", 400),
    "KMS": ("kms", "decrypt", {"KeyId": "Key", "CiphertextBlob": b"x"}, "AccessDeniedException", 400),
    "SSM": ("ssm", "get_parameter", {"Name": "/a"}, "AccessDeniedException", 400),
    "Secrets Manager": (
        "secretsmanager", "get_secret_value", {"SecretId": "a"}, "AccessDeniedException", 400,
    ),
    "CloudWatch": (
        "cloudwatch", "put_metric_data",
        {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}, "AccessDenied", 403,
    ),
    "SageMaker": (
        "sagemaker", "describe_training_job", {"TrainingJobName": "a"}, "AccessDeniedException", 400,
    ),
    "STS": (
        "sts", "assume_role",
        {"RoleArn": "arn:aws:iam::123456789012:role/signalbox-Role", "RoleSessionName": "again"},
        "AccessDenied", 403,
    ),
    "a version of an object": (
        "s3", "delete_object", {"Bucket": "Bucket", "Key": "in/old", "VersionId": "1"},
        "AccessDenied", 403,
    ),
    "an explicit deny of the bucket": (
        "s3", "get_object", {"Bucket": "Bucket", "Key": "in/secret"}, "AccessDenied", 403,
    ),
    "a listing outside its prefix": (
        "s3", "list_objects_v2", {"Bucket": "Bucket", "Prefix": "out/"}, "AccessDenied", 403,
    ),
    "tags with a put": (
        "s3", "put_object", {"Bucket": "Bucket", "Key": "out/a", "Tagging": "a=b"},
        "AccessDenied", 403,
    ),
    "the source of a copy": (
        "s3", "copy_object",
        {"Bucket": "Bucket", "Key": "out/a", "CopySource": "signalbox-bucket/elsewhere/a"},
        "AccessDenied", 403,
    ),
    "something missing, without ListBucket": (
        "s3", "get_object", {"Bucket": "Bucket", "Key": "in/missing"}, "AccessDenied", 403,
    ),
    "a head, which has no words": (
        "s3", "head_object", {"Bucket": "Bucket", "Key": "elsewhere/a"}, "403", 403,
    ),
    "a key's use": ("sqs", "receive_message", {"QueueUrl": "Sealed"}, "AccessDenied", 403),
}  # fmt: skip


@pytest.mark.parametrize("case", DENIED, ids=str)
def test_denied_in_the_services_own_words(door: Door, case: str) -> None:
    service, operation, params, code, status = DENIED[case]
    names = ("Topic", "Queue", "Sealed", "Table", "Key", "Bucket")
    given = {
        key: door.cloud.physical_id(each) if each in names else each for key, each in params.items()
    }
    found = door.denied(service, operation, **given)
    assert found[:2] == (code, status)
    assert [status for _, status in door.calls()] == ["denied"]


def test_a_multipart_upload_needs_putobject(door: Door) -> None:
    place = {"Bucket": door.bucket, "Key": "out/big"}
    upload = door.call("s3", "create_multipart_upload", **place)["UploadId"]
    part = door.call("s3", "upload_part", **place, UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    door.call("s3", "complete_multipart_upload", **place, UploadId=upload, MultipartUpload=parts)
    assert door.calls() == [("s3:PutObject", "ok")] * 3
    code, *_ = door.denied("s3", "create_multipart_upload", Bucket=door.bucket, Key="in/big")
    assert code == "AccessDenied"


def test_the_source_of_a_copy_is_judged_by_its_true_key(door: Door) -> None:
    s3 = door.cloud.client("s3")
    s3.put_object(Bucket=door.bucket, Key="in/unit=7/a b", Body=b"1")
    source = {"Bucket": door.bucket, "Key": "in/unit=7/a b"}
    policy = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/in/unit=7/*"}
    place = {"Bucket": door.bucket, "Key": "out/copy", "CopySource": source}
    door.call("s3", "copy_object", **place)
    door.cloud.client("iam").put_role_policy(
        RoleName=door.cloud.physical_id("Role"), PolicyName="closed",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": policy}),
    )  # fmt: skip
    *_, message = door.denied("s3", "copy_object", **place)
    assert f"s3:GetObject on resource: arn:aws:s3:::{door.bucket}/in/unit=7/a b" in message


def test_a_role_of_this_account_that_does_not_exist_may_do_nothing(deploy: Deploy) -> None:
    cloud = deploy(HOUSE)
    bucket, judged = f"arn:aws:s3:::{cloud.physical_id('Bucket')}", cloud._world.guard.judge_role
    typo = "arn:aws:iam::123456789012:role/typo"
    assert not judged(typo, "s3:DeleteBucket", bucket).allowed
    given = cloud.client("sts").assume_role(RoleArn=typo, RoleSessionName="typo")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    with pytest.raises(ClientError, match="AccessDenied"):
        session_with("eu-west-1", *keys).client("s3").delete_bucket(
            Bucket=cloud.physical_id("Bucket")
        )


def test_the_administrator_and_other_keys_are_not_judged(deploy: Deploy) -> None:
    cloud = deploy(HOUSE)
    bucket = cloud.physical_id("Bucket")
    boto3.client("s3").put_object(Bucket=bucket, Key="elsewhere/b")
    cloud.client("s3").put_object(Bucket=bucket, Key="elsewhere/c")
    assert not [record for record in cloud.journal if record.kind == "call"]


def test_another_account_comes_in_by_the_resources_policy_only(deploy: Deploy) -> None:
    cloud = deploy(HOUSE)
    bucket, s3 = cloud.physical_id("Bucket"), cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"1")
    other = "arn:aws:iam::222222222222:role/guest"
    given = cloud.client("sts").assume_role(RoleArn=other, RoleSessionName="guest")["Credentials"]
    guest = boto3.client(
        "s3", aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"], aws_session_token=given["SessionToken"],
    )  # fmt: skip
    with pytest.raises(ClientError, match="AccessDenied"):
        guest.get_object(Bucket=bucket, Key="in/a")
    statement = {
        "Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/in/*",
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=bucket, Policy=document)
    assert guest.get_object(Bucket=bucket, Key="in/a")["Body"].read() == b"1"
    guest.create_bucket(
        Bucket="their-own", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    guest.put_object(Bucket="their-own", Key="a")


def test_an_operation_whose_permission_is_not_known_is_an_error(deploy: Deploy) -> None:
    door = Door(deploy(HOUSE), None)
    with pytest.raises(ClientError) as refused:
        door.call("glue", "get_databases")
    assert "glue:GetDatabases is not among the actions" in str(refused.value)


def test_a_role_handed_on_must_be_passable(deploy: Deploy) -> None:
    policy = """
      Policies:
        - PolicyName: own
          PolicyDocument: {Statement: [{Effect: Allow, Action: "glue:*", Resource: "*"}]}
"""
    door = Door(deploy(NOBODY + policy + "  Bucket: {Type: AWS::S3::Bucket}"), None)
    job = {
        "Name": "j",
        "Role": "other",
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b"},
    }
    code, _, message = door.denied("glue", "create_job", **job)
    assert code == "AccessDeniedException"
    assert "iam:PassRole on resource: arn:aws:iam::123456789012:role/other" in message


def test_any_error_of_aws_can_be_answered_in_the_one_place_all_requests_pass(
    deploy: Deploy,
) -> None:
    door = Door(deploy(HOUSE), None)

    def throttled(call: Call, principal: Principal) -> None:
        if call.operation() == "PutItem" and principal.name.endswith("signalbox-Role"):
            raise Refused("ThrottlingException", "Rate exceeded")

    door.cloud._world.guard.fault = throttled
    item = {"TableName": door.cloud.physical_id("Table"), "Item": {"id": {"S": "1"}}}
    found = door.denied("dynamodb", "put_item", **item)
    assert found == ("ThrottlingException", 400, "Rate exceeded")
    assert set(door.calls()) == {("dynamodb:PutItem", "failed")}
    assert not door.cloud.client("dynamodb").scan(TableName=item["TableName"])["Items"]


def test_a_sessions_own_policy_is_refused(deploy: Deploy) -> None:
    cloud = deploy(HOUSE)
    given = cloud.client("sts").assume_role(
        RoleArn=cloud.stack.attribute("Role", "Arn"), RoleSessionName="door", Policy="{}"
    )["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    with pytest.raises(ClientError, match="a session with a policy of its own is not played"):
        session_with("eu-west-1", *keys).client("sqs").list_queues()


ALARMS = """
  Topic: {Type: AWS::SNS::Topic, Properties: {KmsMasterKeyId: !Ref Key}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: cloudwatch.amazonaws.com}, Action: sns:Publish,
             Resource: !Ref Topic, Condition: {StringEquals: {"aws:SourceAccount": "123456789012"}}}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {AWS: "123456789012"}, Action: "kms:*", Resource: "*"}
          - {Effect: Allow, Principal: {Service: cloudwatch.amazonaws.com}, Resource: "*",
             Action: [%s, "kms:GenerateDataKey*"],
             Condition: {StringEquals: {"kms:ViaService": sns.eu-west-1.amazonaws.com}}}
"""


def test_a_service_needs_the_topic_and_its_key(deploy: Deploy) -> None:
    cloud = deploy(ALARMS % "kms:Decrypt")
    judge, topic = cloud._world.guard.judge_service, cloud.physical_id("Topic")
    own, other = {"aws:SourceAccount": "123456789012"}, {"aws:SourceAccount": "222222222222"}
    decision = judge("cloudwatch.amazonaws.com", "sns:Publish", topic, own)
    assert [each.where for each in decision.grants] == [
        "TopicPolicy.PolicyDocument.Statement[0]", *["Key.KeyPolicy.Statement[1]"] * 2,
    ]  # fmt: skip
    assert set(decision.grants) <= cloud.used
    assert not judge("cloudwatch.amazonaws.com", "sns:Publish", topic, other).allowed
    assert not judge("events.amazonaws.com", "sns:Publish", topic, own).allowed


def test_a_topic_whose_key_is_closed_to_the_service_takes_nothing(deploy: Deploy) -> None:
    cloud = deploy(ALARMS % "kms:Encrypt")
    decision = cloud._world.guard.judge_service(
        "cloudwatch.amazonaws.com", "sns:Publish", cloud.physical_id("Topic"),
        {"aws:SourceAccount": "123456789012"},
    )  # fmt: skip
    assert "it takes kms:Decrypt on its key" in decision.reason
    assert not cloud.used, "what was refused used nothing"


MAPPED = """
  Queue: {Type: AWS::SQS::Queue}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
"""


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            NOBODY + MAPPED + "      Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}",
            r"DoorQ\.EventSourceArn: AccessDenied: role signalbox-Role may not sqs:ReceiveMessage on "
            r"arn:aws:sqs:eu-west-1:123456789012:signalbox-Queue",
        ),
        (
            NOBODY + MAPPED + "      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Queue.Arn}",
            r"Door\.DeadLetterConfig\.TargetArn: AccessDenied: .* may not sqs:SendMessage",
        ),
        (
            NOBODY + MAPPED + "      EventInvokeConfig: {DestinationConfig: "
            "{OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}}",
            r"DestinationConfig\.OnFailure: AccessDenied: .* may not sqs:SendMessage",
        ),
        (
            NOBODY.replace("lambda.amazonaws.com", "glue.amazonaws.com") + MAPPED,
            r"Door\.Role: AccessDenied: .* does not allow sts:AssumeRole to lambda.amazonaws.com",
        ),
        (
            "  Job: {Type: AWS::Glue::Job, Properties: {Role: typo, GlueVersion: '3.0', "
            "Command: {Name: pythonshell, ScriptLocation: s3://a/b.py, PythonVersion: '3.9'}}}",
            r"Job\.Role: there is no role arn:aws:iam::123456789012:role/typo, so "
            r"glue\.amazonaws\.com cannot assume it",
        ),
        (
            NOBODY + """
      Policies:
        - PolicyName: p
          PolicyDocument: {Statement: {Effect: Allow, Action: "s3:*", Resource: "*",
            Condition: {StringSortOf: {"aws:SourceArn": a}}}}
""",
            r"Role\.Policies\[0\]\.PolicyDocument: .*unknown operator 'StringSortOf' "
            r"\(template line \d+\)",
        ),
    ],
    ids=["a mapping", "a dead-letter queue", "a destination", "trust",
         "a role that is not there", "an unknown operator"],
)  # fmt: skip
def test_what_aws_refuses_when_it_is_made_is_refused_at_deploy(
    deploy: Deploy, resources: str, message: str
) -> None:
    with pytest.raises(DeployError, match=message):
        deploy(resources, {"Door/app.py": "def handler(event, context): pass\n"})


CHAIN_POLICIES = """
  Policies:
    - PolicyName: polls
      PolicyDocument:
        Statement: [{Effect: Allow, Action: "sqs:*", Resource: "*"}]
    - PolicyName: logs
      PolicyDocument:
        Statement: [{Effect: Allow, Action: "logs:*", Resource: "*"}]
"""
FAILING = "def handler(event, context):\n    print('here')\n    raise ValueError('no')\n"


def test_what_a_role_loses_while_the_cloud_runs_is_missed_at_once(deploy: Deploy) -> None:
    events = """      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}
"""
    role = NOBODY + CHAIN_POLICIES.replace("\n  ", "\n      ")
    cloud = deploy(role + MAPPED + events, {"Door/app.py": FAILING})
    name = cloud.physical_id("Door")

    def invoked() -> list[tuple[str, str, str]]:
        before = len(cloud.journal)
        cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
        cloud.run_until_idle()
        kinds = ("call", "dead-letter")
        told = [r for r in list(cloud.journal)[before:] if r.kind in kinds]
        return [(r.name, r.status, r.detail.get("message", "")[:12]) for r in told]

    assert {status for _, status, _ in invoked()} == {"ok"}
    for policy in ("polls", "logs"):
        cloud.client("iam").delete_role_policy(
            RoleName=cloud.physical_id("Role"), PolicyName=policy
        )
    assert invoked() == [
        ("logs:PutLogEvents", "denied", "no statement"),
        ("signalbox-Queue", "lost", "An error occ"),
        ("sqs:SendMessage", "denied", "no statement"),
    ]
    streams = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")
    assert sum("here" in event["message"] for event in streams["events"]) == 1


def test_a_queue_that_may_no_longer_be_polled_keeps_its_messages(deploy: Deploy) -> None:
    mapped = "      Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}\n"
    role = NOBODY + CHAIN_POLICIES.replace("\n  ", "\n      ")
    app = "def handler(event, context):\n    pass\n"
    cloud = deploy(role + MAPPED + mapped, {"Door/app.py": app})
    sqs, url = cloud.client("sqs"), cloud.physical_id("Queue")
    sqs.send_message(QueueUrl=url, MessageBody="1")
    cloud.run_until_idle()
    role_name = cloud.physical_id("Role")
    cloud.client("iam").delete_role_policy(RoleName=role_name, PolicyName="polls")
    sqs.send_message(QueueUrl=url, MessageBody="2")
    cloud.run_until_idle()
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "2"
    polls = [(r.name, r.status) for r in cloud.journal if r.kind == "call" and "sqs" in r.name]
    assert polls == [
        ("sqs:ReceiveMessage", "ok"), ("sqs:DeleteMessage", "ok"), ("sqs:ReceiveMessage", "denied"),
    ]  # fmt: skip


def test_a_delivery_and_its_dead_letter_without_policies_fail_in_sight(deploy: Deploy) -> None:
    rule = """
  Queue: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [mine]}
      Targets: [{Id: Q, Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}]
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue, !Ref Dead]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage,
             Resource: "*", Condition: {ArnEquals: {"aws:SourceArn": !GetAtt Rule.Arn}}}
"""
    cloud = deploy(rule)
    for queue in ("Queue", "Dead"):
        cloud.client("sqs").set_queue_attributes(
            QueueUrl=cloud.physical_id(queue), Attributes={"Policy": ""}
        )
    entry = {"Source": "mine", "DetailType": "x", "Detail": "{}"}
    cloud.client("events").put_events(Entries=[entry])
    cloud.run_until_idle()
    told = [
        (r.kind, r.name, r.status) for r in cloud.journal if r.kind in ("delivery", "dead-letter")
    ]
    assert sorted(told) == [
        ("dead-letter", "signalbox-Dead", "lost"), ("delivery", "signalbox-Queue", "failed"),
    ]  # fmt: skip
    lost = next(r for r in cloud.journal if r.kind == "dead-letter")
    assert (
        "signalbox-Dead does not allow sqs:SendMessage to events.amazonaws.com"
        in (lost.detail["message"])
    )
