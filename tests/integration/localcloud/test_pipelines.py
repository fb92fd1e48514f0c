"""SageMaker pipelines: definitions played step by step, with real jobs, as the pipeline's role."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, Record
from localcloud.chaos import Chaos
from localcloud.clients import client_of, session_with
from localcloud.errors import DeployError
from localcloud.iam.evaluate import Principal
from localcloud.trace import Trace
from localcloud.wiring import Call, Refused
from tests.integration.localcloud.builds import BUCKET, ROLE, write_build
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.pipelines import (
    DATA,
    EXECUTION,
    IMAGE,
    PACKAGE,
    REPORT,
    ROLE_ARN,
    STEP,
    TOKEN,
    TRAIN,
    condition,
    create,
    definition,
    details,
    equals,
    execution,
    fail,
    get,
    join,
    json_get,
    played,
    prepare,
    processing,
    start,
    statuses,
    steps,
    training,
)  # fmt: skip
from tests.integration.localcloud.shapes import assert_shape

Ready = Callable[..., Cloud]


@pytest.fixture
def ready(deploy: Deploy, tmp_path: Path) -> Ready:
    def made(resources: str = "", program: str = TRAIN, **options: Any) -> Cloud:
        path = tmp_path / "program.py"
        path.write_text(program, encoding="utf-8")
        images = {IMAGE: ["python3", str(path)]}
        return prepare(deploy(BUCKET + ROLE + resources, images=images, **options))

    return made


def register(name: str = "Register", **more: Any) -> dict[str, Any]:
    data = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "g",
            "ModelApprovalStatus": "PendingManualApproval",
            "CustomerMetadataProperties": {"run": get("Execution.PipelineExecutionId")},
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": data}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
        **more,
    }


def lines(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def test_a_model_is_prepared_trained_judged_and_registered(ready: Ready) -> None:
    cloud = ready()
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    score = json_get("Prepare", "Report", "metrics.score.value")
    better = {"Type": "GreaterThan", "LeftValue": score, "RightValue": get("Parameters.Least")}
    arn, found = played(
        cloud,
        definition(
            processing("Prepare"),
            training("Train", DependsOn=["Prepare"]),
            condition("Gate", better, then=[register()], other=[fail("TooWeak")]),
            Parameters=[{"Name": "Least", "Type": "Float", "DefaultValue": 0.4}],
        ),
    )
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert list(found) == ["Prepare", "Train", "Gate", "Register"]
    assert found["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    package = found["Register"]["Metadata"]["RegisterModel"]["Arn"]
    assert package == "arn:aws:sagemaker:eu-west-1:123456789012:model-package/g/1"
    kept = cloud.client("sagemaker").describe_model_package(ModelPackageName=package)
    assert kept["CustomerMetadataProperties"] == {"run": arn.rpartition("/")[2]}
    assert kept["MetadataProperties"] == {"GeneratedBy": arn}
    job = found["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    assert re.fullmatch(rf"pipelines-{arn.rpartition('/')[2]}-Train-[a-z0-9]{{10}}", job)
    url = kept["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert url == f"s3://{DATA}/models/{job}/output/model.tar.gz"
    assert statuses(cloud, arn) == dict.fromkeys(found, "Succeeded")


def test_the_trace_is_one_tree_from_the_start_to_the_registration(ready: Ready) -> None:
    cloud = ready()
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    played(cloud, definition(processing("Prepare"), training("Train"), register()))
    trace = Trace(cloud.journal)
    root = next(r for r in cloud.journal if r.kind == "job")
    assert (root.name, root.status) == ("p", "Executing")
    assert {r.name for r in trace.roots_of(root)} == {"Object Created"}, "the data that it reads"
    below = trace.below(root)
    (package,) = [r for r in below if r.name == PACKAGE]
    step = trace.by_id[package.cause or 0]
    assert (step.name, step.status, step.cause) == ("Register", "Starting", root.id)
    made = [r for r in below if r.kind == "job" and r.name.startswith("pipelines-")]
    assert {trace.by_id[r.cause or 0].name for r in made if r.status == "InProgress"} >= {
        "Prepare", "Train",
    }  # fmt: skip
    whos = {r.detail["principal"] for r in below if r.name.startswith("sagemaker:Create")}
    assert whos == {"arn:aws:sts::123456789012:assumed-role/signalbox-Role/SageMaker"}


def test_events_look_as_they_are_documented(ready: Ready) -> None:
    cloud = ready()
    arn, found = played(cloud, definition(processing("Prepare")))
    pipeline = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p"
    begun, over = details(cloud, EXECUTION)
    assert over == {
        "pipelineExecutionDisplayName": "execution-1767225600000",
        "currentPipelineExecutionStatus": "Succeeded",
        "previousPipelineExecutionStatus": "Executing",
        "executionStartTime": "2026-01-01T00:00:00Z",
        "executionEndTime": "2026-01-01T00:01:11Z",
        "pipelineArn": pipeline,
        "pipelineExecutionArn": arn,
    }
    assert begun["currentPipelineExecutionStatus"] == "Executing"
    assert "executionEndTime" not in begun
    told = details(cloud, STEP)
    assert [each["currentStepStatus"] for each in told] == ["Starting", "Executing", "Succeeded"]
    job = found["Prepare"]["Metadata"]["ProcessingJob"]["Arn"]
    assert told[-1] == {
        "metadata": {"processingJob": {"arn": job}},
        "stepStartTime": "2026-01-01T00:00:00Z",
        "stepEndTime": "2026-01-01T00:01:11Z",
        "stepName": "Prepare",
        "stepType": "Processing",
        "previousStepStatus": "Executing",
        "currentStepStatus": "Succeeded",
        "pipelineArn": pipeline,
        "pipelineExecutionArn": arn,
    }
    events = [r for r in cloud.journal if r.name in {EXECUTION, STEP}]
    assert {tuple(r.detail["resources"]) for r in events} == {(pipeline, arn)}
    assert {r.detail["source"] for r in events} == {"aws.sagemaker"}


def test_steps_that_need_nothing_of_each_other_run_side_by_side(ready: Ready) -> None:
    cloud = ready()
    arn, found = played(cloud, definition(processing("A"), processing("B"), processing("C")))
    assert {each["StartTime"] for each in found.values()} == {found["A"]["StartTime"]}
    took = execution(cloud, arn)
    assert (took["LastModifiedTime"] - took["CreationTime"]).total_seconds() == 71


def test_no_more_steps_are_busy_than_may_be(ready: Ready) -> None:
    cloud = ready()
    body = definition(processing("A"), processing("B"), processing("C"))
    create(cloud, body, ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    arn = start(cloud)
    cloud.run_until_idle()
    found = steps(cloud, arn)
    assert found["A"]["StartTime"] == found["B"]["StartTime"] < found["C"]["StartTime"]


def test_references_and_joins_reach_the_program(ready: Ready) -> None:
    cloud = ready()
    word = join(get("Parameters.Word"), get("Parameters.N"), get("Execution.PipelineName"), on="-")
    place = get("Steps.A.ProcessingOutputConfig.Outputs['made'].S3Output.S3Uri")
    second = json_get("A", "Report", "list[1]")
    body = definition(
        processing("A"),
        processing("B", word, place, join(second, on=""), get("Steps.A.ProcessingJobName")),
        Parameters=[
            {"Name": "Word", "Type": "String", "EnumValues": ["a", "b"]},
            {"Name": "N", "Type": "Integer", "DefaultValue": 7},
        ],
    )
    arn, found = played(cloud, body, Word="b")
    job = found["A"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert lines(cloud)[-1] == f"report ['b-7-p', 's3://{DATA}/out/A', '2', '{job}']"
    client = cloud.client("sagemaker")
    told = client.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    told.pop("ResponseMetadata")
    assert_shape("sagemaker", "ListPipelineParametersForExecutionResponse", told)
    assert told["PipelineParameters"] == [
        {"Name": "N", "Value": "7"}, {"Name": "Word", "Value": "b"},
    ]  # fmt: skip
    played_text = client.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert played_text["PipelineDefinition"] == body


def test_a_failed_step_lets_running_ones_end_and_fails_the_execution(ready: Ready) -> None:
    cloud = ready()
    arn, found = played(
        cloud,
        definition(
            fail("Bad", join("no", get("Parameters.What"), on=" ")),
            processing("Long"),
            processing("Never", DependsOn=["Long"]),
            Parameters=[{"Name": "What", "Type": "String", "DefaultValue": "good"}],
        ),
    )
    assert {name: each["StepStatus"] for name, each in found.items()} == {
        "Bad": "Failed", "Long": "Succeeded",
    }  # fmt: skip
    assert found["Bad"]["FailureReason"] == "no good"
    assert found["Bad"]["Metadata"] == {"Fail": {"ErrorMessage": "no good"}}
    whole = execution(cloud, arn)
    assert whole["PipelineExecutionStatus"] == "Failed"
    assert whole["FailureReason"] == "Step failure: One or multiple steps failed."
    (told,) = [each for each in details(cloud, STEP) if each["currentStepStatus"] == "Failed"]
    assert told["failureReason"] == "no good"


def test_a_job_that_fails_says_why(ready: Ready) -> None:
    cloud = ready()
    _, found = played(cloud, definition(processing("A", "fail")))
    reason = "ClientError: ProcessingJob failed: AlgorithmError: told to fail, exit code: 1"
    assert found["A"]["FailureReason"] == reason


def test_a_property_that_is_not_in_the_file_fails_its_step(ready: Ready) -> None:
    cloud = ready()
    gone = equals(json_get("A", "Report", "metrics.gone"), 1)
    _, found = played(cloud, definition(processing("A"), condition("C", gone)))
    assert "metrics.gone leads nowhere: there is no 'gone'" in found["C"]["FailureReason"]


def test_a_retry_keeps_what_has_succeeded(ready: Ready) -> None:
    cloud = ready()
    prepare(cloud, REPORT.replace('"fail" in', '"second" in'))
    body = definition(processing("A"), processing("B", "second", DependsOn=["A"]))
    arn, found = played(cloud, body)
    assert statuses(cloud, arn) == {"A": "Succeeded", "B": "Failed"}
    client = cloud.client("sagemaker")
    with pytest.raises(client.exceptions.ConflictException):
        client.stop_pipeline_execution(PipelineExecutionArn=arn)
    prepare(cloud)
    for _ in range(2):  # the same token twice is one retry
        client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
    cloud.run_until_idle()
    again = steps(cloud, arn)
    assert statuses(cloud, arn) == {"A": "Succeeded", "B": "Succeeded"}
    assert again["A"] == found["A"]
    told = [each["currentPipelineExecutionStatus"] for each in details(cloud, EXECUTION)]
    assert told == ["Executing", "Failed", "Executing", "Succeeded"]
    assert "FailureReason" not in execution(cloud, arn)
    assert len([r for r in cloud.journal if r.name == "sagemaker:CreateProcessingJob"]) == 3
    with pytest.raises(client.exceptions.ConflictException):
        client.retry_pipeline_execution(PipelineExecutionArn=arn)


def test_the_same_token_is_the_same_execution(ready: Ready) -> None:
    cloud = ready()
    create(cloud, definition(processing("A")))
    create(cloud, definition(processing("A")), "q")
    one = start(cloud)
    cloud.run_until_idle()
    assert start(cloud) == one
    assert start(cloud, token="u" * 32) != one
    assert start(cloud, "q") != one
    cloud.run_until_idle()
    listed = cloud.client("sagemaker").list_pipeline_executions(PipelineName="p")
    listed.pop("ResponseMetadata")
    assert_shape("sagemaker", "ListPipelineExecutionsResponse", listed)
    assert len(listed["PipelineExecutionSummaries"]) == 2
    assert listed["PipelineExecutionSummaries"][1]["PipelineExecutionArn"] == one


def test_a_stopped_execution_stops_its_jobs(ready: Ready) -> None:
    cloud = ready()
    prepare(cloud, "import time\nprint('on')\ntime.sleep(600)\n")
    create(cloud, definition(processing("A"), processing("B", DependsOn=["A"])))
    arn = start(cloud)
    client = cloud.client("sagemaker")

    def watch(record: Record) -> None:
        if record.kind == "log":
            client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
            name = steps(cloud, arn)["A"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
            client.stop_processing_job(ProcessingJobName=name)  # what sleeps holds up the agenda

    cloud.run_until_idle(watch)
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Stopped"
    assert statuses(cloud, arn) == {"A": "Stopped"}
    told = [each["currentPipelineExecutionStatus"] for each in details(cloud, EXECUTION)]
    assert told == ["Executing", "Stopping", "Stopped"]
    client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
    prepare(cloud)
    cloud.run_until_idle()
    assert statuses(cloud, arn) == {"A": "Succeeded", "B": "Succeeded"}


def test_in_real_time_a_stop_reaches_the_job(ready: Ready) -> None:
    cloud = ready()
    prepare(cloud, "import time\nprint('on', flush=True)\ntime.sleep(600)\n")
    create(cloud, definition(processing("A")))
    arn, stop = start(cloud), Event()
    client = cloud.client("sagemaker")

    def watch(record: Record) -> None:
        if record.kind == "log":
            client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
        if record.kind == "job" and (record.name, record.status) == ("p", "Stopped"):
            stop.set()

    cloud.serve(stop, watch)
    assert statuses(cloud, arn) == {"A": "Stopped"}
    assert "Stopping" in [each["currentStepStatus"] for each in details(cloud, STEP)]


def test_throttled_requests_are_tried_again_where_the_policy_says_so(ready: Ready) -> None:
    cloud = ready()
    left = ["throttled", "throttled"]

    def busy(call: Call, principal: Principal) -> None:
        del principal
        if call.operation() == "CreateProcessingJob" and left:
            raise Refused("ThrottlingException", left.pop())

    cloud._world.guard.fault = busy
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 5, "BackoffRate": 2.0,
              "MaxAttempts": 3}  # fmt: skip
    arn, found = played(cloud, definition(processing("A", RetryPolicies=[policy])))
    assert (found["A"]["StepStatus"], found["A"]["AttemptCount"]) == ("Succeeded", 3)
    took = execution(cloud, arn)
    assert (took["LastModifiedTime"] - took["CreationTime"]).total_seconds() == 71 + 5 + 10
    left += ["throttled"]
    create(cloud, definition(processing("A")), "without")
    other = start(cloud, "without")
    cloud.run_until_idle()
    assert "ThrottlingException" in steps(cloud, other)["A"]["FailureReason"]


NARROW = """
  Narrow:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sagemaker.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: some
          PolicyDocument:
            Statement: [{Effect: Allow, Action: "sagemaker:CreateProcessingJob", Resource: "*"}]
