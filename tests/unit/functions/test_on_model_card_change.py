import pytest

from functions.on_model_card_change import app
from tests.fakes import LambdaContext, sample
from tests.shared_cards import ACCOUNTS, World, package

CARD = "signalbox-abalone-2"


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.registry.packages[2] = package(2)
    monkeypatch.setattr(app, "sharing", lambda: world.sharing)
    return world


def deliver(*names):
    for name in names:
        app.handler(sample(f"aws.sagemaker/model-card-state-change{name}.json"), LambdaContext())


def test_the_state_of_the_card_decides_and_not_that_of_the_event(world):
    world.registry.judge(2, "Approved")
    world.settle(2)
    deliver(".approved", "", ".draft", ".draft")  # late and twice
    assert world.states() == {CARD: "Approved"}
    assert {f"{CARD}-{stage}" for stage in ACCOUNTS} == set(world.shares.open_to())
    assert len(world.topic.mails) == 1 + len(ACCOUNTS)


def test_somebody_elses_card_is_ignored(world):
    deliver(".other-card")
    assert (world.shares.steps, world.bus.heard) == ([], [])


def test_a_card_that_is_gone_meanwhile_is_shared_with_nobody(world):
    deliver("")
    assert world.shares.open_to() == {}
