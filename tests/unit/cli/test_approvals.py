"""What is approved, rejected and shown, on a registry in moto."""

import io
import json

import boto3
import pytest
from rich.console import Console

from cli.approvals import approve, known, metadata_text, models, named, reject, table
from cli.place import Place
from cli.whereabouts import BadUse
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.promotion_table import PromotionTable
from signalbox.contracts.packages import APPROVED, PENDING, REJECTED
from signalbox.contracts.promotion import Promotion, Standing
from tests.fakes import BUCKET, NOON
from tests.integration.adapters.conftest import aws, s3, template
from tests.promoted import RUN, evaluation

__all__ = ["aws", "s3", "template"]

GROUP = "signalbox-air-quality"


class Here(Place):
    """An account in this process."""

    def client(self, service):
        return boto3.client(service)

    def table(self, logical_id):
        return logical_id

    def environment(self, function):
        return {"OWNER": "arn:aws:sagemaker:eu-west-1:123456789012", "OPERATIONS_TABLE": "x"}


@pytest.fixture
def registry(s3):
    """Three packages; the second was retuned, the third has no numbers."""
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    for version in (1, 2, 3):
        key = f"operations/air_quality/{RUN}/{version}.json"
        if version < 3:
            s3.put_object(Bucket=BUCKET, Key=key, Body=evaluation(rmse=version / 3, mae=version))
        metadata = {"workload": "air_quality", "run": RUN}
        sagemaker.create_model_package(
            ModelPackageGroupName=GROUP, ModelApprovalStatus=PENDING,
            CustomerMetadataProperties=metadata | ({"retuned": "true"} if version == 2 else {}),
            ModelMetrics={"ModelQuality": {"Statistics": {
                "ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{key}"}}},
        )  # fmt: skip
    return ModelRegistry(sagemaker)


def said(run, *arguments, **options):
    stream = io.StringIO()
    assert run(Console(file=stream, width=200), Here(), *arguments, **options) == 0
    return stream.getvalue()


@pytest.mark.parametrize("word", ["air_quality/1", f"{GROUP}/1", "arn"])
def test_a_package_has_three_names(registry, word):
    arn = next(each for each in registry.listing(GROUP) if each.endswith("/1"))
    assert named(registry, arn if word == "arn" else word).arn == arn


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("air_quality", "say its ARN, group/version or workload/version"),
        ("air_quality/9", f"group {GROUP} has no version 9; there are: 1, 2, 3"),
        ("abalone/1", "has no version 1; there are: none"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:model/x", "is no versioned model package"),
        (
            f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{GROUP}/9",
            "there is no package",
        ),
    ],
)
def test_what_names_no_package_is_said_with_what_there_is(registry, word, words):
    with pytest.raises(BadUse, match=words):
        named(registry, word)


def test_a_decision_is_the_status_in_the_registry_with_its_reasons(registry):
    assert "is approved" in said(approve, "air_quality/1", None, "good, at last")
    found = named(registry, "air_quality/1")
    assert found.approval == APPROVED
    assert found.metadata == {
        "workload": "air_quality", "run": RUN, "review_note": "good / at last",
    }  # fmt: skip
    assert "is rejected" in said(reject, "air_quality/1", "worse")
    assert named(registry, "air_quality/1").approval == REJECTED


def test_a_retuned_model_is_not_approved_without_a_board(registry):
    with pytest.raises(BadUse, match="--board"):
        said(approve, "air_quality/2", None, None)
    assert named(registry, "air_quality/2").approval == PENDING
    said(approve, "air_quality/2", "Ada, Grace", None)
    assert named(registry, "air_quality/2").metadata["review_board"] == "Ada / Grace"


def test_models_are_shown_with_what_came_of_them(registry):
    table = PromotionTable("OperationsTable")
    arns = {each.rpartition("/")[2]: each for each in registry.listing(GROUP)}
    table.ended("air_quality", Promotion(package=arns["1"], state="promoted", at=NOON))
    failed = Promotion(package=arns["2"], state="failed", at=NOON, reason="no luck")
    table.ended("air_quality", failed)
    table.change("air_quality", Standing(), promoted=arns["1"])
    boto3.client("sagemaker").create_model_card(
        ModelCardName=f"{GROUP}-1", Content="{}", ModelCardStatus="Approved"
    )
    rows = list(known(Here(), None))
    assert [(each["version"], each["serves"], each["promotion"]) for each in rows] == [
        (3, False, None), (2, False, "failed"), (1, True, "promoted"),
    ]  # fmt: skip
    assert rows[1]["metrics"] == {"rmse": 2 / 3, "mae": 2}
    shown = said(models, "air_quality", as_json=False)
    cells = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in shown.splitlines()
        if "air_quality/" in line
    ]
    assert cells == [
        ["air_quality/3", "pending", "", "", "", "", "", ""],
        [
            "air_quality/2",
            "pending",
            "rmse 0.6667, mae 2",
            "no board",
            "failed: no luck",
            "2026-07-02 12:00",
            "",
            "",
        ],
        [
            "air_quality/1",
            "pending",
            "rmse 0.3333, mae 1",
            "",
            "in service",
            "2026-07-02 12:00",
            "Approved",
            "",
        ],
    ]
    assert [(each["card"], each["accounts"]) for each in rows] == [
        (None, 0), (None, 0), ("Approved", 0),
    ]  # fmt: skip
    assert json.loads(said(models, None, as_json=True))[1]["reason"] == "no luck"
    assert "No models" in said(models, "abalone", as_json=False)


def test_what_was_withdrawn_does_not_serve(registry):
    table = PromotionTable("OperationsTable")
    arn = next(each for each in registry.listing(GROUP) if each.endswith("/1"))
    table.ended("air_quality", Promotion(package=arn, state="withdrawn", at=NOON))
    table.change("air_quality", Standing(), promoted=arn)
    row = next(each for each in known(Here(), None) if each["version"] == 1)
    assert (row["serves"], row["promotion"]) == (False, "withdrawn")


def test_what_the_gate_asks_for_is_shown_first(registry):
    row = next(iter(known(Here(), None))) | {
        "metrics": {"recall": 0.9, "precision": 0.8, "accuracy": 0.85, "f1": 0.84, "auc": 0.91}
    }
    console = Console(file=io.StringIO(), width=200)
    console.print(table([row]))
    assert "auc 0.91, f1 0.84, recall 0.9 " in console.file.getvalue()


def test_metadata_takes_letters_of_all_kinds_and_few_signs():
    assert metadata_text("Łukasz; Ångström <b>\n(ok)") == "Łukasz / Ångström b ok"
    assert len(metadata_text("x" * 999)) == 256
