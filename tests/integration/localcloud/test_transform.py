"""SageMaker transform jobs: a model's container, fed from S3 and read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, Record
from localcloud.clients import session_with
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.containers import DATA, IMAGE, ROLE_ARN, archive, image
from tests.integration.localcloud.shapes import assert_shape

DESCRIBE = "DescribeTransformJobResponse"
NAME = "SageMaker Transform Job State Change"
# the fields of the page's sample event
SAMPLE = {
    "TransformJobName", "TransformJobArn", "TransformJobStatus", "ModelName", "TransformInput",
    "TransformOutput", "TransformResources", "CreationTime", "TransformEndTime", "Tags",
}  # fmt: skip

Ready = Callable[..., Cloud]


@pytest.fixture
def ready(deploy: Deploy, tmp_path: Path) -> Ready:
    def made(word: str = "v1", resources: str = BUCKET + ROLE, **inputs: bytes) -> Cloud:
        cloud = deploy(resources, images={IMAGE: image(tmp_path)})
        s3 = cloud.client("s3")
        s3.put_object(Bucket=DATA, Key="models/model.tar.gz", Body=archive(word))
        for name, body in (inputs or {"a_csv": b"1\n2\n", "b_csv": b"3\n"}).items():
            s3.put_object(Bucket=DATA, Key=f"in/{name.replace('_', '.')}", Body=body)
        model(cloud)
        return cloud

    return made


def model(cloud: Cloud, name: str = "model", **changes: Any) -> str:
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{DATA}/models/model.tar.gz",
        "Environment": {"LEVEL": "high"},
    }
    answer = cloud.client("sagemaker").create_model(
        ModelName=name,
        **{"ExecutionRoleArn": ROLE_ARN, "PrimaryContainer": container, **changes},
    )
    return str(answer["ModelArn"])


def create(cloud: Cloud, name: str = "job", **changes: Any) -> str:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/in/"}
    given = {
        "TransformJobName": name,
        "ModelName": "model",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": f"s3://{DATA}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "ModelClientConfig": {"InvocationsMaxRetries": 0},
        **changes,
    }
    return str(cloud.client("sagemaker").create_transform_job(**given)["TransformJobArn"])


def by_line(**more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/in/"}
    given = {"DataSource": {"S3DataSource": source}, "SplitType": "Line"}
    output = {"S3OutputPath": f"s3://{DATA}/out", "AssembleWith": "Line"}
    return {"TransformInput": given, "TransformOutput": output, **more}


def describe(cloud: Cloud, name: str = "job") -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_transform_job(TransformJobName=name)
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", DESCRIBE, answer)
    return dict(answer)


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return [record.detail["detail"] for record in cloud.journal if record.name == NAME]


def lines(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def outputs(cloud: Cloud) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    found = s3.list_objects_v2(Bucket=DATA, Prefix="out/").get("Contents", [])
    return {
        each["Key"]: s3.get_object(Bucket=DATA, Key=each["Key"])["Body"].read() for each in found
    }


def asked(cloud: Cloud) -> list[str]:
    return [line for line in lines(cloud) if line.startswith("asked")]


def test_every_object_is_sent_and_its_answer_stored(ready: Ready) -> None:
    cloud = ready()
    arn = create(cloud)
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:transform-job/job"
    assert describe(cloud)["TransformJobStatus"] == "InProgress"
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["TransformJobStatus"] == "Completed", lines(cloud)
    assert job["TransformEndTime"] > job["TransformStartTime"] > job["CreationTime"]
    assert outputs(cloud) == {"out/a.csv.out": b"v1:1\nv1:2\n", "out/b.csv.out": b"v1:3\n"}
    (line,) = [each for each in lines(cloud) if each.startswith("environment")]
    told, level, _ = line.removeprefix("environment ").rsplit(" ", 2)
    assert level == "high"
    assert json.loads(told) == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6",
    }
    group = cloud.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TransformJobs")
    assert {each["message"] for each in group["events"]} == set(lines(cloud))
    assert group["events"][0]["logStreamName"].startswith("job/algo-1-")


def test_changes_of_state_are_told_as_documented(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    cloud.run_until_idle()
    assert [each["TransformJobStatus"] for each in events(cloud)] == ["InProgress", "Completed"]
    assert events(cloud)[-1].keys() >= SAMPLE
    for detail in events(cloud):
        plain = {key: value for key, value in detail.items() if key != "Tags"}
        assert_shape("sagemaker", DESCRIBE, plain, epoch_ms=True)


@pytest.mark.parametrize(
    ("word", "changes", "sizes"),
    [
        ("v1", {}, [6, 2]),
        ("v1", {"BatchStrategy": "SingleRecord"}, [2, 2, 2, 2]),
        ("tells", {}, [2, 2, 2, 2]),  # its /execution-parameters say so
    ],
)
def test_lines_go_in_mini_batches(
    ready: Ready, word: str, changes: dict[str, Any], sizes: list[int]
) -> None:
    cloud = ready(word, a_csv=b"1\n2\n3\n", b_csv=b"4\n")
    create(cloud, **by_line(**changes))
    cloud.run_until_idle()
    assert sorted(asked(cloud)) == sorted(f"asked /invocations {size}" for size in sizes)
    lines_of = {key: body.decode().split() for key, body in outputs(cloud).items()}
    assert lines_of["out/a.csv.out"] == [f"{word}:{each}" for each in "123"]


def test_a_mini_batch_is_as_large_as_may_be(ready: Ready) -> None:
    line = b"x" * 400_000 + b"\n"
    cloud = ready(a_csv=line * 5)
    create(cloud, **by_line(MaxPayloadInMB=1))
    cloud.run_until_idle()
    assert asked(cloud) == [f"asked /invocations {count * 400_001}" for count in (2, 2, 1)]


def test_objects_of_a_manifest(ready: Ready) -> None:
    cloud = ready()
    listed = json.dumps([{"prefix": f"s3://{DATA}/in/"}, "b.csv"]).encode()
    cloud.client("s3").put_object(Bucket=DATA, Key="manifest", Body=listed)
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{DATA}/manifest"}
    create(cloud, TransformInput={"DataSource": {"S3DataSource": source}})
    cloud.run_until_idle()
    assert list(outputs(cloud)) == ["out/b.csv.out"]


def test_a_bad_object_fails_the_job_and_the_others_are_kept(ready: Ready) -> None:
    cloud = ready(a_csv=b"bad\n", b_csv=b"2\n", c_csv=b"broken\n")
    create(cloud)
    cloud.run_until_idle()
    job = describe(cloud)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        f"ClientError: s3://{DATA}/in/a.csv: the container answered with status 400"
    )
    assert "Bad HTTP status received from the container: 400: cannot read this" in lines(cloud)
    assert any(f"AlgorithmError: s3://{DATA}/in/c.csv:" in line for line in lines(cloud))
    assert list(outputs(cloud)) == ["out/b.csv.out"]
    assert events(cloud)[-1]["FailureReason"] == job["FailureReason"]


def test_a_call_is_tried_again(ready: Ready) -> None:
    cloud = ready(a_csv=b"broken\n")
    create(cloud, ModelClientConfig={"InvocationsMaxRetries": 2})
    cloud.run_until_idle()
    assert len(asked(cloud)) == 3
    assert "status 500" in describe(cloud)["FailureReason"]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (
            "crash",
            "the container ended before it passed the ping health check, exit code: 1: "
            "the model is broken",
        ),
        ("sick", "the container did not pass the ping health check: status 503"),
    ],
)
def test_a_container_that_is_never_healthy(ready: Ready, word: str, reason: str) -> None:
    cloud = ready(word)
    cloud._reactions.runs.second_s = 1 / 240
    create(cloud)
    cloud.run_until_idle()
    assert describe(cloud)["FailureReason"] == f"AlgorithmError: {reason}"
    assert ("the model is broken" in lines(cloud)) == (word == "crash")


def test_a_container_that_dies_at_work(ready: Ready) -> None:
    cloud = ready(a_csv=b"die\n")
    create(cloud)
    cloud.run_until_idle()
    assert f"s3://{DATA}/in/a.csv: the container did not" in describe(cloud)["FailureReason"]


def test_an_answer_that_takes_too_long(ready: Ready) -> None:
    cloud = ready(a_csv=b"slow\n")
    config = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    create(cloud, ModelClientConfig=config)
    cloud.run_until_idle()
    assert "did not answer within 1 s" in describe(cloud)["FailureReason"]


def gone(cloud: Cloud) -> bool:
    """Whether the container's process has ended."""
    (line,) = [each for each in lines(cloud) if each.startswith("environment")]
    return not Path(f"/proc/{line.rsplit(' ', 1)[1]}").exists()


