"""Definitions of pipelines as they are shipped: with a network and a key where a deployment has them."""

import json

import pytest

from cli.definitions import Confines, definition, jobs
from cli.ship import PIPELINES
from cli.whereabouts import BadUse
from localcloud.engines.pipelines.definition import parsed
from tests.conftest import ROOT

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1f0c"
TOLD = {
    "PipelineSubnets": "subnet-0a1b, subnet-2c3d",
    "PipelineSecurityGroups": "sg-0f",
    "PipelineKmsKey": KEY,
}
VPC = {"SecurityGroupIds": ["sg-0f"], "Subnets": ["subnet-0a1b", "subnet-2c3d"]}


@pytest.mark.parametrize("name", PIPELINES)
def test_what_nothing_confines_is_shipped_as_it_lies_there(name):
    assert definition(name, Confines.of({})) == (ROOT / f"pipelines/{name}.json").read_bytes()


@pytest.mark.parametrize("name", PIPELINES)
def test_every_job_is_confined_in_words_that_sagemaker_takes(name):
    confined = definition(name, Confines.of(TOLD)).decode()
    parsed(confined)  # against botocore's model
    found = list(jobs(json.loads(confined)["Steps"]))
    assert found
    for step in found:
        arguments = step["Arguments"]
        job = arguments.get("TrainingJobDefinition", arguments)
        network = (
            job["NetworkConfig"]["VpcConfig"] if step["Type"] == "Processing" else job["VpcConfig"]
        )
        assert network == VPC
        assert json.dumps(arguments).count(KEY) == 2, "what is written, and the disk"


@pytest.mark.parametrize("name", PIPELINES)
def test_every_job_is_tagged(name):
    for step in jobs(json.loads(definition(name, Confines()))["Steps"]):
        assert [each["Key"] for each in step["Arguments"]["Tags"]] == [
            "signalbox:workload", "signalbox:owner",
        ]  # fmt: skip


def test_a_key_alone_leaves_the_network_alone():
    confines = Confines.of({"PipelineKmsKey": KEY})
    assert b"VpcConfig" not in definition("train", confines)
    assert confines.parameters() == {"PipelineKmsKey": KEY}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"PipelineSubnets": "subnet-0a"}, "belong together"),
        ({"PipelineSecurityGroups": "sg-0a"}, "belong together"),
        ({"PipelineSubnets": "vpc-1", "PipelineSecurityGroups": "sg-1"}, "begin with 'subnet-'"),
        (
            {"PipelineSubnets": "subnet-1", "PipelineSecurityGroups": ",".join(["sg-1"] * 6)},
            "at most 5 ids",
        ),
        ({"PipelineKmsKey": "alias/mine"}, "must be the ARN of a key"),
    ],
)
def test_what_confines_nothing_is_refused(told, words):
    with pytest.raises(BadUse, match=words):
        Confines.of(told)
