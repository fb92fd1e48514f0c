"""Two accounts in one cloud: each has its own state, its own bus, and its own administrator."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from tests.integration.localcloud.conftest import Deploy

HOME, OTHER = "123456789012", "222222222222"
QUEUE = "  Queue: {Type: AWS::SQS::Queue}"
RULE = {"source": ["aws.s3", "house"]}


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(QUEUE)


def queue(cloud: Cloud, account: str, name: str) -> str:
    """A queue of an account that its rule of the same name may reach."""
    arn = f"arn:aws:sqs:eu-west-1:{account}:{name}"
    rule = f"arn:aws:events:eu-west-1:{account}:rule/{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    attributes = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    sqs, events = cloud.client("sqs", account), cloud.client("events", account)
    url = str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
    events.put_rule(Name=name, EventPattern=json.dumps(RULE))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    return url


def received(cloud: Cloud, account: str, url: str) -> list[dict[str, Any]]:
    answer = cloud.client("sqs", account).receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


def test_an_account_sees_its_own_queues_only(cloud: Cloud) -> None:
    cloud.client("sqs", OTHER).create_queue(QueueName="theirs")
    ours = cloud.client("sqs").list_queues()["QueueUrls"]
    theirs = cloud.client("sqs", OTHER).list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in ours] == ["signalbox-Queue"]
    assert [url.rsplit("/", 2)[1:] for url in theirs] == [[OTHER, "theirs"]]
    with pytest.raises(ClientError, match=r"NonExistentQueue|does not exist"):
        cloud.client("sqs", OTHER).get_queue_url(QueueName="signalbox-Queue")


def test_its_administrator_is_an_assumed_role(cloud: Cloud) -> None:
    identity = cloud.client("sts", OTHER).get_caller_identity()
    assert identity["Account"] == OTHER
    assert identity["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/Administrator/local-cloud"
    assert cloud.client("sts", HOME) is cloud.client("sts")
    assert cloud.client("sts").get_caller_identity()["Account"] == HOME


def test_any_client_can_assume_a_role_of_it_over_http(cloud: Cloud) -> None:
    ours = {
        "region_name": "eu-west-1",
        "endpoint_url": cloud.endpoint,
        "aws_access_key_id": "AKIALOCALCLOUDADMIN0",
        "aws_secret_access_key": "x",
    }
    role = f"arn:aws:iam::{OTHER}:role/Reader"
    sts = boto3.client("sts", **ours)
    given = sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    theirs = ours | {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    identity = boto3.client("sts", **theirs).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/Reader/me"
    assert "QueueUrls" not in boto3.client("sqs", **theirs).list_queues()


def test_events_stay_with_the_bus_of_their_account(cloud: Cloud) -> None:
    ours, theirs = queue(cloud, HOME, "ours"), queue(cloud, OTHER, "theirs")
    entry = {"Source": "house", "DetailType": "Said", "Detail": "{}"}
    answer = cloud.client("events", OTHER).put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    cloud.run_until_idle()
    assert received(cloud, HOME, ours) == []
    (event,) = received(cloud, OTHER, theirs)
    assert (event["account"], event["detail-type"]) == (OTHER, "Said")
    (record,) = (each for each in cloud.journal if each.name == "Said")
    assert record.detail["account"] == OTHER


def test_a_bucket_tells_the_account_that_owns_it(cloud: Cloud) -> None:
    ours, theirs = queue(cloud, HOME, "ours"), queue(cloud, OTHER, "theirs")
    s3 = cloud.client("s3", OTHER)
    s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_notification_configuration(
        Bucket="theirs", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="theirs", Key="a", Body=b"x")
    s3.delete_object(Bucket="theirs", Key="a")
    cloud.run_until_idle()
    assert received(cloud, HOME, ours) == []
    events = received(cloud, OTHER, theirs)
    assert sorted(each["detail-type"] for each in events) == ["Object Created", "Object Deleted"]
    assert {each["account"] for each in events} == {OTHER}


def test_a_job_of_another_account_runs_and_tells_there(cloud: Cloud) -> None:
    theirs = queue(cloud, OTHER, "theirs")
    events = cloud.client("events", OTHER)
    events.put_rule(Name="theirs", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    sagemaker = cloud.client("sagemaker", OTHER)
    sagemaker.create_processing_job(
        ProcessingJobName="job",
        RoleArn=f"arn:aws:iam::{OTHER}:role/Worker",
        ProcessingResources={"ClusterConfig": cluster},
        AppSpecification={"ImageUri": "any", "ContainerEntrypoint": ["/bin/echo", "hello"]},
    )
    cloud.run_until_idle()
    told = received(cloud, OTHER, theirs)
    states = [each["detail"]["ProcessingJobStatus"] for each in told]
    assert sorted(states) == ["Completed", "InProgress"]
    assert {each["account"] for each in told} == {OTHER}
    assert cloud.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"] == []
    groups = cloud.client("logs", OTHER).describe_log_groups()["logGroups"]
    assert [each["logGroupName"] for each in groups] == ["/aws/sagemaker/ProcessingJobs"]
