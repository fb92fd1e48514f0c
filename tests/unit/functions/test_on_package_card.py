import json

import pytest

from functions.on_package_card import app
from signalbox.errors import Transient
from tests.fakes import Crash, Fuse, KeptRejections, LambdaContext, sample
from tests.shared_cards import World, package


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.registry.packages[2] = package(2)
    monkeypatch.setattr(app, "cards", lambda: world.cards)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(world.bus))
    return world


def deliver(name="model-package-state-change"):
    event = sample(f"aws.sagemaker/{name}.json")
    event["detail"]["ModelPackageArn"] = package(2).arn
    app.handler(event, LambdaContext())


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
    deliver(f"model-package-state-change.{approval.lower()}")
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