"""


def test_what_its_role_may_not_do_fails_the_step(ready: Ready) -> None:
    cloud = ready(NARROW)
    role = cloud.stack.attribute("Narrow", "Arn")
    client = cloud.client("sagemaker")
    body = definition(processing("A"), training("B"))
    client.create_pipeline(PipelineName="p", PipelineDefinition=body, RoleArn=role)
    arn = start(cloud)
    cloud.run_until_idle()
    found = steps(cloud, arn)
    assert "not authorized to perform: iam:PassRole" in found["A"]["FailureReason"]
    assert "perform: sagemaker:CreateTrainingJob" in found["B"]["FailureReason"]
    assert "Metadata" not in found["A"]


TEMPLATE = """
  Pipeline:
    Type: AWS::SageMaker::Pipeline
    Properties:
      PipelineName: train
      PipelineDisplayName: Train
      RoleArn: !GetAtt Role.Arn
      PipelineDefinition: {PipelineDefinitionBody: '%s'}
      Tags: [{Key: team, Value: a}]
  Group:
    Type: AWS::SageMaker::ModelPackageGroup
    Properties: {ModelPackageGroupName: abalone, ModelPackageGroupDescription: ages}
"""


def test_a_template_makes_pipelines_and_groups(ready: Ready) -> None:
    body = definition(fail("Bad"))
    cloud = ready(TEMPLATE % body)
    client = cloud.client("sagemaker")
    found = client.describe_pipeline(PipelineName=cloud.physical_id("Pipeline"))
    found.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribePipelineResponse", found)
    assert (found["PipelineDefinition"], found["RoleArn"]) == (body, ROLE_ARN)
    tags = client.list_tags(ResourceArn=found["PipelineArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]
    (listed,) = client.list_pipelines()["PipelineSummaries"]
    assert_shape("sagemaker", "PipelineSummary", listed)
    group = client.describe_model_package_group(ModelPackageGroupName="abalone")
    assert group["ModelPackageGroupArn"] == cloud.physical_id("Group")


STORED = """
  Pipeline:
    Type: AWS::SageMaker::Pipeline
    Properties:
      PipelineName: train
      RoleArn: !GetAtt Role.Arn
      PipelineDefinition:
        PipelineDefinitionS3Location: {Bucket: signalbox-packages-123456789012, Key: p.json}
