"""SageMaker processing jobs: a program on the paths of its container, from and to S3."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, Record
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import START, Deploy
from tests.integration.localcloud.shapes import assert_shape

DESCRIBE = "DescribeProcessingJobResponse"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools:1"
DATA = "signalbox-bucket"
PROGRAM = """
import json, os, pathlib, sys
root = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
config = json.loads((root / "config/processingjobconfig.json").read_text())
hosts = json.loads((root / "config/resourceconfig.json").read_text())
given = pathlib.Path(sys.argv[sys.argv.index("--input") + 1])
made = pathlib.Path(os.environ["MADE"])
print("config", config["ProcessingJobName"], config["ProcessingInputs"][0]["S3Input"]["LocalPath"])
print("hosts", hosts)
for path in sorted(each for each in given.rglob("*") if each.is_file()):
    (made / "deep").mkdir(exist_ok=True)
    (made / "deep" / path.name).write_text(path.read_text().upper())
import boto3
print("who", boto3.client("sts").get_caller_identity()["Arn"])
"""

Ready = Callable[..., Cloud]


@pytest.fixture
def ready(deploy: Deploy) -> Ready:
    def made(program: str = PROGRAM, **options: Any) -> Cloud:
        cloud = deploy(BUCKET + ROLE, **options)
        s3 = cloud.client("s3")
        s3.put_object(Bucket=DATA, Key="code/run.py", Body=dedent(program).encode())
        s3.put_object(Bucket=DATA, Key="in/a.txt", Body=b"one")
        s3.put_object(Bucket=DATA, Key="in/more/b.txt", Body=b"two")
        return cloud

    return made


def an_input(name: str, prefix: str, **more: Any) -> dict[str, Any]:
    place = f"/opt/ml/processing/input/{name}"
    s3 = {"S3Uri": f"s3://{DATA}/{prefix}", "LocalPath": place, "S3DataType": "S3Prefix"}
    return {"InputName": name, "S3Input": {**s3, "S3InputMode": "File", **more}}


def request(name: str = "job", **changes: Any) -> dict[str, Any]:
    output = {
        "S3Uri": f"s3://{DATA}/out/{name}",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    return {
        "ProcessingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/signalbox-Role",
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
            "ContainerArguments": ["--input", "/opt/ml/processing/input/data"],
        },
        "ProcessingInputs": [an_input("data", "in/"), an_input("code", "code/run.py")],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "made", "S3Output": output}]},
        "Environment": {"MADE": "/opt/ml/processing/output"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }


def create(cloud: Cloud, name: str = "job", **changes: Any) -> str:
    sent = request(name, **changes)
    return str(cloud.client("sagemaker").create_processing_job(**sent)["ProcessingJobArn"])


def describe(cloud: Cloud, name: str = "job") -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", DESCRIBE, answer)
    return dict(answer)


def events(cloud: Cloud) -> list[Record]:
    return [each for each in cloud.journal if each.name == "SageMaker Processing Job State Change"]


def lines(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def test_a_program_finds_its_inputs_and_its_outputs_reach_s3(ready: Ready) -> None:
    cloud = ready()
    arn = create(cloud)
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/job"
    assert describe(cloud)["ProcessingJobStatus"] == "InProgress"
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["ProcessingJobStatus"] == "Completed"
    assert "FailureReason" not in job
    assert (job["ProcessingStartTime"] - job["CreationTime"]).total_seconds() == 10
    assert (job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds() == 60
    s3 = cloud.client("s3")
    made = {
        key: s3.get_object(Bucket=DATA, Key=f"out/job/deep/{key}")["Body"].read()
        for key in ("a.txt", "b.txt")
    }
    assert made == {"a.txt": b"ONE", "b.txt": b"TWO"}
    assert lines(cloud) == [
        "config job /opt/ml/processing/input/data",
        "hosts {'current_host': 'algo-1', 'hosts': ['algo-1']}",
        "who arn:aws:sts::123456789012:assumed-role/signalbox-Role/SageMaker",
    ]


def test_events_tell_what_describe_answers(ready: Ready) -> None:
    cloud = ready()
    arn = create(cloud, Tags=[{"Key": "team", "Value": "a"}])
    cloud.run_until_idle()
    begun, over = events(cloud)
    assert begun.detail["detail"]["ProcessingJobStatus"] == "InProgress"
    detail = over.detail["detail"]
    assert_shape("sagemaker", DESCRIBE, detail, epoch_ms=True)
    told = {
        key: int(value.timestamp() * 1000) if key.endswith("Time") else value
        for key, value in describe(cloud).items()
    }
    assert detail == told
    assert over.detail["resources"] == [arn]
    assert over.detail["source"] == "aws.sagemaker"
    assert detail["ProcessingEndTime"] == int(START.timestamp() * 1000) + 70_000
    tags = cloud.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_what_a_job_does_is_caused_by_it(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    cloud.run_until_idle()
    begun, running, over = (record for record in cloud.journal if record.kind == "job")
    assert [each.status for each in (begun, running, over)] == [
        "InProgress", "InProgress", "Completed",
    ]  # fmt: skip
    assert running.cause == over.cause == begun.id
    made = [r for r in cloud.journal if r.name == "Object Created" and r.cause == running.id]
    assert len(made) == 2
    assert [each.cause for each in events(cloud)] == [begun.id, over.id]


def test_the_same_job_leaves_the_same_trace(tmp_path: Path) -> None:
    traces = []
    for place in ("one", "two"):
        with Cloud(build=tmp_path / place, start=START) as cloud:
            iam, anything = cloud.client("iam"), {"Effect": "Allow", "Action": "*", "Resource": "*"}
            iam.create_role(RoleName="signalbox-Role", AssumeRolePolicyDocument="{}")
            iam.put_role_policy(
                RoleName="signalbox-Role", PolicyName="all",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": anything}),
            )  # fmt: skip
            s3 = cloud.client("s3")
            where = {"LocationConstraint": "eu-west-1"}
            s3.create_bucket(Bucket=DATA, CreateBucketConfiguration=where)
            s3.put_bucket_notification_configuration(
                Bucket=DATA, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
            s3.put_object(Bucket=DATA, Key="code/run.py", Body=dedent(PROGRAM).encode())
            s3.put_object(Bucket=DATA, Key="in/a.txt", Body=b"one")
            create(cloud)
            cloud.run_until_idle()
            traces.append(list(cloud.journal))
    assert traces[0] == traces[1]
    assert len(traces[0]) > 8


def test_its_lines_are_in_the_log_group_of_processing_jobs(ready: Ready) -> None:
    cloud = ready("print('hello')")
    create(cloud)
    cloud.run_until_idle()
    logs, group = cloud.client("logs"), "/aws/sagemaker/ProcessingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    name = stream["logStreamName"]
    assert name == f"job/algo-1-{int(START.timestamp())}"
    found = logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
    assert [each["message"] for each in found] == ["hello"]


def test_a_program_that_fails_says_why_in_its_message(ready: Ready) -> None:
    cloud = ready(
        """
        import os, pathlib, sys
        root = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
        (root / "output/message").write_text("no rows " + "x" * 2000)
        (root / "processing/output/half").write_text("")
        sys.exit(3)
        """
    )
    create(cloud)
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: no rows xxx")
    assert job["FailureReason"].endswith(", exit code: 3")
    assert len(job["FailureReason"]) <= 1024
    assert len(job["ExitMessage"]) == 1024
    assert events(cloud)[-1].detail["detail"]["FailureReason"] == job["FailureReason"]
    assert cloud.client("s3").list_objects_v2(Bucket=DATA, Prefix="out/")["KeyCount"] == 0


def test_one_that_leaves_no_message_gives_its_last_words(ready: Ready) -> None:
    cloud = ready("raise ValueError('seven')")
    create(cloud)
    cloud.run_until_idle()
    reason = "AlgorithmError: ValueError: seven, exit code: 1"
    assert describe(cloud)["FailureReason"] == reason


@pytest.mark.parametrize("prefix", ["none/", "in/c.txt"])
def test_an_input_that_is_not_there_is_a_client_error(ready: Ready, prefix: str) -> None:
    cloud = ready()
    create(cloud, ProcessingInputs=[an_input("data", prefix)])
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed: No S3 objects")
    assert f"s3://{DATA}/{prefix}" in job["FailureReason"]
    assert lines(cloud) == []


def test_a_bucket_that_is_not_there_too(ready: Ready) -> None:
    cloud = ready()
    wrong = an_input("data", "x")
    wrong["S3Input"]["S3Uri"] = "s3://nobody/x"
    create(cloud, ProcessingInputs=[wrong])
    cloud.run_until_idle()
    assert "NoSuchBucket" in describe(cloud)["FailureReason"]


def test_a_manifest_names_the_objects(ready: Ready) -> None:
    cloud = ready("""
        import os, pathlib
        given = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"], "processing/input/data")
        print(sorted(p.relative_to(given).as_posix() for p in given.rglob("*") if p.is_file()))
    """)
    body = json.dumps([{"prefix": f"s3://{DATA}/in/"}, "more/b.txt"]).encode()
    cloud.client("s3").put_object(Bucket=DATA, Key="manifest", Body=body)
    inputs = [an_input("data", "manifest", S3DataType="ManifestFile"), an_input("code", "code/")]
    create(cloud, ProcessingInputs=inputs)
    cloud.run_until_idle()
    assert lines(cloud) == ["['more/b.txt']"]


def test_a_manifest_cannot_leave_its_folder(ready: Ready) -> None:
    cloud = ready()
    s3 = cloud.client("s3")
    body = json.dumps([{"prefix": f"s3://{DATA}/in/"}, "../../../../escaped"]).encode()
    s3.put_object(Bucket=DATA, Key="manifest", Body=body)
    create(cloud, ProcessingInputs=[an_input("data", "manifest", S3DataType="ManifestFile")])
    cloud.run_until_idle()
    assert "leaves /opt/ml/processing/input/data" in describe(cloud)["FailureReason"]


def test_an_image_that_nobody_knows_fails(ready: Ready) -> None:
    cloud = ready()
    create(cloud, AppSpecification={"ImageUri": IMAGE})
    cloud.run_until_idle()
    reason = describe(cloud)["FailureReason"]
    assert reason == (
        f"ClientError: the local cloud knows no program for image '{IMAGE}', "
        "and the request names no ContainerEntrypoint"
    )


@pytest.mark.parametrize("image", [IMAGE, IMAGE.partition(":")[0]])
def test_an_image_runs_the_program_it_stands_for(ready: Ready, image: str) -> None:
    cloud = ready(images={image: ["/bin/sh", "-c", 'echo "$0" from an image']})
    create(cloud, AppSpecification={"ImageUri": IMAGE, "ContainerArguments": ["words"]})
    cloud.run_until_idle()
    assert describe(cloud)["ProcessingJobStatus"] == "Completed"
    assert lines(cloud) == ["words from an image"]


def test_a_program_that_is_not_there_fails(ready: Ready) -> None:
    cloud = ready()
    app = {"ImageUri": IMAGE, "ContainerEntrypoint": ["/opt/ml/nothing"]}
    create(cloud, AppSpecification=app)
    cloud.run_until_idle()
    assert "No such file" in describe(cloud)["FailureReason"]


@pytest.mark.parametrize(
    ("entrypoint", "line"),
    [
        (["python3", "-m", "calendar", "2026", "1"], "    January 2026"),
        (["/usr/bin/python3.11", "-u", "-c", "print('inline')"], "inline"),
    ],
)
def test_python_is_this_one_however_it_is_named(
    ready: Ready, entrypoint: list[str], line: str
) -> None:
    cloud = ready()
    create(cloud, AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": entrypoint})
    cloud.run_until_idle()
    assert lines(cloud)[0] == line


def test_a_program_sees_what_was_shipped_and_not_this_repository(ready: Ready) -> None:
    cloud = ready("import localcloud")
    create(cloud)
    cloud.run_until_idle()
    assert "No module named 'localcloud'" in describe(cloud)["FailureReason"]


def test_a_name_is_taken_once(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    with pytest.raises(cloud.client("sagemaker").exceptions.ResourceInUse, match="must be unique"):
        create(cloud)
    cloud.run_until_idle()
    with pytest.raises(cloud.client("sagemaker").exceptions.ResourceInUse):
        create(cloud)


def test_a_job_is_stopped_in_mid_flight(ready: Ready) -> None:
    cloud = ready("import time\nprint('on')\ntime.sleep(600)\n")
    create(cloud)

    def watch(record: Record) -> None:
        if record.kind == "log":
            cloud.client("sagemaker").stop_processing_job(ProcessingJobName="job")
            assert describe(cloud)["ProcessingJobStatus"] == "Stopping"

    cloud.run_until_idle(watch)
    assert describe(cloud)["ProcessingJobStatus"] == "Stopped"
    told = [each.detail["detail"]["ProcessingJobStatus"] for each in events(cloud)]
    assert told == ["InProgress", "Stopping", "Stopped"]
    with pytest.raises(ClientError, match="the processing job is in status Stopped"):
        cloud.client("sagemaker").stop_processing_job(ProcessingJobName="job")


def test_a_job_is_stopped_before_it_began(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    cloud.client("sagemaker").stop_processing_job(ProcessingJobName="job")
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "ProcessingStartTime" not in job
    assert lines(cloud) == []


def test_a_job_past_its_time_is_stopped(ready: Ready) -> None:
    cloud = ready("import time\ntime.sleep(600)\n")
    create(cloud, StoppingCondition={"MaxRuntimeInSeconds": 1})
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["ProcessingJobStatus"] == "Stopped"
    assert (job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds() == 1


def test_outputs_that_cannot_be_kept_fail_the_job(ready: Ready) -> None:
    cloud = ready()
    output = {"S3Uri": "s3://nobody/out", "LocalPath": "/opt/ml/processing/output"}
    config = {"Outputs": [{"OutputName": "o", "S3Output": {**output, "S3UploadMode": "EndOfJob"}}]}
    create(cloud, ProcessingOutputConfig=config)
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data upload failed: ")
    assert "NoSuchBucket" in job["FailureReason"]


def test_in_real_time_another_client_stops_it_beside_everything_else(ready: Ready) -> None:
    cloud = ready("import time\nprint('on')\ntime.sleep(600)\n")
    stop = threading.Event()
    other = boto3.client(
        "sagemaker",
        endpoint_url=cloud.endpoint,
        region_name="eu-west-1",
        aws_access_key_id="AKIALOCALCLOUDADMIN0",
        aws_secret_access_key="x",
    )
    asked: list[threading.Thread] = []

    def watch(record: Record) -> None:
        if record.kind == "log":
            thread = threading.Thread(
                target=other.stop_processing_job, kwargs={"ProcessingJobName": "job"}
            )
            thread.start()
            asked.append(thread)
        if record.kind == "job" and record.status == "Stopped":
            stop.set()

    cloud._world.clock.after(0, lambda: create(cloud))
    cloud.serve(stop, watch)
    for thread in asked:
        thread.join(30)
    assert describe(cloud)["ProcessingJobStatus"] == "Stopped"


def test_a_program_that_is_killed_fails(ready: Ready) -> None:
    cloud = ready("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    create(cloud)
    cloud.run_until_idle()
    assert describe(cloud)["FailureReason"].endswith("exit code: -9")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ProcessingResources": {"ClusterConfig": {
                "InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}},
            "InstanceCount 2",
        ),
        ({"ProcessingInputs": [an_input("a", "in/", S3InputMode="Pipe")]}, "S3InputMode 'Pipe'"),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": {
                "S3Uri": "s3://b/k", "LocalPath": "/opt/ml/o", "S3UploadMode": "Continuous"}}]}},
            "S3UploadMode 'Continuous'",
        ),
        ({"ProcessingInputs": [an_input("a", "in/", LocalPath="/etc/x")]}, "LocalPath '/etc/x'"),
        (
            {"ProcessingInputs": [an_input("a", "in/", LocalPath="/opt/ml/processing/../x")]},
            "LocalPath '/opt/ml/processing/../x'",
        ),
        ({"ProcessingJobName": "a_b"}, "'a_b' at 'processingJobName' failed to satisfy"),
        ({"RoleArn": "signalbox-Role-of-no-account"}, "at 'roleArn' failed to satisfy"),
    ],
)  # fmt: skip
def test_what_is_not_played_is_refused(ready: Ready, changes: dict[str, Any], message: str) -> None:
    cloud = ready()
    with pytest.raises(ClientError, match=message) as refused:
        create(cloud, **changes)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="Could not find"):
        describe(cloud)


def test_jobs_are_listed_filtered_and_sorted(ready: Ready) -> None:
    cloud = ready("")
    for name in ("b-one", "a-two", "c-one"):
        create(cloud, name)
    client = cloud.client("sagemaker")

    def names(**asked: Any) -> list[str]:
        answer = client.list_processing_jobs(**asked)["ProcessingJobSummaries"]
        for each in answer:
            assert_shape("sagemaker", "ProcessingJobSummary", each)
        return [each["ProcessingJobName"] for each in answer]

    assert names(NameContains="one") == ["b-one", "c-one"]
    assert names(SortBy="Name", SortOrder="Descending") == ["c-one", "b-one", "a-two"]
    assert names(StatusEquals="Completed") == []
    cloud.run_until_idle()
    assert len(names(StatusEquals="Completed", CreationTimeBefore=cloud.now())) == 3
    assert names(CreationTimeAfter=cloud.now()) == []
    pages = client.get_paginator("list_processing_jobs").paginate(MaxResults=2)
    assert [len(page["ProcessingJobSummaries"]) for page in pages] == [2, 1]
    with pytest.raises(ClientError, match="no valid request"):
        names(SortBy="Colour")
