"""The doors that hear of pipelines, on moto: what they do, and that their roles allow exactly that."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from signalbox.adapters.dataset_table import DatasetTable
from signalbox.contracts.operation_keys import violations_key
from tests.fakes import BUCKET, LambdaContext, object_event, sample
from tests.integration.adapters.test_doors import doors, keys
from tests.integration.adapters.test_roles import judge, role_of, watch, watched
from tests.operated import RUN_EVENT, STEP_EVENT, TRAINED

__all__ = ["doors", "watch", "watched"]

RUN = "0" * 32
ROLE = "arn:aws:iam::123456789012:role/PipelineRole"
DRIFT = {"feature_name": "a", "constraint_check_type": "baseline_drift_check", "description": "far"}
VIOLATIONS = "aws.s3/object-created.violations.json"


@pytest.fixture
def execution(aws):
    """A run of the batch pipeline, and a tune pipeline to be started."""
    client = boto3.client("sagemaker")
    asked = [{"Name": name, "Type": "String"} for name in ("Workload", "Run", "Inputs")]
    for name in ("train", "batch", "tune"):
        client.create_pipeline(
            PipelineName=f"signalbox-{name}", ClientRequestToken="t" * 32, RoleArn=ROLE,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": asked, "Steps": []}),
        )  # fmt: skip
    return start("hvac")


def start(workload, pipeline="signalbox-batch", **more):
    told = {"Workload": workload, "Run": RUN} | more
    return boto3.client("sagemaker").start_pipeline_execution(
        PipelineName=pipeline, ClientRequestToken="t" * 32,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in told.items()],
    )["PipelineExecutionArn"]  # fmt: skip


@pytest.fixture
def steps(doors):
    """Answers ListPipelineExecutionSteps, which moto does not know, as AWS does where no step began."""
    session = boto3._get_default_session()._session
    name = "before-call.sagemaker.ListPipelineExecutionSteps"

    def answer(**_):
        return AWSResponse("", 200, {}, None), {"PipelineExecutionSteps": []}

    session.register(name, answer, unique_id="steps")
    yield
    session.unregister(name, answer, unique_id="steps")


def about(event, execution, **detail):
    found = sample(event)
    found["detail"] |= {"pipelineExecutionArn": execution} | detail
    return found


def report(s3, run, content, *, version=True):
    key = violations_key("hvac", run)
    written = s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]
    return object_event(key, "a1", written if version else None, VIOLATIONS)


def test_a_failed_check_starts_one_retune_and_says_so_once(doors, execution):
    DatasetTable("OperationsTable").remember("trained", "hvac", TRAINED)
    for _ in range(2):
        doors.on_quality_failure(about(STEP_EVENT, execution), LambdaContext())
    ((kind, detail),) = doors.heard()
    assert (kind, detail["execution"], detail["retunes"]) == ("RetuneStarted", execution, 1)
    (run,) = boto3.client("sagemaker").list_pipeline_executions(PipelineName="signalbox-tune")[
        "PipelineExecutionSummaries"
    ]
    assert run["PipelineExecutionArn"] == detail["tune_execution"]
    assert run["PipelineExecutionDisplayName"] == f"retune-{detail['tune_run']}"


def test_a_training_that_succeeded_is_what_a_retune_starts_on(doors, steps, execution):
    """The two doors agree through the table, though a later training failed."""
    for day, status in ((1, "Succeeded"), (2, "Failed")):
        run = start("hvac", "signalbox-train", Inputs=f"s3://x/{day}.json")
        told = {
            "currentPipelineExecutionStatus": status,
            "executionStartTime": f"2026-07-0{day}T00:00:00Z",
        }
        told["pipelineArn"] = run.partition("/execution/")[0]
        doors.on_pipeline_change(about(RUN_EVENT, run, **told), LambdaContext())
    doors.on_quality_failure(about(STEP_EVENT, execution), LambdaContext())
    ((kind, detail),) = doors.heard()
    assert (kind, detail["inputs"]) == ("RetuneStarted", "s3://x/1.json")


def test_on_pipeline_change(watch, steps, execution):
    other = start("nobody")
    calls = watch("on_pipeline_change", *[about(RUN_EVENT, each) for each in (execution, other)])
    judge(role_of("on_pipeline_change"), calls)


def test_on_quality_failure(watch, execution):
    watch("on_quality_failure", about(STEP_EVENT, start("nobody")))
    DatasetTable("OperationsTable").remember("trained", "hvac", TRAINED)
    event = about(STEP_EVENT, execution, failureReason="AlgorithmError: , exit code: 1")
    boto3.client("sagemaker").create_processing_job(
        ProcessingJobName=event["detail"]["metadata"]["processingJob"]["arn"].rpartition("/")[2],
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        AppSpecification={"ImageUri": "i"}, RoleArn=ROLE,
    )  # fmt: skip
    calls = watch("on_quality_failure", event, about(STEP_EVENT, execution))
    judge(role_of("on_quality_failure"), calls)


def test_on_quality_report(watch, doors, s3):
    good = json.dumps({"violations": [DRIFT]}).encode()
    events = [report(s3, "1" * 32, good), report(s3, "2" * 32, good, version=False)]
    events += [report(s3, "3" * 32, b"[]")] * 2
    judge(role_of("on_quality_report"), watch("on_quality_report", *events))
    assert keys(s3, "rejected/") == [f"rejected/{violations_key('hvac', '3' * 32)}.json"]
    kinds = [kind for kind, _ in doors.heard()]
    assert sorted(kinds) == ["DataQualityViolated"] * 2 + ["FileRejected"] * 2