"""


def test_a_template_names_a_definition_that_was_shipped(tmp_path: Path) -> None:
    with Cloud(build=write_build(tmp_path, ROLE + STORED, {})) as cloud:
        body = definition(fail("Bad"))
        cloud.client("s3").put_object(Bucket=cloud.packages, Key="p.json", Body=body.encode())
        cloud.deploy()
        found = cloud.client("sagemaker").describe_pipeline(PipelineName="train")
        assert found["PipelineDefinition"] == body


def test_a_definition_that_cannot_be_played_is_an_error_at_deploy(tmp_path: Path) -> None:
    with Cloud(build=write_build(tmp_path, ROLE + STORED, {})) as cloud:
        body = definition(fail("Bad", get("Steps.Gone.x")))
        cloud.client("s3").put_object(Bucket=cloud.packages, Key="p.json", Body=body.encode())
        with pytest.raises(DeployError, match=r"Pipeline.*'Steps.Gone.x' names a step"):
            cloud.deploy()


@pytest.mark.parametrize(("words", "seed"), [("shuffle", 3), ("twice,delay=30", 4)])
def test_bad_days_change_nothing_about_its_end(ready: Ready, words: str, seed: int) -> None:
    cloud = ready(chaos=Chaos.parse(words, seed))
    arn, _ = played(
        cloud,
        definition(processing("A"), processing("B"), training("C", DependsOn=["A", "B"])),
    )
    assert execution(cloud, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(cloud, arn) == {"A": "Succeeded", "B": "Succeeded", "C": "Succeeded"}


def test_a_definition_lies_in_s3_and_takes_the_right_to_read_it(ready: Ready) -> None:
    cloud = ready(NARROW.replace("sagemaker:CreateProcessingJob", "sagemaker:*"))
    body, client = definition(fail("Bad")), cloud.client("sagemaker")
    cloud.client("s3").put_object(Bucket=DATA, Key="p.json", Body=body.encode())
    place = {"Bucket": DATA, "ObjectKey": "p.json"}
    arn = client.create_pipeline(
        PipelineName="p", PipelineDefinitionS3Location=place, RoleArn=ROLE_ARN
    )["PipelineArn"]
    assert client.describe_pipeline(PipelineName=arn)["PipelineDefinition"] == body
    with pytest.raises(ClientError, match="cannot be read"):
        client.update_pipeline(
            PipelineName="p", PipelineDefinitionS3Location={**place, "ObjectKey": "none"}
        )
    given = cloud.client("sts").assume_role(
        RoleArn=cloud.stack.attribute("Narrow", "Arn"), RoleSessionName="narrow"
    )["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    narrow = client_of(session_with(cloud.region, *keys), "sagemaker")
    with pytest.raises(ClientError, match="perform: s3:GetObject"):
        narrow.update_pipeline(PipelineName="p", PipelineDefinitionS3Location=place)


def test_a_pipeline_is_updated_and_deleted_but_not_while_it_runs(ready: Ready) -> None:
    cloud = ready()
    client = cloud.client("sagemaker")
    create(cloud, definition(processing("A")))
    arn = start(cloud)
    client.update_pipeline(PipelineName="p", PipelineDefinition=definition(fail("Bad")))
    with pytest.raises(client.exceptions.ConflictException):
        client.delete_pipeline(PipelineName="p")
    cloud.run_until_idle()
    assert statuses(cloud, arn) == {"A": "Succeeded"}  # as it was when it started
    client.delete_pipeline(PipelineName="p")
    with pytest.raises(client.exceptions.ResourceNotFound):
        client.describe_pipeline(PipelineName="p")
    with pytest.raises(client.exceptions.ResourceNotFound):
        start(cloud, token="v" * 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "A"}]}}, "SelectiveExecution"),
        ({"PipelineParameters": [{"Name": "Gone", "Value": "1"}]}, r"\[Gone\] is not declared"),
        ({"PipelineParameters": [{"Name": "N", "Value": "x"}]}, r"\[N\]: 'x' is no Integer"),
        ({"PipelineParameters": []}, r"\[N\] has no default"),
        ({"ClientRequestToken": "t" * 129}, "length less than or equal to 128"),
        ({"PipelineExecutionDisplayName": "a b"}, "regular expression pattern"),
    ],
)  # fmt: skip
def test_what_cannot_be_started_is_refused(
    ready: Ready, changes: dict[str, Any], message: str
) -> None:
    cloud = ready()
    create(cloud, definition(fail("Bad"), Parameters=[{"Name": "N", "Type": "Integer"}]))
    request = {"PipelineParameters": [{"Name": "N", "Value": "1"}], **changes}
    with pytest.raises(ClientError, match=message) as refused:
        cloud.client("sagemaker").start_pipeline_execution(PipelineName="p", **request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_client_over_http_plays_one_from_start_to_end(ready: Ready) -> None:
    cloud = ready()
    client = boto3.client(
        "sagemaker", endpoint_url=cloud.endpoint, region_name=cloud.region,
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    with pytest.raises(client.exceptions.ResourceNotFound):
        client.start_pipeline_execution(PipelineName="p")
    with pytest.raises(ClientError, match="step A: type 'EMR' is not supported"):
        client.create_pipeline(
            PipelineName="p", RoleArn=ROLE_ARN,
            PipelineDefinition=definition({"Name": "A", "Type": "EMR"}),
        )  # fmt: skip
    client.create_pipeline(
        PipelineName="p", RoleArn=ROLE_ARN, PipelineDefinition=definition(processing("A"))
    )
    arn, stop = client.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"], Event()

    def watch(record: Record) -> None:
        if record.kind == "job" and (record.name, record.status) == ("p", "Succeeded"):
            stop.set()

    cloud.serve(stop, watch)
    (step,) = client.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
        "PipelineExecutionSteps"
    ]
    assert step["StepStatus"] == "Succeeded"
    whole = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert whole["PipelineExecutionStatus"] == "Succeeded"
