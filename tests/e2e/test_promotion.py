"""From a registered model to one that serves: mails, endpoints with real containers, calls of pipelines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cli.chain import LOCAL, Bucket, running
from cli.publish import packed
from localcloud import Cloud
from signalbox.contracts.packages import (
    APPROVED,
    PENDING,
    REJECTED,
    promotion_of,
)
from signalbox.contracts.registry import group_of
from tests.e2e.conftest import Chain
from tests.least import Permissions
from tests.promoted import DEPLOY, RUN, evaluation
from tests.services import Service, serving
from tests.standin import model_folder

GROUP = group_of("hvac")
SAMPLE = json.dumps({"windows": [[0.0, 0.0]] * 4, "valid": 4}) + "\n"
LINES = "application/jsonlines"


class Models:
    """A cloud whose workload hvac has an owner, an endpoint if wanted, and a deploy pipeline."""

    def __init__(self, cloud: Cloud, host: str, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.chain = Chain(cloud, Bucket(cloud.client("s3"), cloud.physical_id("DataBucket")))
        self.sagemaker = cloud.client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
        cloud.client("secretsmanager").create_secret(
            Name="signalbox/gitlab", SecretString="glptt-5up3r53cr3t"
        )
        self.operate(deploy=DEPLOY | {"host": host})
        self.queue = self._subscribed()

    def operate(self, **told: object) -> None:
        """Ship workloads of which hvac has operations."""
        s3 = self.cloud.client("s3")
        listing = s3.list_objects_v2(Bucket=self.cloud.packages, Prefix="shipped/workloads-")
        (place,) = ({"Bucket": self.cloud.packages, "Key": e["Key"]} for e in listing["Contents"])
        workloads = json.loads(s3.get_object(**place)["Body"].read())
        own = {"owner": "models@example.com", "card": {"purpose": "foretell faults"}}
        workloads["hvac"]["operations"] = workloads["hvac"].get("operations", {}) | own | told
        s3.put_object(**place, Body=json.dumps(workloads).encode())

    def _subscribed(self) -> str:
        sqs, topic = self.cloud.client("sqs"), self.cloud.outputs["ModelsTopicArn"]
        queue = str(sqs.create_queue(QueueName="owner")["QueueUrl"])
        asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        self.cloud.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn,
            Attributes={"FilterPolicy": json.dumps({"owner": ["models@example.com"]})},
        )  # fmt: skip
        return queue

    def register(self, number: int, *, sample: str | None = SAMPLE, **metadata: str) -> str:
        """What the pipeline's last step does; returns the package's ARN."""
        run = f"{RUN[:-1]}{number}"
        place, bucket = f"operations/hvac/{run}/evaluation.json", self.chain.bucket
        bucket.write(place, evaluation(rmse=2.0 + number))
        archive = f"packages/hvac/{run}/model.tar.gz"
        bucket.write(archive, packed(model_folder(self.folder / str(number))))
        if sample is not None:
            told = {"content_type": LINES, "accept": LINES, "body": sample}
            bucket.write(f"packages/hvac/{run}/smoke.json", json.dumps(told).encode())
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP, ModelApprovalStatus=PENDING,
            CustomerMetadataProperties={"workload": "hvac", "run": run, **metadata},
            ModelMetrics={"ModelQuality": {"Statistics": {
                "ContentType": "application/json", "S3Uri": f"s3://{bucket.name}/{place}"}}},
            InferenceSpecification={
                "Containers": [{
                    "Image": "signalbox/onnx-inference:latest",
                    "ModelDataUrl": f"s3://{bucket.name}/{archive}"}],
                "SupportedContentTypes": [LINES], "SupportedResponseMIMETypes": [LINES],
            },
        )  # fmt: skip
        self.rest()
        return str(made["ModelPackageArn"])

    def decide(self, package: str, status: str, **more: dict[str, str]) -> None:
        self.sagemaker.update_model_package(
            ModelPackageArn=package, ModelApprovalStatus=status, **more
        )

    def approve(self, package: str, **more: dict[str, str]) -> None:
        self.decide(package, APPROVED, **more)
        self.rest()

    def rest(self) -> None:
        """Everything there is to do, and the ten minutes that an endpoint takes at most."""
        self.cloud.run_until_idle()
        self.cloud.run_for(timedelta(minutes=10))
        self.cloud.run_until_idle()

    def mails(self) -> list[str]:
        """The statuses of the mails since last time."""
        return [each["MessageAttributes"]["status"]["Value"] for each in self.letters()]

    def letters(self) -> list[dict]:
        found, sqs = [], self.cloud.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for each in messages:
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return found

    def serving(self) -> str:
        """The configuration of the endpoint, which answers."""
        answer = self.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=GROUP, ContentType=LINES, Accept=LINES, Body=SAMPLE.encode()
        )
        assert json.loads(answer["Body"].read())["log_probabilities"]
        return str(self.sagemaker.describe_endpoint(EndpointName=GROUP)["EndpointConfigName"])

    def said(self) -> list[str]:
        """What the house said of models, in order."""
        names = (
            "ModelPendingApproval", "ModelPromoted", "PromotionFailed", "DeployCalled",
            "DeployCallFailed",
        )  # fmt: skip
        return [r.name for r in self.cloud.journal if r.kind == "event" and r.name in names]


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(201) as server:
        yield server


@pytest.fixture
def models(
    build: Path, executor: str, permissions: Permissions, service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Models]:  # fmt: skip
    monkeypatch.setitem(LOCAL, "DeployHosts", service.host)
    with running(executor=executor) as cloud:
        yield Models(cloud, service.host, tmp_path)
        permissions.granted |= set(cloud.granted)
        permissions.used |= cloud.used
        assert [r.name for r in cloud.journal if r.status == "denied"] == []
        assert [r.name for r in cloud.journal if r.kind == "dead-letter"] == []


def test_an_approved_model_serves_and_its_pipeline_is_called(models: Models, service: Service):
    models.operate(endpoint=True)
    first = models.register(1)
    (letter,) = models.letters()
    assert letter["Subject"] == "hvac: model 1 waits for approval - Action Required"
    assert f"signalbox approve {first}" in letter["Message"]
    models.approve(first)
    assert models.serving() == promotion_of(first)
    assert models.said() == ["ModelPendingApproval", "ModelPromoted", "DeployCalled"]
    ((path, _, body),) = service.asked
    assert path == "/api/v4/projects/42/trigger/pipeline"
    assert promotion_of(first).encode() in body
    second = models.register(2)
    models.approve(second)
    assert models.serving() == promotion_of(second)
    (former,) = [e["former"] for e in models.chain.events("ModelPromoted") if e["version"] == 2]
    assert former == first
    assert models.mails() == [PENDING]
    assert len(service.asked) == 2


def test_a_model_that_fails_its_sample_leaves_the_former_serving(models: Models, service: Service):
    models.operate(endpoint=True)
    first = models.register(1)
    models.approve(first)
    second = models.register(2, sample='{"windows": "torn"}\n')
    models.approve(second)
    assert models.serving() == promotion_of(first)
    (failed,) = models.chain.events("PromotionFailed")
    assert failed["serving"] == promotion_of(first)
    assert "the sample request was answered with 400" in failed["reason"]
    assert models.mails() == [PENDING, PENDING, "PromotionFailed"]
    third = models.register(3)
    models.approve(third)
    assert models.serving() == promotion_of(third)
    assert len(service.asked) == 2


def test_a_first_model_that_fails_is_taken_away_and_the_next_begins_anew(models: Models):
    models.operate(endpoint=True)
    first = models.register(1, sample='{"windows": "torn"}\n')
    models.approve(first)
    assert models.sagemaker.list_endpoints()["Endpoints"] == []
    assert models.chain.events("PromotionFailed")[0]["serving"] is None
    second = models.register(2)
    models.approve(second)
    assert models.serving() == promotion_of(second)


def test_an_alarm_during_the_update_leaves_the_former_serving(models: Models):
    models.operate(endpoint=True)
    first = models.register(1)
    models.approve(first)
    second = models.register(2)
    models.decide(second, APPROVED)
    models.cloud.run_for(timedelta(minutes=2))
    models.cloud.client("cloudwatch").set_alarm_state(
        AlarmName=f"{GROUP}-errors", StateValue="ALARM", StateReason="a test says so"
    )
    models.rest()
    assert models.serving() == promotion_of(first)
    (failed,) = models.chain.events("PromotionFailed")
    assert "tripped" in failed["reason"]


def test_without_an_endpoint_a_model_counts_at_once_and_events_may_come_again(
    models: Models, service: Service
):
    package = models.register(1)
    models.approve(package)
    models.approve(package)  # an event for every update, whatever changed
    models.decide(package, REJECTED)
    models.rest()
    assert models.said() == ["ModelPendingApproval", "ModelPromoted", "DeployCalled"]
    assert models.mails() == [PENDING]
    assert models.sagemaker.list_models()["Models"] == []
    assert len(service.asked) == 1


def test_a_retuned_model_needs_a_board(models: Models):
    package = models.register(1, retuned="true")
    models.approve(package)
    found = models.sagemaker.describe_model_package(ModelPackageName=package)
    assert found["ModelApprovalStatus"] == PENDING
    assert "signalbox approve --board" in found["ApprovalDescription"]
    assert models.mails() == [PENDING, "PutBack"]
    models.approve(package, CustomerMetadataProperties={"review_board": "Ada, Grace"})
    assert models.said() == ["ModelPendingApproval", "ModelPromoted", "DeployCalled"]


def test_a_model_without_numbers_starts_nothing(models: Models):
    models.operate(endpoint=True)
    package = models.register(1)
    models.chain.bucket.s3.delete_object(
        Bucket=models.chain.bucket.name, Key=f"operations/hvac/{RUN[:-1]}1/evaluation.json"
    )
    models.approve(package)
    assert models.mails() == [PENDING, "Unusable"]
    assert models.said() == ["ModelPendingApproval"]
    assert models.sagemaker.list_models()["Models"] == []


def test_a_pipeline_that_answers_with_errors_is_told_of_once(models: Models, service: Service):
    service.statuses = [401]
    models.approve(models.register(1))
    assert models.said() == ["ModelPendingApproval", "ModelPromoted", "DeployCallFailed"]
    assert models.mails() == [PENDING, "DeployCallFailed"]
    assert not any("glptt" in json.dumps(r.detail, default=str) for r in models.cloud.journal)
