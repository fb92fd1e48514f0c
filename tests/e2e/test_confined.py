"""A deployment whose pipelines have a network, a key and tags: from training data to predictions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.chain import LOCAL, Bucket
from cli.ship import ship
from localcloud import EXECUTORS, Cloud
from tests.conftest import BUILD
from tests.e2e.loops import Loop
from tests.e2e.test_loop import abalones
from tests.least import Permissions

NETWORK = {"PipelineSubnets": "subnet-0a1b,subnet-2c3d", "PipelineSecurityGroups": "sg-0f"}
VPC = {"SecurityGroupIds": ["sg-0f"], "Subnets": ["subnet-0a1b", "subnet-2c3d"]}
ACCOUNT = {
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*",
    "Resource": "*",
}  # fmt: skip


@pytest.fixture
def confined(build: Path, permissions: Permissions) -> Iterator[tuple[Loop, str]]:
    with Cloud(BUILD, executor=EXECUTORS["inprocess"]()) as cloud:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [ACCOUNT]})
        key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
        shipped = ship(cloud.client("s3"), cloud.packages, {**NETWORK, "PipelineKmsKey": key})
        cloud.deploy({"ArtifactBucket": cloud.packages, **LOCAL, **shipped})
        yield Loop(cloud, Bucket(cloud.client("s3"), cloud.physical_id("DataBucket"))), key
        # the stack's own keys are named at random, after one key more than elsewhere
        permissions.granted |= {
            each for each in cloud.granted if each.resource == key or each.action.startswith("ec2:")
        }
        permissions.used |= cloud.used
        assert [r.name for r in cloud.journal if r.status == "denied"] == []


def tags(loop: Loop, arn: str) -> dict[str, str]:
    found = loop.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    return {each["Key"]: each["Value"] for each in found}


@pytest.mark.timeout(600)
def test_jobs_of_pipelines_stay_in_their_network_and_write_with_their_key(confined):
    loop, key = confined
    rows = abalones(600, 1)
    loop.drop("training/abalone/first.csv", rows)
    loop.approve(1)
    loop.drop("inference/abalone/day1.csv", [row[:-1] for row in rows[:200]])
    assert loop.runs("batch")[-1]["DataQuality"] == "Succeeded"
    sagemaker = loop.sagemaker
    (training,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    told = sagemaker.describe_training_job(TrainingJobName=training["TrainingJobName"])
    assert told["VpcConfig"] == VPC
    assert told["ResourceConfig"]["VolumeKmsKeyId"] == told["OutputDataConfig"]["KmsKeyId"] == key
    ours = {"signalbox:workload": "abalone", "signalbox:owner": "abalone-owner@example.com"}
    assert ours.items() <= tags(loop, training["TrainingJobArn"]).items()
    for each in sagemaker.list_processing_jobs()["ProcessingJobSummaries"]:
        told = sagemaker.describe_processing_job(ProcessingJobName=each["ProcessingJobName"])
        assert told["NetworkConfig"]["VpcConfig"] == VPC
        assert ours.items() <= tags(loop, each["ProcessingJobArn"]).items()
    written = [
        name
        for prefix in ("packages/", "predictions/", "monitoring/")
        for name in loop.bucket.listing(prefix)
    ]
    assert len(written) > 3
    for name in written:
        found = loop.bucket.s3.head_object(Bucket=loop.bucket.name, Key=name)
        assert found["SSEKMSKeyId"] == key, name
    cards = sagemaker.list_model_cards()["ModelCardSummaries"]
    assert [each["ModelCardName"] for each in cards] == [f"{loop.group}-1"]
