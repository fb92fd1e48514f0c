"""Runs of pipelines: the adapter on moto, its requests and refusals against botocore's model."""

import json

import boto3
import pytest
from botocore.stub import Stubber

from signalbox.adapters.executions import PipelineExecutions
from signalbox.domain.retune_guard import token_of
from signalbox.errors import Misconfigured, NotDeployed, Transient
from tests.operated import ARN

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Run"}, {"Name": "Workload"}],
    "Steps": [],
}
TOKEN = token_of("hvac", "0" * 32, "p4jn9xou8a8s")
EXECUTION = f"{ARN}signalbox-batch/execution/p4jn9xou8a8s"
JOB = "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/j"


@pytest.fixture
def sagemaker(aws):
    client = boto3.client("sagemaker")
    client.create_pipeline(
        PipelineName="signalbox-tune", PipelineDefinition=json.dumps(DEFINITION),
        ClientRequestToken="t" * 32, RoleArn="arn:aws:iam::123456789012:role/Pipeline",
    )  # fmt: skip
    return client


@pytest.fixture
def stub(aws):
    client = boto3.client("sagemaker")
    with Stubber(client) as stubbed:
        yield PipelineExecutions(client), stubbed


def test_a_run_is_started_with_what_it_is_told_and_tells_it_again(sagemaker):
    runs = PipelineExecutions()
    told = {"Workload": "hvac", "Run": "0" * 32}
    execution = runs.start("signalbox-tune", told, TOKEN, "retune-" + "0" * 32)
    assert runs.parameters(execution) == told
    shown = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert shown["PipelineExecutionDisplayName"] == "retune-" + "0" * 32


def test_a_pipeline_that_is_not_there_is_told_apart(stub):
    runs, stubbed = stub
    stubbed.add_client_error("start_pipeline_execution", "ResourceNotFound")
    with pytest.raises(NotDeployed, match="pipeline gone does not exist"):
        runs.start("gone", {}, TOKEN, "d")


def test_a_definition_names_its_parameters(sagemaker):
    assert PipelineExecutions().asks_for("signalbox-tune") == {"Run", "Workload"}


def test_a_token_goes_out_as_it_is(stub):
    runs, stubbed = stub
    asked = {
        "PipelineName": "p", "PipelineExecutionDisplayName": "d", "ClientRequestToken": TOKEN,
        "PipelineParameters": [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}],
    }  # fmt: skip
    stubbed.add_response("start_pipeline_execution", {"PipelineExecutionArn": EXECUTION}, asked)
    assert runs.start("p", {"B": "2", "A": "1"}, TOKEN, "d") == EXECUTION


def test_failed_steps_say_why_page_by_page(stub):
    runs, stubbed = stub
    asked = {"PipelineExecutionArn": EXECUTION, "SortOrder": "Ascending", "MaxResults": 100}
    steps = [
        {"StepName": "Preprocess", "StepStatus": "Succeeded"},
        {"StepName": "Train", "StepStatus": "Failed", "FailureReason": "no memory"},
    ]
    stubbed.add_response(
        "list_pipeline_execution_steps", {"PipelineExecutionSteps": steps, "NextToken": "n"}, asked
    )
    more = [{"StepName": "Evaluate", "StepStatus": "Failed"}]
    stubbed.add_response(
        "list_pipeline_execution_steps",
        {"PipelineExecutionSteps": more},
        asked | {"NextToken": "n"},
    )
    assert runs.why_failed(EXECUTION) == "Train: no memory; Evaluate"


@pytest.mark.parametrize(("told", "said"), [({"ExitMessage": "too bad"}, "too bad"), ({}, "")])
def test_a_job_is_asked_what_it_said(stub, told, said):
    runs, stubbed = stub
    answer = {
        "ProcessingJobName": "j", "ProcessingJobArn": JOB, "ProcessingJobStatus": "Failed",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        }, "AppSpecification": {"ImageUri": "i"}, "CreationTime": 0,
    }  # fmt: skip
    stubbed.add_response("describe_processing_job", answer | told, {"ProcessingJobName": "j"})
    assert runs.said(JOB) == said


@pytest.mark.parametrize(("told", "why"), [({"FailureReason": "no role"}, "no role"), ({}, "")])
def test_where_no_step_failed_the_run_says_why(stub, told, why):
    runs, stubbed = stub
    stubbed.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": []})
    stubbed.add_response("describe_pipeline_execution", told, {"PipelineExecutionArn": EXECUTION})
    assert runs.why_failed(EXECUTION) == why


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFound", Misconfigured),
        ("AccessDeniedException", Misconfigured),
        ("ValidationException", Misconfigured),
        ("ThrottlingException", Transient),
        ("ConflictException", Transient),
        ("ResourceLimitExceeded", Transient),
        ("InternalFailure", Transient),
    ],
)
@pytest.mark.parametrize(
    ("operation", "ask"),
    [
        ("start_pipeline_execution", lambda runs: runs.start("p", {}, TOKEN, "d")),
        ("describe_pipeline", lambda runs: runs.asks_for("p")),
        ("list_pipeline_parameters_for_execution", lambda runs: runs.parameters(EXECUTION)),
        ("describe_processing_job", lambda runs: runs.said(JOB)),
        ("list_pipeline_execution_steps", lambda runs: runs.why_failed(EXECUTION)),
    ],
)
def test_refusals_are_told_apart(stub, operation, ask, code, error):
    runs, stubbed = stub
    stubbed.add_client_error(operation, code)
    with pytest.raises(error, match="sagemaker:"):
        ask(runs)