def test_a_stopped_job_stores_nothing(ready: Ready) -> None:
    cloud = ready(a_csv=b"1\n", b_csv=b"slow\n")
    create(cloud)

    def watch(record: Record) -> None:
        if record.kind == "log" and record.detail["line"] == "asked /invocations 5":
            cloud.client("sagemaker").stop_transform_job(TransformJobName="job")

    cloud.run_until_idle(watch)
    assert describe(cloud)["TransformJobStatus"] == "Stopped"
    assert [each["TransformJobStatus"] for each in events(cloud)] == [
        "InProgress", "Stopping", "Stopped",
    ]  # fmt: skip
    assert outputs(cloud) == {}
    assert gone(cloud)
    with pytest.raises(ClientError, match="the transform job is in status Stopped"):
        cloud.client("sagemaker").stop_transform_job(TransformJobName="job")


def test_a_job_past_its_time_is_stopped(ready: Ready) -> None:
    cloud = ready(a_csv=b"slow\n")
    cloud._reactions.sagemaker["Transform"].longest_s = 1.0
    create(cloud)
    cloud.run_until_idle()
    assert describe(cloud)["TransformJobStatus"] == "Stopped"
    assert gone(cloud)


NARROW = """
  Narrow:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: sagemaker.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: some
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "s3:*", Resource: ["arn:aws:s3:::signalbox-bucket",
                 "arn:aws:s3:::signalbox-bucket/models/*"]}
              - {Effect: Allow, Action: "logs:*", Resource: "*"}
              - {Effect: Allow, Action: ["sagemaker:CreateModel", "sagemaker:CreateTransformJob"],
                 Resource: "*"}
"""


