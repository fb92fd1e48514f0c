"""Model cards: versions, statuses, the schema of their content, events, lists and export."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pypdf import PdfReader

from localcloud import Cloud
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.sharing import (
    ARN,
    CONTENT,
    OWNER,
    QUEUE,
    content,
    make_card,
    refusal,
)

CHANGED = "SageMaker Model Card State Change"
HERE = {"LocationConstraint": "eu-west-1"}
METRICS = [
    {"name": "recall", "type": "number", "value": 0.81},
    {"name": "curve", "type": "linear_graph", "value": [[0, 0.1], [1, 0.9]], "x_axis_name": "day"},
    {"name": "by site", "type": "bar_chart", "value": [1, 2], "x_axis_name": ["a", "b"]},
    {"name": "confusion", "type": "matrix", "value": [[5, 1], [0, 9]]},
    {"name": "passed", "type": "boolean", "value": True},
]
FULL = {
    **CONTENT,
    "business_details": {"business_problem": "Pumps fail unannounced."},
    "training_details": {
        "objective_function": {
            "function": {"function": "Minimize", "facet": "Loss", "condition": "validation"},
            "notes": "weighted",
        },
        "training_job_details": {
            "training_datasets": ["s3://data/train"],
            "training_metrics": [{"name": "loss", "value": 0.2, "notes": "last epoch"}],
            "hyper_parameters": [{"name": "layers", "value": "3"}],
        },
    },
    "evaluation_details": [
        {"name": "holdout", "metadata": {"fold": "3"},
         "metric_groups": [{"name": "all", "metric_data": METRICS}]},
    ],
    "additional_information": {"custom_details": {"owner": "Wärmepumpen-Team"}},
}  # fmt: skip


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(QUEUE)


@pytest.fixture
def cards(cloud: Cloud) -> Any:
    return cloud.client("sagemaker")


def told(cloud: Cloud) -> list[dict[str, Any]]:
    return [r.detail["detail"] for r in cloud.journal if r.name == CHANGED]


def test_a_status_makes_no_version_and_content_does(cloud: Cloud, cards: Any) -> None:
    cards.create_model_card(ModelCardName="pumps", Content=content(), ModelCardStatus="Draft")
    cards.update_model_card(ModelCardName=ARN, ModelCardStatus="PendingReview")
    found = cards.describe_model_card(ModelCardName="pumps")
    assert (found["ModelCardVersion"], found["ModelCardStatus"]) == (1, "PendingReview")
    cloud.run_for(timedelta(minutes=1))
    later = content(intended_uses={"risk_rating": "High"})
    answer = cards.update_model_card(ModelCardName="pumps", Content=later)
    assert answer["ModelCardArn"] == ARN
    found = cards.describe_model_card(ModelCardName=ARN)
    assert (found["ModelCardVersion"], found["ModelCardStatus"]) == (2, "PendingReview")
    assert json.loads(found["Content"])["intended_uses"] == {"risk_rating": "High"}
    first = cards.describe_model_card(ModelCardName=ARN, ModelCardVersion=1)
    assert json.loads(first["Content"]) == CONTENT
    assert found["CreationTime"] == first["CreationTime"]
    versions = cards.list_model_card_versions(ModelCardName=ARN, SortOrder="Ascending")
    shown = versions["ModelCardVersionSummaryList"]
    assert [each["ModelCardVersion"] for each in shown] == [1, 2]
    assert shown[0]["CreationTime"] < shown[1]["CreationTime"]


def test_only_the_metadata_where_only_that_is_asked_for(cloud: Cloud, cards: Any) -> None:
    make_card(cloud)
    found = cards.describe_model_card(ModelCardName="pumps", IncludedData="MetadataOnly")
    assert json.loads(found["Content"]) == {
        "model_overview": {"model_id": "pumps-7"},
        "intended_uses": {"risk_rating": "Low"},
    }


def test_every_change_is_told_once_in_the_owners_words(cloud: Cloud, cards: Any) -> None:
    make_card(cloud)
    cards.update_model_card(ModelCardName="pumps", ModelCardStatus="Approved")
    cards.update_model_card(ModelCardName="pumps", Content=json.dumps({}))
    first, second, third = told(cloud)
    assert {**first, "CreationTime": "", "LastModifiedTime": ""} == {
        "ModelCardVersion": 1, "ModelCardName": "pumps", "ModelCardStatus": "Draft",
        "ModelId": "pumps-7", "AccountId": OWNER, "SecurityConfig": {}, "CreationTime": "",
        "LastModifiedTime": "", "CreatedBy": {}, "LastModifiedBy": {},
    }  # fmt: skip
    assert first["CreationTime"].startswith("2026-01-01T00:00:00.")
    assert first["CreationTime"].endswith("Z")
    assert (second["ModelCardVersion"], second["ModelCardStatus"]) == (1, "Approved")
    assert (third["ModelCardVersion"], third["ModelCardStatus"]) == (2, "Approved")
    assert "ModelId" not in third
    (record, *_) = (r for r in cloud.journal if r.name == CHANGED)
    assert record.detail["resources"] == [ARN]
    assert record.detail["source"] == "aws.sagemaker"


def test_everything_the_schema_knows_is_taken(cards: Any) -> None:
    answer = cards.create_model_card(
        ModelCardName="pumps", Content=json.dumps(FULL), ModelCardStatus="Draft"
    )
    assert answer["ModelCardArn"] == ARN


LIMITS = {
    "no JSON": ("{", "not JSON"),
    "no object": ("[]", r"\$: \[\] is not of type 'object'"),
    "no number": ('{"model_overview": {"model_version": NaN}}', "NaN is no JSON number"),
    "unknown section": (content(colour="red"), "'colour' was unexpected"),
    "unknown field": (content(intended_uses={"risk": "Low"}), r"\$\.intended_uses: .*'risk'"),
    "description": (
        content(model_overview={"model_description": "x" * 1025}),
        r"\$\.model_overview\.model_description: is longer than 1024",
    ),
    "artifacts": (
        content(model_overview={"model_artifact": ["s3://a"] * 16}),
        r"\$\.model_overview\.model_artifact: is longer than 15",
    ),
    "version": (
        content(model_overview={"model_version": 0}),
        r"\$\.model_overview\.model_version: 0 is less than the minimum of 1",
    ),
    "rating": (content(intended_uses={"risk_rating": "low"}), r"\$\.intended_uses\.risk_rating"),
    "evaluation without a name": (
        content(evaluation_details=[{}]),
        r"\$\.evaluation_details\[0\]: 'name' is a required property",
    ),
    "observation": (
        content(evaluation_details=[{"name": "a", "evaluation_observation": "x" * 2097}]),
        r"\$\.evaluation_details\[0\]\.evaluation_observation: is longer than 2096",
    ),
    "points": (
        content(evaluation_details=[{"name": "a", "metric_groups": [{"name": "g", "metric_data": [
            {"name": "m", "type": "bar_chart", "value": [1] * 21}]}]}]),
        r"metric_groups\[0\]\.metric_data\[0\]\.value: is longer than 20",
    ),
    "text of a metric": (
        content(evaluation_details=[{"name": "a", "metric_groups": [{"name": "g", "metric_data": [
            {"name": "m", "type": "string", "value": "x" * 64}]}]}]),
        r"metric_data\[0\]\.value: is none of the kinds",
    ),
    "kind of a metric": (
        content(evaluation_details=[{"name": "a", "metric_groups": [{"name": "g", "metric_data": [
            {"name": "m", "type": "pie", "value": [1]}]}]}]),
        r"metric_data\[0\]: is none of the kinds",
    ),
    "custom detail": (
        content(additional_information={"custom_details": {"a": 1}}),
        r"\$\.additional_information\.custom_details\.a: 1 is not of type 'string'",
    ),
    "length": (content(model_overview={"problem_type": "x" * 100_001}), "or equal to 100000"),
}  # fmt: skip


@pytest.mark.parametrize("case", LIMITS)
def test_content_outside_the_schema_is_refused_with_its_path(cards: Any, case: str) -> None:
    given, said = LIMITS[case]
    with pytest.raises(ClientError, match=said) as caught:
        cards.create_model_card(ModelCardName="pumps", Content=given, ModelCardStatus="Draft")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert len(str(caught.value)) < 600
    assert cards.list_model_cards()["ModelCardSummaries"] == []


def test_the_longest_content_is_taken(cards: Any) -> None:
    room = 100_000 - len(json.dumps({"model_overview": {"problem_type": ""}}))
    longest = json.dumps({"model_overview": {"problem_type": "x" * room}})
    cards.create_model_card(ModelCardName="pumps", Content=longest, ModelCardStatus="Draft")
    assert len(cards.describe_model_card(ModelCardName="pumps")["Content"]) == 100_000


def test_refusals_in_the_services_own_words(cloud: Cloud, cards: Any) -> None:
    make_card(cloud)
    create, update, describe = (
        cards.create_model_card, cards.update_model_card, cards.describe_model_card,
    )  # fmt: skip
    card = {"Content": content(), "ModelCardStatus": "Draft"}
    assert refusal(create, ModelCardName="pumps", **card) == "ConflictException"
    assert refusal(create, ModelCardName="no_name", **card) == "ValidationException"
    odd = {**card, "ModelCardStatus": "Ready"}
    assert refusal(create, ModelCardName="other", **odd) == "ValidationException"
    assert refusal(update, ModelCardName="pumps", **card) == "ValidationException"
    assert refusal(update, ModelCardName="pumps") == "ValidationException"
    assert refusal(update, ModelCardName="none", ModelCardStatus="Draft") == "ResourceNotFound"
    assert refusal(describe, ModelCardName=f"{ARN}x") == "ResourceNotFound"
    assert refusal(describe, ModelCardName="pumps", ModelCardVersion=2) == "ResourceNotFound"
    assert refusal(cards.delete_model_card, ModelCardName=ARN) == "ValidationException"
    assert refusal(cards.delete_model_card, ModelCardName="none") == "ResourceNotFound"
    versions = cards.list_model_card_versions
    assert refusal(versions, ModelCardName="none") == "ResourceNotFound"
    assert len(told(cloud)) == 1


def test_an_archived_card_takes_no_content(cloud: Cloud, cards: Any) -> None:
    make_card(cloud, status="Archived")
    with pytest.raises(ClientError, match="Model Card is in Archived state") as caught:
        cards.update_model_card(ModelCardName="pumps", Content=content())
    assert caught.value.response["Error"]["Code"] == "ConflictException"


def test_a_deleted_card_is_gone_and_its_name_free(cloud: Cloud, cards: Any) -> None:
    make_card(cloud)
    cards.delete_model_card(ModelCardName="pumps")
    assert refusal(cards.describe_model_card, ModelCardName=ARN) == "ResourceNotFound"
    assert make_card(cloud) == ARN


def test_lists_by_name_status_time_and_page(cloud: Cloud, cards: Any) -> None:
    for name, status in (("a-one", "Draft"), ("b-two", "Approved"), ("c-one", "Draft")):
        make_card(cloud, name, status)

    def names(**asked: Any) -> list[str]:
        found = cards.list_model_cards(**asked)["ModelCardSummaries"]
        return [each["ModelCardName"] for each in found]

    assert names() == ["c-one", "b-two", "a-one"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a-one", "b-two", "c-one"]
    assert names(NameContains="ONE") == ["c-one", "a-one"]
    assert names(ModelCardStatus="Approved") == ["b-two"]
    made = cards.list_model_cards(NameContains="b-two")["ModelCardSummaries"][0]["CreationTime"]
    assert names(CreationTimeAfter=made + timedelta(seconds=1)) == []
    assert names(CreationTimeBefore=made + timedelta(seconds=1), MaxResults=1) == ["c-one"]
    first = cards.list_model_cards(MaxResults=2)
    assert len(first["ModelCardSummaries"]) == 2
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["a-one"]
    assert refusal(cards.list_model_cards, NextToken="x") == "ValidationException"


def test_tags_of_a_card(cards: Any) -> None:
    tags = [{"Key": "team", "Value": "pumps"}]
    card = {"Content": content(), "ModelCardStatus": "Draft", "Tags": tags}
    cards.create_model_card(ModelCardName="pumps", **card)
    cards.add_tags(ResourceArn=ARN, Tags=[{"Key": "stage", "Value": "test"}])
    assert [each["Key"] for each in cards.list_tags(ResourceArn=ARN)["Tags"]] == ["team", "stage"]


def exported(cloud: Cloud, name: str = "job", **more: Any) -> dict[str, Any]:
    sagemaker = cloud.client("sagemaker")
    arn = sagemaker.create_model_card_export_job(
        ModelCardName="pumps", ModelCardExportJobName=name,
        OutputConfig={"S3OutputPath": "s3://papers/cards/"}, **more,
    )["ModelCardExportJobArn"]  # fmt: skip
    found = sagemaker.describe_model_card_export_job(ModelCardExportJobArn=arn)
    assert found["Status"] == "InProgress"
    cloud.run_until_idle()
    ended: dict[str, Any] = sagemaker.describe_model_card_export_job(ModelCardExportJobArn=arn)
    return ended


def test_an_export_is_a_pdf_that_says_what_the_card_says(cloud: Cloud, cards: Any) -> None:
    cloud.client("s3").create_bucket(Bucket="papers", CreateBucketConfiguration=HERE)
    make_card(cloud)
    cards.update_model_card(ModelCardName="pumps", Content=json.dumps(FULL))
    job = exported(cloud)
    assert (job["Status"], job["ModelCardVersion"]) == ("Completed", 2)
    assert job["ModelCardExportJobArn"] == f"{ARN}/export-job/job"
    assert job["LastModifiedAt"] > job["CreatedAt"]
    bucket, _, key = (
        job["ExportArtifacts"]["S3ExportArtifacts"].removeprefix("s3://").partition("/")
    )
    assert (bucket, key.startswith("cards/")) == ("papers", True)
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    pages = PdfReader(io.BytesIO(body)).pages
    text = "\n".join(page.extract_text() for page in pages)
    for said in ("pumps", "version 2", "Warns before pumps fail.", "Wärmepumpen-Team", "recall",
                 "0.81", "confusion", "5, 1", "s3://data/train", "Risk rating: Low"):  # fmt: skip
        assert said in text
    first = exported(cloud, "first", ModelCardVersion=1)
    assert first["ModelCardVersion"] == 1
    listed = cards.list_model_card_export_jobs(ModelCardName="pumps", SortBy="Name")
    names = [each["ModelCardExportJobName"] for each in listed["ModelCardExportJobSummaries"]]
    assert names == ["job", "first"]
    listed = cards.list_model_card_export_jobs(ModelCardName="pumps", ModelCardVersion=1)
    assert len(listed["ModelCardExportJobSummaries"]) == 1


def test_an_export_without_its_bucket_has_failed_and_says_why(cloud: Cloud, cards: Any) -> None:
    make_card(cloud)
    job = exported(cloud)
    assert job["Status"] == "Failed"
    assert "NoSuchBucket" in job["FailureReason"]
    create = cards.create_model_card_export_job
    asked = {"ModelCardExportJobName": "job", "OutputConfig": {"S3OutputPath": "s3://papers"}}
    assert refusal(create, ModelCardName="pumps", **asked) == "ConflictException"
    assert refusal(create, ModelCardName="none", **asked) == "ResourceNotFound"
    asked["OutputConfig"] = {"S3OutputPath": "papers"}
    assert refusal(create, ModelCardName="pumps", **asked) == "ValidationException"
    arn = f"{ARN}/export-job/none"
    describe = cards.describe_model_card_export_job
    assert refusal(describe, ModelCardExportJobArn=arn) == "ResourceNotFound"


def test_an_archived_card_can_still_be_exported(cloud: Cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="papers", CreateBucketConfiguration=HERE)
    make_card(cloud, status="Archived")
    assert exported(cloud)["Status"] == "Completed"


def test_events_and_exports_name_what_caused_them(cloud: Cloud, cards: Any) -> None:
    cloud.client("s3").create_bucket(Bucket="papers", CreateBucketConfiguration=HERE)
    make_card(cloud)
    with cloud.journal.entry("invocation", "Editor") as inside:
        cards.update_model_card(ModelCardName="pumps", ModelCardStatus="Approved")
        cards.create_model_card_export_job(
            ModelCardName="pumps", ModelCardExportJobName="job",
            OutputConfig={"S3OutputPath": "s3://papers"},
        )  # fmt: skip
    cloud.run_until_idle()
    (_, event) = (r for r in cloud.journal if r.name == CHANGED)
    assert event.cause == inside.id
    (begun, ended) = (r for r in cloud.journal if r.kind == "job")
    assert (begun.cause, begun.status) == (inside.id, "InProgress")
    assert (ended.cause, ended.status) == (begun.id, "Completed")
