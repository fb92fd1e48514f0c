"""From a registered model to one that serves: mails, endpoints with real containers, calls of pipelines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from cli.chain import running
from signalbox.contracts.packages import (
    APPROVED,
    PENDING,
    REJECTED,
    promotion_of,
)
from signalbox.contracts.registry import group_of
from tests.e2e.served import signalbox, up
from tests.least import Permissions
from tests.promoted import RUN
from tests.registered import GROUP, Models
from tests.services import Service, serving

PUMPS = group_of("pumps")


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(201) as server:
        yield server


@pytest.fixture
def models(
    build: Path, executor: str, permissions: Permissions, service: Service, tmp_path: Path,
) -> Iterator[Models]:  # fmt: skip
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
    (former,) = [e["former"] for e in models.events("ModelPromoted") if e["version"] == 2]
    assert former == first
    assert models.mails() == [PENDING]
    assert len(service.asked) == 2
    models.decide(second, REJECTED)
    models.rest()
    assert models.serving() == promotion_of(first)
    assert [each["version"] for each in models.events("ModelPromoted")] == [1, 2, 1]
    assert len(service.asked) == 3


def test_a_model_that_fails_its_sample_leaves_the_former_serving(models: Models, service: Service):
    models.operate(endpoint=True)
    first = models.register(1)
    models.approve(first)
    second = models.register(2, sample='{"windows": "torn"}\n')
    models.approve(second)
    assert models.serving() == promotion_of(first)
    (failed,) = models.events("PromotionFailed")
    assert failed["serving"] == promotion_of(first)
    assert "the sample request was answered with 400" in failed["reason"]
    assert models.mails() == [PENDING, PENDING, "PromotionFailed"]
    found = models.sagemaker.describe_model_package(ModelPackageName=second)
    assert found["ModelApprovalStatus"] == REJECTED
    assert "answered with 400" in found["ApprovalDescription"]
    third = models.register(3)
    models.approve(third)
    assert models.serving() == promotion_of(third)
    assert len(service.asked) == 2


def test_a_first_model_that_fails_is_taken_away_and_the_next_begins_anew(models: Models):
    models.operate(endpoint=True)
    first = models.register(1, sample='{"windows": "torn"}\n')
    models.approve(first)
    assert models.sagemaker.list_endpoints()["Endpoints"] == []
    assert models.events("PromotionFailed")[0]["serving"] is None
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
    (failed,) = models.events("PromotionFailed")
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


def test_a_model_without_numbers_or_a_sample_starts_nothing(models: Models):
    models.operate(endpoint=True)
    package = models.register(1)
    models.s3.delete_object(
        Bucket=models.bucket, Key=f"operations/hvac/{RUN[:-1]}1/evaluation.json"
    )
    models.approve(package)
    assert models.mails() == [PENDING, "Unusable"]
    found = models.sagemaker.describe_model_package(ModelPackageName=package)
    assert found["ModelApprovalStatus"] == REJECTED
    models.register(2, sample=None)
    (letter,) = models.letters()
    assert "there is no sample request to try it with" in letter["Message"]
    assert models.said() == ["ModelPendingApproval"]
    assert models.sagemaker.list_models()["Models"] == []


def test_a_pipeline_that_answers_with_errors_is_told_of_once(models: Models, service: Service):
    service.statuses = [401]
    models.approve(models.register(1))
    assert models.said() == ["ModelPendingApproval", "ModelPromoted", "DeployCallFailed"]
    assert models.mails() == [PENDING, "DeployCallFailed"]
    assert not any("glptt" in json.dumps(r.detail, default=str) for r in models.cloud.journal)


def test_the_commands_decide_in_the_cloud_that_is_up_and_by_a_profile(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # of no workload: nobody but these commands judges its versions
    home, config = tmp_path / "home", tmp_path / "config"
    with up(home=home) as cloud:
        config.write_text(
            f"[profile there]\nregion = eu-west-1\nendpoint_url = {cloud.endpoint}\n"
            "aws_access_key_id = any\naws_secret_access_key = any\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        sagemaker = boto3.Session(profile_name="there").client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName=PUMPS)
        for _ in range(2):
            sagemaker.create_model_package(
                ModelPackageGroupName=PUMPS, ModelApprovalStatus=PENDING,
                CustomerMetadataProperties={"workload": "pumps", "retuned": "true"},
            )  # fmt: skip
        said = signalbox("approve", "pumps/1", "--board", "Ada, Grace", home=home)
        assert (said.returncode, "is approved" in said.stdout) == (0, True), said.stderr
        said = signalbox("reject", f"{PUMPS}/2", "--note", "worse", "--profile", "there", home=home)
        assert (said.returncode, "is rejected" in said.stdout) == (0, True), said.stderr
        strange = signalbox("approve", "pumps/9", home=home)
        assert (strange.returncode, "there are: 1, 2" in strange.stderr) == (2, True)
        bold = signalbox("approve", "pumps/2", home=home)
        assert (bold.returncode, "--board" in bold.stderr) == (2, True)
        shown = signalbox("models", "pumps", "--json", home=home)
        told = [
            (each["version"], each["approval"], each["note"]) for each in json.loads(shown.stdout)
        ]
        assert told == [(2, REJECTED, "worse"), (1, APPROVED, None)]
        assert json.loads(shown.stdout)[1]["board"] == "Ada / Grace"
        assert "pumps/1" in signalbox("models", home=home).stdout
        assert cloud.end() == 0
