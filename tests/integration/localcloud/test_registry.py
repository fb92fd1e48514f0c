"""SageMaker's model registry: versions of groups, their approval, and what it tells."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.clients import client_of, session_with
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.pipelines import IMAGE, PACKAGE, details
from tests.integration.localcloud.shapes import assert_shape

CONTAINERS = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://b/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
METRICS = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/e"}}}


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
                Action: ["sagemaker:*ModelPackage", "sagemaker:ListModelPackages"]
                Resource: arn:aws:sagemaker:eu-west-1:123456789012:model-package/Ages/*
"""


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    made = deploy(BUCKET + ROLE)
    made.client("sagemaker").create_model_package_group(ModelPackageGroupName="Ages")
    return made


def register(cloud: Cloud, **more: Any) -> str:
    answer = cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName="Ages", InferenceSpecification=CONTAINERS, **more
    )
    return str(answer["ModelPackageArn"])


def described(cloud: Cloud, arn: str) -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_model_package(ModelPackageName=arn)
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribeModelPackageOutput", answer)
    return dict(answer)


def test_a_package_tells_when_it_is_made_and_a_group_does_not(cloud: Cloud) -> None:
    assert details(cloud, PACKAGE) == []
    arn = register(cloud, ModelMetrics=METRICS, ModelApprovalStatus="PendingManualApproval",
                   CustomerMetadataProperties={"run": "1"})  # fmt: skip
    (told,) = details(cloud, PACKAGE)
    assert told == {
        "ModelPackageGroupName": "Ages",
        "ModelPackageVersion": 1,
        "ModelPackageArn": arn,
        "CreationTime": "2026-01-01T00:00:00Z",
        "LastModifiedTime": "2026-01-01T00:00:00Z",
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": CONTAINERS,
        "ModelMetrics": METRICS,
        "CustomerMetadataProperties": {"run": "1"},
    }
    (event,) = [each for each in cloud.journal if each.name == PACKAGE]
    assert event.detail["resources"] == [arn]
    assert event.detail["source"] == "aws.sagemaker"
    kept = described(cloud, arn)
    assert (kept["ModelPackageName"], kept["ModelPackageVersion"]) == ("Ages", 1)
    assert arn.endswith(":model-package/Ages/1")


def test_every_update_tells_what_it_changed_and_nothing_else_changes(cloud: Cloud) -> None:
    arn = register(cloud, CustomerMetadataProperties={"a": "1", "b": "2"})
    client = cloud.client("sagemaker")
    client.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    assert described(cloud, arn)["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert described(cloud, arn)["ModelApprovalStatus"] == "PendingManualApproval"
    stage = {"Stage": "Production", "StageStatus": "Approved"}
    client.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good",
        ModelLifeCycle=stage,
    )  # fmt: skip
    kept = described(cloud, arn)
    assert (kept["ModelApprovalStatus"], kept["ModelLifeCycle"]) == ("Approved", stage)
    assert kept["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    told = [each.get("UpdatedModelPackageFields") for each in details(cloud, PACKAGE)]
    assert told == [
        None,
        ["CustomerMetadataProperties"],
        ["ApprovalDescription", "ModelApprovalStatus", "ModelLifeCycle"],
    ]
    assert details(cloud, PACKAGE)[-1]["ModelApprovalStatus"] == "Approved"


def test_the_newest_approved_version_is_found(cloud: Cloud) -> None:
    arns = [
        register(cloud, ModelApprovalStatus=each) for each in ("Approved", "Approved", "Rejected")
    ]
    found = cloud.client("sagemaker").list_model_packages(
        ModelPackageGroupName="Ages", ModelApprovalStatus="Approved", SortBy="CreationTime",
        SortOrder="Descending",
    )["ModelPackageSummaryList"]  # fmt: skip
    assert [each["ModelPackageArn"] for each in found] == arns[1::-1]
    for each in found:
        assert_shape("sagemaker", "ModelPackageSummary", each)
    few = cloud.client("sagemaker").list_model_packages(ModelPackageGroupName="Ages", MaxResults=2)
    assert (len(few["ModelPackageSummaryList"]), few["NextToken"]) == (2, "2")


def test_a_version_number_is_not_given_twice(cloud: Cloud) -> None:
    client = cloud.client("sagemaker")
    first, second = register(cloud), register(cloud)
    client.delete_model_package(ModelPackageName=second)
    assert register(cloud).endswith("/3")
    with pytest.raises(ClientError, match="does not exist"):
        described(cloud, second)
    with pytest.raises(client.exceptions.ConflictException):
        client.delete_model_package_group(ModelPackageGroupName="Ages")
    for arn in (first, f"{first[:-1]}3"):
        client.delete_model_package(ModelPackageName=arn)
    client.delete_model_package_group(ModelPackageGroupName="Ages")
    with pytest.raises(ClientError, match="ModelPackageGroup Ages does not exist"):
        register(cloud)


def test_groups_are_made_once_and_listed(cloud: Cloud) -> None:
    client = cloud.client("sagemaker")
    with pytest.raises(ClientError, match="already exists"):
        client.create_model_package_group(ModelPackageGroupName="Ages")
    (listed,) = client.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert_shape("sagemaker", "ModelPackageGroupSummary", listed)
    found = client.describe_model_package_group(ModelPackageGroupName="Ages")
    found.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribeModelPackageGroupOutput", found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelApprovalStatus": "Perhaps"}, "enum value set"),
        ({"ModelPackageName": "too"}, "exactly one of"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "those of its group"),
        ({"SecurityConfig": {"KmsKeyId": "k"}}, "SecurityConfig is not supported"),
    ],
)
def test_what_cannot_be_registered_is_refused(
    cloud: Cloud, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        register(cloud, **changes)
    assert details(cloud, PACKAGE) == []


def test_a_role_needs_the_right_to_its_group_alone(deploy: Deploy) -> None:
    cloud = deploy(NARROW)
    client = cloud.client("sagemaker")
    for name in ("Ages", "Other"):
        client.create_model_package_group(ModelPackageGroupName=name)
    role = cloud.stack.attribute("Narrow", "Arn")
    given = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="door")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    door = client_of(session_with(cloud.region, *keys), "sagemaker")
    arn = door.create_model_package(ModelPackageGroupName="Ages")["ModelPackageArn"]
    door.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    found = door.list_model_packages(ModelPackageGroupName="Ages")["ModelPackageSummaryList"]
    assert [each["ModelPackageArn"] for each in found] == [arn]
    with pytest.raises(
        ClientError, match=r"perform: sagemaker:CreateModelPackage on resource: .*/Other/"
    ):
        door.create_model_package(ModelPackageGroupName="Other")
    with pytest.raises(ClientError, match="perform: sagemaker:ListModelPackages"):
        door.list_model_packages(ModelPackageGroupName="Other")
