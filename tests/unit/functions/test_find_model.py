import pytest

from functions.find_model import app
from signalbox.contracts.registry import FoundModel, counts, group_of
from signalbox.errors import Rejected
from tests.fakes import LambdaContext

FOUND = FoundModel(package="arn", model_data="s3://b/m", baseline="s3://b/s")


class Registered:
    def approved(self, workload):
        return FOUND if workload == "abalone" else None


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    monkeypatch.setattr(app, "registry", Registered)


def test_the_answer_names_the_model_in_text_only():
    assert app.handler({"Workload": "abalone"}, LambdaContext()) == {
        "Found": "yes", "Package": "arn", "ModelData": "s3://b/m",
        "Baseline": "s3://b/s",
    }  # fmt: skip


def test_without_a_model_the_answer_says_no():
    answer = app.handler({"Workload": "hvac"}, LambdaContext())
    assert answer["Found"] == "no"
    assert set(answer) == {"Found", "Package", "ModelData", "Baseline"}


def test_a_request_of_another_shape_is_told_to_who_asks():
    with pytest.raises(Rejected, match="Workload"):
        app.handler({"workload": ""}, LambdaContext())


def test_a_retuned_model_counts_once_a_board_has_seen_it():
    assert counts({})
    assert not counts({"CustomerMetadataProperties": {"retuned": "true"}})
    assert counts({"CustomerMetadataProperties": {"retuned": "true", "review_board": "A. Board"}})
    assert group_of("air_quality") == "signalbox-air-quality"
