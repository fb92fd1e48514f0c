import pytest

from functions.find_model import app
from signalbox.contracts.promotion import Flight, Standing
from signalbox.contracts.registry import group_of
from signalbox.errors import Rejected
from tests.fakes import NOON, LambdaContext
from tests.promoted import InMemoryPromotions, InMemoryRegistry, arn, registered

promotions = InMemoryPromotions()


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    registry = InMemoryRegistry()
    monkeypatch.setattr(app, "registry", lambda: registry)
    monkeypatch.setattr(app, "promotions", lambda: promotions)
    promotions.standings.clear()
    return registry


def ask(workload="hvac"):
    return app.handler({"Workload": workload}, LambdaContext())


def test_the_answer_names_the_highest_version_that_counts_in_text_only(registry):
    for version, told in {
        1: {}, 2: {}, 3: {"metadata": {"retuned": "true"}}, 4: {"status": "Failed"},
        5: {"approval": "Rejected"},
    }.items():  # fmt: skip
        registry.packages[arn(version)] = registered(version, **told)
    assert ask() == {
        "Found": "yes", "Package": arn(2), "ModelData": "s3://b/2/model.tar.gz", "Baseline": "s3://b/2",
    }  # fmt: skip
    registry.set(arn(3), metadata={"retuned": "true", "review_board": "A. Board"})
    assert ask()["Package"] == arn(3)


def test_without_a_model_the_answer_says_no(registry):
    registry.packages[arn(1)] = registered(1, approval="PendingManualApproval")
    answer = ask()
    assert answer["Found"] == "no"
    assert set(answer) == {"Found", "Package", "ModelData", "Baseline"}


def test_a_model_that_is_being_tried_counts_for_no_batch_while_another_serves(registry):
    for version in (1, 2, 3):
        registry.packages[arn(version)] = registered(version)
    flight = Flight(package=arn(2), former="c", seen="t", began=NOON)
    promotions.standings["hvac"] = Standing(promoted=arn(1), flight=flight, waiting=arn(3))
    assert ask()["Package"] == arn(1)
    promotions.standings["hvac"] = Standing(promoted=arn(2), waiting=arn(3))
    assert ask()["Package"] == arn(2)
    promotions.standings["hvac"] = Standing(promoted=arn(3))
    assert ask()["Package"] == arn(3)
    promotions.standings["hvac"] = Standing(flight=flight)
    assert ask()["Package"] == arn(3), "nothing serves that it could keep to"


def test_a_model_that_lacks_what_promotion_asks_for_counts_for_no_batch(registry):
    registry.packages[arn(1)] = registered(1)
    registry.packages[arn(2)] = registered(2, artifacts=())
    registry.packages[arn(3)] = registered(3, statistics=None)
    registry.packages[arn(4)] = registered(4, constraints=None)
    assert ask()["Package"] == arn(1)


def test_a_request_of_another_shape_is_told_to_who_asks():
    with pytest.raises(Rejected, match="Workload"):
        app.handler({"workload": ""}, LambdaContext())


def test_groups_are_named_after_workloads():
    assert group_of("air_quality") == "signalbox-air-quality"
