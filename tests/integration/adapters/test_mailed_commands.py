"""The command that a mail ends with is one that the command line takes: both on the same run, on moto."""

from __future__ import annotations

import io
import json
import re

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from rich.console import Console

from cli import runs
from signalbox.adapters.pipelines import PipelineProgram, SageMakerPipelines
from signalbox.contracts.operation_keys import violations_key
from tests.fakes import NOON
from tests.operated import operated, run_change
from tests.unit.signalbox.domain import test_notices, test_quality, test_retuning

RUN = test_quality.RUN
PARAMETERS = (
    "Workload", "Run", "Inputs", "Truth", "FindModel", "Program", "DataBucket", "Code", "CodeName",
    "Workloads", "ProgramsImage", "JobRole", "InstanceType", "Owner",
)  # fmt: skip
PROGRAM = PipelineProgram("i", "o", "r", "ml.m5.large", "data", "artifacts", "k.zip", "w.json", "f")


class Here:
    """The place of a command: moto's account."""

    name = "signalbox"

    def client(self, service):
        return boto3.client(service)

    def pipeline(self, name):
        return f"{self.name}-{name}"


@pytest.fixture
def execution(aws):
    """A batch run, started as start_pipelines does it, and one of before."""
    definition = {"Parameters": [{"Name": n, "Type": "String"} for n in PARAMETERS], "Steps": []}
    boto3.client("sagemaker").create_pipeline(
        PipelineName="signalbox-batch", ClientRequestToken="t" * 32,
        RoleArn="arn:aws:iam::123456789012:role/PipelineRole",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", **definition}),
    )  # fmt: skip
    pipelines = SageMakerPipelines({"batch": "signalbox-batch"}, PROGRAM)
    told = {"Inputs": "s3://x/y", "Truth": "none"}
    pipelines.start("batch", operated(), "1" * 32, told)
    started = pipelines.start("batch", operated(), RUN, told)
    pipelines.start("batch", operated(), "2" * 32, told)

    session, name = (
        boto3._get_default_session()._session,
        "before-call.sagemaker.ListPipelineExecutionSteps",
    )

    def answer(**_):  # moto does not know this call
        return AWSResponse("", 200, {}, None), {"PipelineExecutionSteps": []}

    session.register(name, answer, unique_id="steps")
    yield started
    session.unregister(name, answer, unique_id="steps")


def warning(_):
    world = test_quality.World()
    world.quality.report(world.write(test_quality.DRIFT, key=violations_key("hvac", RUN)), NOON)
    return world.topic.messages


def notice(execution):
    world = test_notices.World()
    world.tell(run_change(execution=execution.rpartition("/")[2]))
    return world.topic.messages


def retune(execution):
    world = test_retuning.World(limit=0)
    world.fails(execution.rpartition("/")[2])
    return world.topic.messages


@pytest.mark.parametrize("mails", [warning, notice, retune])
def test_the_command_in_a_mail_shows_its_run(execution, mails):
    (mail,) = mails(execution)
    (wanted,) = re.findall(r"^  signalbox runs (\S+)$", mail.body, re.MULTILINE)
    text = io.StringIO()
    runs.run(Console(file=text, width=200), Here(), wanted, as_json=True)
    assert json.loads(text.getvalue())["PipelineExecutionArn"] == execution
