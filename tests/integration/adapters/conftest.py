"""AWS for adapters: moto in this process, one bucket, and the tables as the template shapes them."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
import yaml
from moto import mock_aws

from tests.fakes import BUCKET

ROOT = Path(__file__).resolve().parents[3]


class _CloudFormation(yaml.SafeLoader):
    """Reads the template; what an intrinsic would resolve to does not matter here."""


_CloudFormation.add_multi_constructor("!", lambda loader, suffix, node: suffix)


@pytest.fixture(scope="session")
def template():
    return yaml.load((ROOT / "template.yaml").read_text(), Loader=_CloudFormation)


@pytest.fixture
def aws(template):
    with mock_aws(config={"core": {"mock_credentials": False, "reset_boto3_session": False}}):
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for name in (
            "BackfillTable", "EpisodeTable", "FleetTable", "IdempotencyTable", "OperationsTable",
            "ScoringTable",
        ):  # fmt: skip
            shape = template["Resources"][name]["Properties"]
            boto3.client("dynamodb").create_table(
                TableName=name,
                **{key: shape[key] for key in ("BillingMode", "AttributeDefinitions", "KeySchema")},
            )
        yield


@pytest.fixture
def s3(aws):
    return boto3.client("s3")