def test_a_model_reads_what_its_role_may_read(ready: Ready) -> None:
    cloud = ready(resources=BUCKET + ROLE + NARROW)
    model(cloud, "narrow", ExecutionRoleArn="arn:aws:iam::123456789012:role/signalbox-Narrow")
    create(cloud, ModelName="narrow")
    cloud.run_until_idle()
    reason = describe(cloud)["FailureReason"]
    assert "Data download failed" in reason
    assert "s3://signalbox-bucket/in/" in reason
    (denied,) = [
        record for record in cloud.journal if record.kind == "call" and record.status == "denied"
    ]
    assert (denied.name, denied.detail["role"]) == ("s3:GetObject", "Narrow")


def as_role(cloud: Cloud, role: str) -> Any:
    given = cloud.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::123456789012:role/{role}", RoleSessionName="test"
    )["Credentials"]
    session = session_with(
        "eu-west-1", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )
    return session.client("sagemaker")


def test_a_role_must_be_passed_and_tags_allowed(ready: Ready) -> None:
    cloud = ready(resources=BUCKET + ROLE + NARROW)
    sagemaker = as_role(cloud, "signalbox-Narrow")
    given = {"ModelName": "other", "PrimaryContainer": {"Image": IMAGE}}
    tags = [{"Key": "a", "Value": "b"}]
    with pytest.raises(ClientError, match=r"perform: iam:PassRole on resource: .*signalbox-Role"):
        sagemaker.create_model(**given, ExecutionRoleArn=ROLE_ARN)
    with pytest.raises(ClientError, match=r"perform: sagemaker:AddTags on resource: .*model/other"):
        sagemaker.create_model(**given, ExecutionRoleArn=ROLE_ARN, Tags=tags)
    with pytest.raises(ClientError, match=r"DescribeModel on resource: .*:model/model"):
        sagemaker.describe_model(ModelName="model")


