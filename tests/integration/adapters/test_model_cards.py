"""What the doors of cards keep and ask for: notes on moto, versions of models, cards that clash."""

from __future__ import annotations

import json
from datetime import timedelta

import boto3
import pytest

from signalbox.adapters.card_notes import LEASE, CardNotes
from signalbox.adapters.model_cards import MAX_ATTEMPTS, ModelCards, _job
from signalbox.adapters.model_registry import ModelRegistry
from signalbox.adapters.objects import Objects
from signalbox.domain.cards import Card
from signalbox.errors import Misconfigured, Rejected, Transient
from tests.fakes import BUCKET, NOON
from tests.shared_cards import OWNER, InMemoryNotes, package

GROUP = "signalbox-abalone"
CARD = Card(f"{GROUP}-1", f"{OWNER}:model-card/{GROUP}-1", "Approved", 2)


@pytest.fixture(params=[CardNotes, InMemoryNotes], ids=lambda kind: kind.__name__)
def notes(request, aws):
    return request.param("OperationsTable") if request.param is CardNotes else request.param()


def test_a_thing_is_said_once_and_another_in_its_place(notes):
    assert notes.claim("c", "share#dev", "one", NOON)
    with pytest.raises(Transient, match="lease"):
        notes.claim("c", "share#dev", "one", NOON + LEASE / 2)
    notes.done("c", "share#dev")
    assert not notes.claim("c", "share#dev", "one", NOON + LEASE * 9)
    assert notes.claim("c", "share#dev", "two", NOON)
    assert notes.grants("c") == {"share#dev": "two"}
    assert notes.grants("other") == {}
    notes.forget("c", "share#dev")
    notes.forget("c", "share#dev")
    assert notes.grants("c") == {}
    assert notes.claim("c", "share#dev", "two", NOON)


def test_who_died_while_saying_it_is_taken_over_from(notes):
    assert notes.claim("c", "draft", "", NOON)
    assert notes.claim("c", "draft", "", NOON + LEASE + timedelta(seconds=1))
    with pytest.raises(Transient):
        notes.claim("c", "draft", "", NOON + LEASE + timedelta(seconds=2))


@pytest.fixture
def registry(aws):
    boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    return ModelRegistry(Objects(BUCKET), f"{OWNER}:model-package/")


def register(approval, **metadata):
    return boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus=approval,
        CustomerMetadataProperties={"workload": "abalone", **metadata},
    )["ModelPackageArn"]  # fmt: skip


def test_the_newest_approved_version_is_one_that_counts(registry):
    assert registry.newest_approved(GROUP) is None
    for each in ("Approved", "Approved", "Rejected", "PendingManualApproval"):
        register(each)
    unseen = register("Approved", retuned="true")
    assert registry.newest_approved(GROUP) == 2
    assert registry.package(unseen).approval == "PendingManualApproval"
    register("Approved", retuned="true", review_board="Ada")
    assert registry.newest_approved(GROUP) == 6
    assert [registry.approval(GROUP, version) for version in (1, 3, 5, 9)] == [
        "Approved", "Rejected", "PendingManualApproval", None,
    ]  # fmt: skip


def test_an_evaluation_is_read_from_our_bucket_only(registry, s3):
    about = package(1, evaluation=f"s3://{BUCKET}/operations/abalone/1/evaluation.json")
    assert registry.evaluation(about) is None
    s3.put_object(
        Bucket=BUCKET, Key="operations/abalone/1/evaluation.json", Body=json.dumps({"a": 1})
    )
    assert registry.evaluation(about) == {"a": 1}
    assert registry.evaluation(package(1, evaluation="s3://theirs/x.json")) is None
    s3.put_object(Bucket=BUCKET, Key="operations/abalone/1/evaluation.json", Body=b"[1]")
    with pytest.raises(Rejected, match="no JSON object"):
        registry.evaluation(about)


def test_a_model_that_no_pipeline_made_has_no_training(registry):
    assert registry.training(package(1, execution=None)) is None
    assert registry.training(package(1, execution=f"{OWNER}:training-job/x")) is None


class Exports:
    """What SageMaker knows of export jobs: names and states."""

    def __init__(self, known):
        self.known, self.made = known, []

    def get_paginator(self, operation):
        assert operation == "list_model_card_export_jobs"
        return self

    def paginate(self, **asked):
        jobs = [{"ModelCardExportJobName": n, "Status": s} for n, s in self.known.items()]
        return [{"ModelCardExportJobSummaries": jobs}]

    def create_model_card_export_job(self, **asked):
        self.made.append(asked["ModelCardExportJobName"])


def test_an_export_that_fails_is_tried_again_and_then_a_person_is_asked_for():
    names = [_job(CARD, f"s3://{BUCKET}/cards/", attempt) for attempt in range(MAX_ATTEMPTS)]
    assert len(set(names)) == MAX_ATTEMPTS
    assert all(len(name) <= 63 for name in names)
    for failed in range(MAX_ATTEMPTS):
        exports = Exports(dict.fromkeys(names[:failed], "Failed"))
        ModelCards(client=exports).export(CARD, BUCKET, "cards/")
        assert exports.made == [names[failed]]
    for status in ("InProgress", "Completed"):
        exports = Exports({names[0]: "Failed", names[1]: status})
        ModelCards(client=exports).export(CARD, BUCKET, "cards/")
        assert exports.made == []
    with pytest.raises(Misconfigured, match="FailureReason"):
        ModelCards(client=Exports(dict.fromkeys(names, "Failed"))).export(CARD, BUCKET, "cards/")
