import json

import pytest

from functions.on_package_card import app
from signalbox.errors import Transient
from tests.fakes import Crash, Fuse, KeptRejections, LambdaContext, sample
from tests.shared_cards import World, package

DRAFTED = "signalbox/ModelCardDrafted"


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.registry.packages[2] = package(2)
    monkeypatch.setattr(app, "cards", lambda: world.cards)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(world.bus))
    return world


def deliver(*names):
    for name in names or ("aws.sagemaker/model-package-state-change", DRAFTED):
        event = sample(f"{name}.json")
        event["detail"]["package" if name == DRAFTED else "ModelPackageArn"] = package(2).arn
        app.handler(event, LambdaContext())


def test_a_registered_package_gets_a_draft_that_is_filled_when_it_was_shared(world):
    deliver("aws.sagemaker/model-package-state-change")
    assert world.states() == {"signalbox-abalone-2": "Draft"}
    deliver(DRAFTED)
    assert world.states() == {"signalbox-abalone-2": "PendingReview"}


def test_an_evaluation_that_is_too_long_for_a_card_is_told_once_and_the_card_goes_its_way(world):
    metrics = {f"{'x' * 200} {n}": {"value": n} for n in range(1000)}
    world.registry.quality = {"regression_metrics": metrics}
    for _ in range(3):
        deliver()
    world.registry.judge(2, "Approved")
    deliver("aws.sagemaker/model-package-state-change.approved", DRAFTED)
    assert world.states() == {"signalbox-abalone-2": "Approved"}
    assert [mail.attributes["kind"] for mail in world.topic.mails] == [
        "card-draft", "card-incomplete",
    ]  # fmt: skip
    assert app.handler.rejections.events == {}


def test_a_registered_package_gets_its_card_once(world):
    for _ in range(2):
        deliver()
    assert world.states() == {"signalbox-abalone-2": "PendingReview"}
    assert len(world.topic.mails) == 1


@pytest.mark.parametrize(
    ("approval", "status"), [("Approved", "Approved"), ("Rejected", "Archived")]
)
def test_the_card_goes_with_the_verdict(world, approval, status):
    deliver()
    world.registry.judge(2, approval)
    deliver(f"aws.sagemaker/model-package-state-change.{approval.lower()}")
    assert world.states() == {"signalbox-abalone-2": status}


def test_right_after_a_crash_the_platform_is_asked_to_come_again(world):
    world.topic.fuse = Fuse(1)
    with pytest.raises(Crash):
        deliver()
    with pytest.raises(Transient, match="lease"):
        deliver()


def test_an_event_that_names_no_package_is_parked(world):
    event = sample("aws.sagemaker/model-package-state-change.json")
    del event["detail"]["ModelPackageArn"]
    app.handler(event, LambdaContext())
    (parked,) = app.handler.rejections.events.values()
    assert (parked.door, parked.reason) == ("on_package_card", "unreadable-event")
    assert json.loads(parked.model_dump_json())["payload"]["id"] == event["id"]