def test_models_are_kept_as_they_were_made(ready: Ready) -> None:
    cloud = ready()
    sagemaker = cloud.client("sagemaker")
    made = sagemaker.describe_model(ModelName="model")
    made.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribeModelOutput", made)
    assert made["PrimaryContainer"]["Environment"] == {"LEVEL": "high"}
    assert made["ExecutionRoleArn"] == ROLE_ARN
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        model(cloud)
    model(cloud, "other", Tags=[{"Key": "a", "Value": "b"}])
    assert sagemaker.list_tags(ResourceArn=made["ModelArn"])["Tags"] == []
    listed = sagemaker.list_models(SortBy="Name", SortOrder="Ascending")["Models"]
    assert [each["ModelName"] for each in listed] == ["model", "other"]
    assert_shape("sagemaker", "ModelSummary", listed[0])
    sagemaker.delete_model(ModelName="model")
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="model")
    with pytest.raises(ClientError, match="Could not find model"):
        create(cloud)


def test_a_model_of_a_package_is_its_container(ready: Ready) -> None:
    cloud = ready()
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{DATA}/models/model.tar.gz"}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="group",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    model(cloud, "packaged", PrimaryContainer={"ModelPackageName": arn})
    create(cloud, ModelName="packaged")
    cloud.run_until_idle()
    assert describe(cloud)["TransformJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"DataProcessing": {"InputFilter": "$[1:]"}}, "InputFilter"),
        ({"DataProcessing": {"JoinSource": "Input"}}, "JoinSource 'Input'"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not exceed 100 MB"),
        ({"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2}},
         "InstanceCount 2"),
        ({"ModelName": "nobody"}, "Could not find model"),
    ],
)  # fmt: skip
def test_what_is_not_played_is_refused(ready: Ready, changes: dict[str, Any], message: str) -> None:
    cloud = ready()
    with pytest.raises(ClientError, match=message):
        create(cloud, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["s-1"]}}, "VpcConfig"),
        ({"PrimaryContainer": {}}, "an Image or a ModelPackageName"),
        ({"Containers": [{"Image": IMAGE}]}, "more than one container"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "MultiModel"),
    ],
)
def test_models_that_are_not_hosted_are_refused(
    ready: Ready, changes: dict[str, Any], message: str
) -> None:
    cloud = ready()
    with pytest.raises(ClientError, match=message):
        model(cloud, "other", **changes)


def test_jobs_are_listed_and_an_unknown_image_fails(ready: Ready) -> None:
    cloud = ready()
    model(cloud, "unknown", PrimaryContainer={"Image": "nobody/knows:1"})
    create(cloud, ModelName="unknown")
    with pytest.raises(cloud.client("sagemaker").exceptions.ResourceInUse):
        create(cloud)
    cloud.run_until_idle()
    assert "knows no program for image 'nobody/knows:1'" in describe(cloud)["FailureReason"]
    (listed,) = cloud.client("sagemaker").list_transform_jobs(StatusEquals="Failed")[
        "TransformJobSummaries"
    ]
    assert_shape("sagemaker", "TransformJobSummary", listed)


KILLED = """
import os, signal, sys
from pathlib import Path
from localcloud.engines.process import Processes
from localcloud.engines.python import command_of

def heard(stream, line):
    sys.stdout.write(line + chr(10))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)

program = "import subprocess, sys, time; child = subprocess.Popen(['sleep', '600']);"
program += "print(child.pid, flush=True); time.sleep(600)"
Processes().run("one", [sys.executable, "-c", program], {}, Path("."), timeout_s=60, grace_s=1,
                on_line=heard)
"""


def test_what_a_run_started_ends_with_a_cloud_that_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -9, done.stderr
    child = int(done.stdout)
    try:
        ended = os.pidfd_open(child)
    except ProcessLookupError:
        return  # gone already
    try:
        import select

        assert select.select([ended], [], [], 20)[0], "it still runs"
    finally:
        os.close(ended)
