"""The stack of an AWS account goes, what it retains stays, and is found again when the stack is gone."""

import io
import json

import boto3
import pytest
from moto import mock_aws
from rich.console import Console

from cli.place import Place
from cli.stacks import RETAINED, AwsStack
from cli.teardown import LEFT, paused_by, planned, run, where
from cli.whereabouts import BadUse
from tests.integration.adapters.conftest import template

__all__ = ["template"]

TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
TEMPLATE = {
    "Resources": {
        "DataBucket": {
            "Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
            "Properties": {"BucketName": "signalbox-databucket"},
        },
        "FleetTable": {
            "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain",
            "Properties": {"TableName": "signalbox-FleetTable", **TABLE},
        },
        "ModelsTopic": {"Type": "AWS::SNS::Topic"},
    }
}  # fmt: skip


class Account(Place):
    """An account in this process."""

    def client(self, service):
        return boto3.client(service)


@pytest.fixture
def place():
    with mock_aws(config={"core": {"mock_credentials": False, "reset_boto3_session": False}}):
        boto3.client("cloudformation").create_stack(
            StackName="signalbox", TemplateBody=json.dumps(TEMPLATE)
        )
        s3 = boto3.client("s3")
        for body in (b"1", b"2"):
            s3.put_object(Bucket="signalbox-databucket", Key="raw/a", Body=body)
        yield Account("models", "eu-west-1")


def tear_down(place, *, data):
    stream = io.StringIO()
    plan = paused_by(planned(place, data=data), lambda: None)
    console = Console(file=stream, width=200)
    code = run(console, plan, where(place), yes=True, agreed=lambda: False)
    return code, stream.getvalue()


def tables():
    return boto3.client("dynamodb").list_tables()["TableNames"]


def test_what_the_template_retains_is_known(template):
    found = {
        name: body["Type"]
        for name, body in template["Resources"].items()
        if body.get("DeletionPolicy") == "Retain"
    }
    assert found == RETAINED


def test_the_stack_goes_and_data_stays_until_it_is_asked_for(place):
    code, said = tear_down(place, data=False)
    assert (code, "removed: 1 × stack" in said) == (0, True)
    assert where(place) == "AWS account 123456789012, eu-west-1, stack signalbox"
    assert "stays: signalbox-databucket, your data" in said
    assert "stays: consumer stacks" in said
    assert tables() == ["signalbox-FleetTable"]
    assert boto3.client("sns").list_topics()["Topics"] == []
    stack = AwsStack(place)
    assert stack.names() == []
    assert stack.kept() == ["signalbox-databucket", "signalbox-FleetTable"], "by the deleted stack"
    code, said = tear_down(place, data=True)
    assert (code, "removed: 2 × kept bucket or table" in said) == (0, True)
    assert boto3.client("s3").list_buckets()["Buckets"] == tables() == stack.kept() == []
    assert "Nothing is left to remove" in tear_down(place, data=True)[1]


def test_all_at_once(place):
    code, said = tear_down(place, data=True)
    assert (code, boto3.client("s3").list_buckets()["Buckets"], tables()) == (0, [], []), said


def test_where_nothing_was_deployed_there_is_nothing(place):
    other = Account("models", "eu-west-1", "another")
    assert AwsStack(other).kept() == AwsStack(other).buckets() == []
    assert tear_down(other, data=True)[0] == 0
    assert AwsStack(place).names() == ["signalbox"]


class Stuck(AwsStack):
    """A stack that fails to go."""

    def _status(self):
        return "DELETE_FAILED"


def test_a_stack_that_fails_to_go_is_not_waited_for(place):
    stack = Stuck(place)
    stack.delete()
    with pytest.raises(BadUse, match="describe-stack-events --stack-name signalbox"):
        stack.delete()


def test_a_thing_that_does_not_go_is_named(place):
    plan = paused_by(planned(place, data=False), lambda: None)
    stuck = type(plan)(
        (type(plan.phases[0])("endpoint", lambda: ["signalbox-hvac"], lambda name: None),),
        plan.kept, plan.pause,
    )  # fmt: skip
    stream = io.StringIO()
    assert run(Console(file=stream, width=200), stuck, "x", yes=True, agreed=bool) == LEFT
    assert "not removed: endpoint signalbox-hvac, which is still ending" in stream.getvalue()
