"""SageMaker training jobs: an image's program or a script, on the paths of its container."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from itertools import pairwise
from textwrap import dedent
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, Record
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.shapes import assert_shape

DESCRIBE = "DescribeTrainingJobResponse"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/train:1"
DATA = "signalbox-bucket"
SCRIPT = """
import argparse, json, os, pathlib, sys
import helper
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--name")
given = parser.parse_args()
root = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
assert os.environ["SM_MODEL_DIR"] == str(root / "model")
assert json.loads(os.environ["SM_CHANNELS"]) == ["train"]
hyper = json.loads((root / "input/config/hyperparameters.json").read_text())
channels = json.loads((root / "input/config/inputdataconfig.json").read_text())
hosts = json.loads((root / "input/config/resourceconfig.json").read_text())["hosts"]
rows = sorted(p.name for p in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir())
print("given", given.rate, given.name, hyper["rate"], channels["train"]["ContentType"], hosts)
print("rows", rows, helper.WORD, os.environ["TRAINING_JOB_NAME"], os.environ["LEVEL"])
for epoch in range(3):
    print(f"epoch {epoch} loss={1 / (epoch + 1):.2f};")
print("loss=none;")
pathlib.Path(os.environ["SM_MODEL_DIR"], "weights").write_text("w")
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "plot").write_text("p")
"""

Ready = Callable[..., Cloud]


def archive(**files: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, text in files.items():
            body = dedent(text).encode()
            about = tarfile.TarInfo(name.replace("_", "."))
            about.size = len(body)
            tar.addfile(about, io.BytesIO(body))
    return made.getvalue()


@pytest.fixture
def ready(deploy: Deploy) -> Ready:
    def made(script: str = SCRIPT, files: dict[str, str] | None = None, **options: Any) -> Cloud:
        cloud = deploy(BUCKET + ROLE, **options)
        s3 = cloud.client("s3")
        body = archive(train_py=script, helper_py="WORD = 'helped'", **(files or {}))
        s3.put_object(Bucket=DATA, Key="code/source.tar.gz", Body=body)
        s3.put_object(Bucket=DATA, Key="in/a.csv", Body=b"1")
        return cloud

    return made


def request(name: str = "job", **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{DATA}/in/"}
    return {
        "TrainingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/signalbox-Role",
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([\w.]+);"}],
        },
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"s3://{DATA}/code/source.tar.gz"',
            "rate": "0.5",
            "name": '"n"',
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": source},
                "ContentType": "text/csv",
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{DATA}/models/"},
        "ResourceConfig": {
            "InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "Environment": {"LEVEL": "high"},
        **changes,
    }  # fmt: skip


def create(cloud: Cloud, name: str = "job", **changes: Any) -> str:
    sent = request(name, **changes)
    return str(cloud.client("sagemaker").create_training_job(**sent)["TrainingJobArn"])


def describe(cloud: Cloud, name: str = "job") -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_training_job(TrainingJobName=name)
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", DESCRIBE, answer)
    return dict(answer)


def events(cloud: Cloud) -> list[dict[str, Any]]:
    name = "SageMaker Training Job State Change"
    return [record.detail["detail"] for record in cloud.journal if record.name == name]


def lines(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def members(cloud: Cloud, key: str) -> list[str]:
    body = cloud.client("s3").get_object(Bucket=DATA, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return tar.getnames()


def test_a_script_trains_and_its_model_reaches_s3(ready: Ready) -> None:
    cloud = ready()
    arn = create(cloud)
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:training-job/job"
    begun = describe(cloud)
    assert (begun["TrainingJobStatus"], begun["SecondaryStatus"]) == ("InProgress", "Starting")
    cloud.run_until_idle()
    job = describe(cloud)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert job["TrainingTimeInSeconds"] == 60
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifact == f"s3://{DATA}/models/job/output/model.tar.gz"
    assert members(cloud, "models/job/output/model.tar.gz") == ["weights"]
    assert members(cloud, "models/job/output/output.tar.gz") == ["plot"]
    assert lines(cloud)[:2] == [
        "given 0.5 n 0.5 text/csv ['algo-1']",
        "rows ['a.csv'] helped job high",
    ]


def test_every_secondary_status_is_told(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    cloud.run_until_idle()
    steps = describe(cloud)["SecondaryStatusTransitions"]
    names = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [step["Status"] for step in steps] == names
    assert all(one["EndTime"] == two["StartTime"] for one, two in pairwise(steps))
    assert [each["SecondaryStatus"] for each in events(cloud)] == names
    for detail in events(cloud):
        plain = {key: value for key, value in detail.items() if key != "Tags"}
        assert_shape("sagemaker", DESCRIBE, plain, epoch_ms=True)
    assert events(cloud)[-1]["TrainingJobStatus"] == "Completed"
    assert events(cloud)[-1]["Tags"] == {}


def test_metrics_are_found_in_what_it_writes(ready: Ready) -> None:
    cloud = ready()
    create(cloud)
    cloud.run_until_idle()
    (final,) = describe(cloud)["FinalMetricDataList"]
    assert (final["MetricName"], final["Value"]) == ("loss", pytest.approx(0.33))
    metrics = cloud.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")
    (metric,) = metrics["Metrics"]
    assert metric["Dimensions"] == [{"Name": "TrainingJobName", "Value": "job"}]


def test_a_failure_file_is_the_failure_reason(ready: Ready) -> None:
    cloud = ready(
        """
        import os, pathlib, sys
        root = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
        (root / "output/failure").write_text("diverged")
        (root / "model/half").write_text("")
        sys.exit(1)
        """
    )
    create(cloud)
    cloud.run_until_idle()
    job = describe(cloud)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: diverged, exit code: 1"
    assert events(cloud)[-1]["FailureReason"] == job["FailureReason"]
    assert cloud.client("s3").list_objects_v2(Bucket=DATA, Prefix="models/")["KeyCount"] == 0


def test_a_stopped_job_has_time_to_keep_its_model(ready: Ready) -> None:
    cloud = ready(
        """
        import os, pathlib, signal, sys, time
        def keep(*_):
            pathlib.Path(os.environ["SM_MODEL_DIR"], "kept").write_text("w")
            sys.exit(0)
        signal.signal(signal.SIGTERM, keep)
        print("on")
        time.sleep(600)
        """
    )
    create(cloud)

    def watch(record: Record) -> None:
        if record.kind == "log":
            cloud.client("sagemaker").stop_training_job(TrainingJobName="job")

    cloud.run_until_idle(watch)
    job = describe(cloud)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert members(cloud, "models/job/output/model.tar.gz") == ["kept"]
    told = [each["TrainingJobStatus"] for each in events(cloud)]
    assert told == ["InProgress"] * 3 + ["Stopping", "Stopped"]
    with pytest.raises(ClientError, match="the training job is in status Stopped"):
        cloud.client("sagemaker").stop_training_job(TrainingJobName="job")
    with pytest.raises(ClientError, match="Could not find training job"):
        cloud.client("sagemaker").stop_training_job(TrainingJobName="nobody")


def test_a_job_stopped_before_its_program_began_made_nothing(ready: Ready) -> None:
    cloud = ready()
    create(cloud)

    def watch(record: Record) -> None:
        if record.kind == "job" and record.cause is not None and record.status == "InProgress":
            cloud.client("sagemaker").stop_training_job(TrainingJobName="job")

    cloud.run_until_idle(watch)
    steps = [step["Status"] for step in describe(cloud)["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Stopping", "Stopped"]
    told = [each["SecondaryStatus"] for each in events(cloud)]
    assert told == ["Starting", "Stopping", "Stopped"]
    assert lines(cloud) == []
    assert cloud.client("s3").list_objects_v2(Bucket=DATA, Prefix="models/")["KeyCount"] == 0


def test_a_job_past_its_time_says_so(ready: Ready) -> None:
    cloud = ready("import time\ntime.sleep(600)\n")
    create(cloud, StoppingCondition={"MaxRuntimeInSeconds": 1})
    cloud.run_until_idle()
    job = describe(cloud)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_an_image_starts_its_program_with_train(ready: Ready) -> None:
    cloud = ready(images={IMAGE: ["/bin/echo", "from an image:"]})
    create(cloud, HyperParameters={"rate": "1"})
    cloud.run_until_idle()
    assert describe(cloud)["TrainingJobStatus"] == "Completed"
    assert lines(cloud) == ["from an image: train"]


def test_an_image_that_nobody_knows_fails(ready: Ready) -> None:
    cloud = ready()
    create(cloud, HyperParameters={})
    cloud.run_until_idle()
    reason = f"knows no program for image '{IMAGE}'"
    assert reason in describe(cloud)["FailureReason"]


@pytest.mark.parametrize(
    ("hyper", "reason"),
    [
        ({"sagemaker_program": "gone.py"}, "gone.py is no Python script in s3://"),
        ({"sagemaker_submit_directory": f"s3://{DATA}/in/a.csv"}, "cannot be unpacked"),
        ({"sagemaker_submit_directory": f"s3://{DATA}/none.tar.gz"}, "404"),
    ],
)
def test_code_that_is_not_there_fails(ready: Ready, hyper: dict[str, str], reason: str) -> None:
    cloud = ready()
    create(cloud, HyperParameters={**request()["HyperParameters"], **hyper})
    cloud.run_until_idle()
    assert reason in describe(cloud)["FailureReason"]
    assert lines(cloud) == []


def test_requirements_must_be_here_already(ready: Ready) -> None:
    cloud = ready("", files={"requirements_txt": "# none\nboto3==0.0.1\n"})
    create(cloud)
    cloud.run_until_idle()
    assert "requirements.txt wants boto3==0.0.1" in describe(cloud)["FailureReason"]


def test_an_archive_cannot_leave_its_folder(ready: Ready) -> None:
    cloud = ready()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"))
    cloud.client("s3").put_object(Bucket=DATA, Key="code/source.tar.gz", Body=made.getvalue())
    create(cloud)
    cloud.run_until_idle()
    assert "cannot be unpacked" in describe(cloud)["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"EnableManagedSpotTraining": True}, "EnableManagedSpotTraining is not supported"),
        (
            {"ResourceConfig": {
                "InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
            "InstanceCount 2",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"}},
            "TrainingInputMode 'Pipe'",
        ),
        (
            {"AlgorithmSpecification": {
                "TrainingImage": IMAGE, "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "m", "Regex": "("}]}},
            "metric m: missing",
        ),
    ],
)  # fmt: skip
def test_what_is_not_played_is_refused(ready: Ready, changes: dict[str, Any], message: str) -> None:
    cloud = ready()
    with pytest.raises(ClientError, match=message):
        create(cloud, **changes)


def test_a_name_is_taken_once_and_jobs_are_listed(ready: Ready) -> None:
    cloud = ready("")
    create(cloud)
    with pytest.raises(cloud.client("sagemaker").exceptions.ResourceInUse):
        create(cloud)
    (listed,) = cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert_shape("sagemaker", "TrainingJobSummary", listed)
    assert listed["SecondaryStatus"] == "Starting"
