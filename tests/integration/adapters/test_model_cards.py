"""What the doors of cards keep and ask for: notes on moto, versions of models, cards that clash."""

from __future__ import annotations

import json
from datetime import timedelta

import boto3
import pytest

from signalbox.adapters.card_notes import LEASE, CardNotes
from signalbox.adapters.model_cards import MAX_ATTEMPTS, ModelCards, _job
from signalbox.adapters.objects import Objects
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.provenance import Provenance
from signalbox.domain.cards import Card
from signalbox.domain.registry import judged, latest, serving
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
    assert notes.finished("c") == frozenset()
    notes.done("c", "share#dev")
    assert notes.finished("c") == {"share#dev"}
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
    return ModelRegistry()


@pytest.fixture
def provenance(aws):
    return Provenance(Objects(BUCKET))


WHOLE = {
    "ModelMetrics": {
        "ModelQuality": {"Statistics": {
            "ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/evaluation.json"}},
        "ModelDataQuality": {"Constraints": {
            "ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/constraints.json"}},
    },
    "InferenceSpecification": {
        "Containers": [{"Image": "i", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
    },
}  # fmt: skip


def register(approval, *, whole=True, **metadata):
    return boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus=approval,
        CustomerMetadataProperties={"workload": "abalone", **metadata}, **(WHOLE if whole else {}),
    )["ModelPackageArn"]  # fmt: skip


def test_the_highest_version_counts_that_is_approved_and_seen(registry):
    assert serving("abalone", registry).found == "no"
    approvals = ("Approved", "Approved", "Rejected", "PendingManualApproval")
    arns = [register(each) for each in approvals]
    arns.append(register("Approved", retuned="true"))
    assert latest(GROUP, registry).version == 2
    arns.append(register("Approved", retuned="true", review_board="Ada"))
    assert latest(GROUP, registry).version == 6
    assert [judged(registry.find(arn)) for arn in arns] == [
        "Approved", "Approved", "Rejected", "PendingManualApproval", "PendingManualApproval", "Approved",
    ]  # fmt: skip
    assert registry.find(f"{OWNER}:model-package/{GROUP}/9") is None
    bare = register("Approved", whole=False)
    assert (latest(GROUP, registry).version, judged(registry.find(bare))) == (
        6, "PendingManualApproval",
    )  # fmt: skip


def test_what_did_not_come_into_service_is_rejected_with_the_reason_in_one_line(registry):
    arn = register("Approved")
    registry.reject(registry.find(arn), "it did not come into service: broken\n\tat 3")
    found = boto3.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert found["ModelApprovalStatus"] == "Rejected"
    assert found["ApprovalDescription"] == "it did not come into service: broken at 3"
    assert latest(GROUP, registry) is None


def test_a_version_approved_late_does_not_overtake_a_higher_one(registry):
    older, newer = register("PendingManualApproval"), register("Approved")
    boto3.client("sagemaker").update_model_package(
        ModelPackageArn=older, ModelApprovalStatus="Approved"
    )
    assert latest(GROUP, registry).arn == newer


def test_a_group_that_never_was_has_no_model(registry):
    assert registry.listing("signalbox-turbofan") == []
    assert serving("turbofan", registry).found == "no"


def test_an_evaluation_is_read_from_our_bucket_only(provenance, s3):
    about = package(1, statistics=f"s3://{BUCKET}/operations/abalone/1/evaluation.json")
    assert provenance.evaluation(about) is None
    s3.put_object(
        Bucket=BUCKET, Key="operations/abalone/1/evaluation.json", Body=json.dumps({"a": 1})
    )
    assert provenance.evaluation(about) == {"a": 1}
    assert provenance.evaluation(package(1, statistics="s3://theirs/x.json")) is None
    s3.put_object(Bucket=BUCKET, Key="operations/abalone/1/evaluation.json", Body=b"[1]")
    with pytest.raises(Rejected, match="no JSON object"):
        provenance.evaluation(about)


def test_a_model_that_no_pipeline_made_has_no_training(provenance):
    assert provenance.training(package(1, execution=None)) is None
    assert provenance.training(package(1, execution=f"{OWNER}:training-job/x")) is None


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
        ModelCards(client=exports).export(CARD, BUCKET, "cards/", there=False)
        assert exports.made == [names[failed]]
    for status in ("InProgress", "Completed"):
        exports = Exports({names[0]: "Failed", names[1]: status})
        ModelCards(client=exports).export(CARD, BUCKET, "cards/", there=True)
        assert exports.made == []
    exports = Exports(dict.fromkeys(names, "Failed"))
    with pytest.raises(Misconfigured, match="FailureReason"):
        ModelCards(client=exports).export(CARD, BUCKET, "cards/", there=False)


def test_an_export_that_was_removed_since_is_made_again_however_often():
    names = [_job(CARD, f"s3://{BUCKET}/cards/", attempt) for attempt in range(9)]
    exports = Exports(dict.fromkeys(names[:8], "Completed"))
    ModelCards(client=exports).export(CARD, BUCKET, "cards/", there=False)
    assert exports.made == [names[8]]
    exports = Exports({names[0]: "Completed", names[1]: "InProgress"})
    ModelCards(client=exports).export(CARD, BUCKET, "cards/", there=False)
    assert exports.made == []
