"""A model's way into service behind an endpoint, and back."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.packages import (
    APPROVED,
    REJECTED,
    promotion_of,
)
from signalbox.contracts.promotion import Flight, Standing
from signalbox.contracts.registry import group_of
from signalbox.domain.claims import LEASE
from signalbox.domain.registry import serving
from signalbox.errors import Transient
from tests.fakes import Crash, Fuse
from tests.promoted import RUN, World, arn

GONE = b""
ONE, TWO, THREE = (promotion_of(arn(version)) for version in (1, 2, 3))


def in_service(**told):
    """A world in which model 1 serves."""
    world = World(endpoint=True, **told)
    world.register(1)
    assert (world.approve(1), world.rest()) == ("started", "promoted")
    world.register(2)
    world.register(3)
    return world


def test_the_first_model_gets_an_endpoint_of_its_own():
    world = World(endpoint=True)
    world.register(1)
    assert world.approve(1) == "started"
    assert world.bus.heard == []
    assert world.promoting.settled(group_of("hvac"), world.now) == "moving"
    assert world.rest() == "promoted"
    (event,) = world.bus.heard
    assert (event.endpoint, event.promotion, event.former) == (group_of("hvac"), ONE, None)
    assert world.serving() == ONE
    assert world.promoting.settled(group_of("hvac"), world.now) == "ignored"


def test_the_next_model_takes_its_place_and_is_watched():
    world = in_service()
    assert world.approve(2) == "started"
    assert world.serving() == ONE
    assert world.rest() == "promoted"
    assert world.endpoints.updates == [(TWO, True)]
    assert world.bus.heard[-1].former == arn(1)


def test_a_sample_decides_whether_a_model_stays():
    world = in_service()
    world.approve(2)
    world.rest()
    config, sample = world.endpoints.invoked[-1]
    assert (config, sample.body) == (TWO, "1,2\n")
    assert world.said()[-1] == "ModelPromoted 2"


@pytest.mark.parametrize(
    ("content", "answer", "words"),
    [
        (None, "the sample request was answered with 500", "answered with 500"),
        (b"{}", None, "is no sample request"),
        (GONE, None, "there is no sample request to try it with"),
    ],
)
def test_a_model_that_fails_its_sample_gives_way_to_the_former(content, answer, words):
    world = in_service()
    if answer:
        world.endpoints.answers[TWO] = answer
    world.approve(2)
    if content == GONE:  # meanwhile
        del world.files.versions[f"operations/hvac/{RUN[:-1]}2/smoke.json"]
    elif content:
        world.smoke(2, content)
    assert world.rest() == "rolling-back"
    assert world.said() == ["ModelPromoted 1"]
    assert world.rest() == "failed"
    assert world.promoting.settled(group_of("hvac"), world.now) == "ignored"
    event = world.bus.heard[-1]
    assert (event.detail_type(), event.serving, words in event.reason) == (
        "PromotionFailed", ONE, True,
    )  # fmt: skip
    (mail,) = world.topic.messages
    assert (mail.attributes["status"], words in mail.body) == ("PromotionFailed", True)
    assert world.serving() == ONE
    assert world.table.promotion("hvac", arn(2)).state == "failed"
    assert world.table.standing("hvac").promoted == arn(1)
    assert serving("hvac", world.packages).package == arn(1)


def test_what_failed_counts_no_longer_until_it_is_approved_anew():
    world = in_service()
    world.endpoints.answers[TWO] = "answered with 500"
    approved = world.packages.find(arn(2)).model_copy(update={"approval": APPROVED})
    world.approve(2)
    world.rest()
    world.rest()
    assert world.packages.find(arn(2)).approval == REJECTED
    assert world.packages.reasons[arn(2)] == "it did not come into service: answered with 500"
    assert world.deliver(approved) == "late"
    world.endpoints.answers.clear()
    assert world.approve(2) == "started"  # though the rejection was never heard of
    assert world.rest() == "promoted"
    assert world.said()[1:] == ["PromotionFailed 2", "ModelPromoted 2"]


def test_a_fault_model_that_cannot_score_leaves_the_endpoint_as_it_was():
    world = in_service()
    world.scored = frozenset({"hvac"})
    world.approve(2)  # its archive is not there
    assert world.rest() == "rolling-back"
    assert world.rest() == "failed"
    assert (world.serving(), world.bus.heard[-1].serving) == (ONE, ONE)
    assert "is not in s3://" in world.bus.heard[-1].reason


def test_rejecting_the_model_in_service_brings_back_the_former_that_is_still_approved():
    world = in_service()
    world.approve(2)
    world.rest()
    rejected = world.packages.set(arn(2), approval=REJECTED)
    assert world.deliver(rejected) == "started"
    assert world.deliver(rejected) == "repeated"
    assert world.rest() == "promoted"
    assert world.promoting.settled(group_of("hvac"), world.now) == "ignored"
    assert (world.serving(), [event.version for event in world.bus.heard]) == (ONE, [1, 2, 1])


def test_what_stepped_aside_for_a_newer_one_comes_when_that_fails():
    """In flight when the newer one is approved, or approved while that is tried: both lost their turn."""
    for order in ((3, 2), (2, 3)):
        world = in_service()
        world.endpoints.answers[THREE] = "no"
        for version in order:
            world.approve(version)
        for _ in range(4):
            world.rest()
        assert world.serving() == ONE
        assert world.deliver(world.packages.find(arn(3))) == "started"  # its rejection
        assert (world.rest(), world.serving()) == ("promoted", TWO)
        assert world.table.standing("hvac").promoted == arn(2)
        assert serving("hvac", world.packages).package == arn(2)


def test_a_rejection_while_a_model_comes_into_service_is_not_lost():
    world = World()
    world.register(1)
    world.approve(1)
    world.register(2)
    emit = world.bus.emit

    def rejected_meanwhile(event):
        emit(event)
        world.bus.emit = emit
        assert world.deliver(world.packages.set(arn(2), approval=REJECTED)) == "recorded"

    world.bus.emit = rejected_meanwhile
    with pytest.raises(Transient, match="changed by somebody else"):
        world.approve(2)
    assert world.promoting.serving("hvac") == arn(1)
    assert world.deliver(world.packages.find(arn(2)), APPROVED) == "late"
    world.register(3)
    with pytest.raises(Transient, match="just coming into service"):
        world.approve(3)
    world.now += LEASE
    assert world.approve(3) == "promoted"


def test_what_was_rejected_while_another_was_tried_does_not_stay_when_that_fails():
    world = in_service()
    world.approve(2)
    world.rest()
    world.endpoints.answers[THREE] = "no"
    world.approve(3)
    assert world.deliver(world.packages.set(arn(2), approval=REJECTED)) == "started"
    assert [world.rest(), world.rest()] == ["rolling-back", "failed"]
    assert world.serving() == TWO
    assert world.deliver(world.packages.find(arn(3))) == "started"  # its rejection
    assert (world.rest(), world.serving()) == ("promoted", ONE)


def test_an_update_that_goes_back_by_itself_is_told_with_its_reason():
    world = in_service()
    world.approve(2)
    assert world.rest(healthy=False) == "failed"
    assert world.bus.heard[-1].reason == "the model is broken"
    assert world.serving() == ONE


@pytest.mark.parametrize("healthy", [True, False])
def test_a_first_model_that_fails_leaves_nothing_and_the_next_begins_anew(healthy):
    world = World(endpoint=True)
    world.register(1)
    world.smoke(1)
    world.endpoints.answers[ONE] = "no"
    world.approve(1)
    assert world.rest(healthy=healthy) == "failed"
    assert world.bus.heard[-1].serving is None
    world.register(2)
    with pytest.raises(Transient, match="is being deleted"):
        world.approve(2)
    world.endpoints.rest(group_of("hvac"))
    assert world.deliver(world.packages.find(arn(2))) == "started"
    assert world.rest() == "promoted"


def test_of_what_waits_for_the_endpoint_the_newest_begins_and_the_others_step_aside():
    world = in_service()
    assert [world.approve(2), world.approve(3)] == ["started", "waiting"]
    assert world.rest() == "started"  # 2 serves untried, and 3 takes its place
    assert [config for config, _ in world.endpoints.invoked] == [ONE]
    assert world.rest() == "promoted"
    assert world.said() == ["ModelPromoted 1", "ModelPromoted 3"]
    assert world.table.promotion("hvac", arn(2)).state == "superseded"


def test_back_is_behind_all_that_was_never_promoted():
    world = in_service()
    world.smoke(3)
    world.endpoints.answers[THREE] = "no"
    world.approve(2)
    world.approve(3)
    world.rest()
    assert [world.rest(), world.rest()] == ["rolling-back", "failed"]
    assert (world.serving(), world.bus.heard[-1].serving) == (ONE, ONE)


def test_what_waits_begins_when_the_way_back_is_done():
    world = in_service()
    world.smoke(2)
    world.endpoints.answers[TWO] = "no"
    world.approve(2)
    assert world.rest() == "rolling-back"
    assert world.approve(3) == "waiting"
    assert world.rest() == "failed"
    assert world.rest() == "promoted"
    assert (world.serving(), world.said()[-1]) == (THREE, "ModelPromoted 3")


def test_an_approval_that_meets_a_settled_flight_lets_it_step_aside():
    world = in_service()
    world.approve(2)
    world.endpoints.rest(group_of("hvac"))  # its event is still on its way
    world.now += LEASE
    assert world.approve(3) == "started"
    assert world.rest() == "promoted"
    assert world.said() == ["ModelPromoted 1", "ModelPromoted 3"]


def test_two_models_approved_at_the_same_moment_do_not_cross():
    world = World(endpoint=True)
    world.register(1, APPROVED)
    # somebody has just noted the flight of 1, and is about to ask for an endpoint
    flight = Flight(package=arn(1), former=None, seen=None, began=world.now)
    world.table.change("hvac", Standing(), flight=flight)
    world.register(2, APPROVED)
    assert world.deliver(world.packages.find(arn(2))) == "waiting"
    assert world.endpoints.there == {}
    # that somebody died; its event comes again
    assert world.deliver(world.packages.find(arn(1))) == "superseded"
    assert world.rest() == "promoted"
    assert (world.serving(), world.said()) == (TWO, ["ModelPromoted 2"])


def test_a_package_rejected_on_its_way_does_not_stay():
    world = in_service()
    world.approve(2)
    world.packages.set(arn(2), approval=REJECTED)
    assert [world.rest(), world.rest()] == ["rolling-back", "failed"]
    assert "not approved any more" in world.bus.heard[-1].reason


def test_what_waited_and_is_no_longer_approved_is_forgotten():
    world = in_service()
    world.approve(2)
    world.approve(3)
    world.packages.set(arn(3), approval=REJECTED)
    assert world.rest() == "promoted"
    assert world.said()[-1] == "ModelPromoted 2"
    assert world.table.standing("hvac").waiting is None


def test_going_back_by_hand_is_rejecting_and_approving():
    world = in_service()
    world.approve(2)
    world.rest()
    world.deliver(world.packages.set(arn(2), approval=REJECTED))
    world.deliver(world.packages.set(arn(1), approval=REJECTED))
    assert world.approve(1) == "started"
    assert world.rest() == "promoted"
    assert world.serving() == ONE
    assert [event.version for event in world.bus.heard] == [1, 2, 1]
    assert len({event.began for event in world.bus.heard}) <= 3


def test_what_serves_already_is_tried_and_not_deployed_again():
    world = in_service()
    world.deliver(world.packages.set(arn(1), approval=REJECTED))
    assert world.approve(1) == "promoted"
    assert world.endpoints.updates == []
    world.smoke(1)
    world.endpoints.answers[ONE] = "no"
    world.deliver(world.packages.set(arn(1), approval=REJECTED))
    world.now += LEASE
    assert world.approve(1) == "failed"
    assert (world.serving(), world.endpoints.updates) == (ONE, [])


def test_events_of_other_endpoints_and_of_other_peoples_changes_are_ignored():
    world = in_service()
    assert world.promoting.settled("signalbox-other", world.now) == "ignored"
    world.endpoints.put(group_of("hvac"), "InService", "by-hand")
    assert world.promoting.settled(group_of("hvac"), world.now) == "ignored"


def test_an_event_from_before_the_update_judges_nothing():
    world = in_service()
    world.fuse.at = None
    flight_noted = world.endpoints.look(group_of("hvac"))
    world.approve(2)
    world.endpoints.there[group_of("hvac")] = flight_noted  # as seen before it was asked
    assert world.promoting.settled(group_of("hvac"), world.now) == "ignored"
    assert world.said() == ["ModelPromoted 1"]


def story(fuse, answers=(), healthy=True):
    """Model 1 serves, 2 is approved; everything is delivered until nothing is left to do."""
    world = World(endpoint=True, fuse=fuse)
    for version in (1, 2):
        world.register(version)
        world.smoke(version)
    world.endpoints.answers.update(answers)
    for version in (1, 2):
        world.packages.set(arn(version), approval=APPROVED)
        for _ in range(8):
            quiet = True
            for act in (
                lambda: world.deliver(world.packages.find(arn(version))),  # noqa: B023 - done at once
                lambda: world.promoting.settled(group_of("hvac"), world.now),
            ):
                try:
                    act()
                except (Crash, Transient):
                    world.now += LEASE
                    quiet = False
            found = world.endpoints.look(group_of("hvac"))
            if found is not None and not found.settled:
                world.endpoints.rest(group_of("hvac"), healthy=healthy or version == 1)
                quiet = False
            if quiet:
                break
    return world


@pytest.mark.parametrize(
    ("answers", "healthy", "said", "serving"),
    [
        ({}, True, ["ModelPromoted 1", "ModelPromoted 2"], TWO),
        ({TWO: "no"}, True, ["ModelPromoted 1", "PromotionFailed 2"], ONE),
        ({}, False, ["ModelPromoted 1", "PromotionFailed 2"], ONE),
        ({ONE: "no"}, True, ["PromotionFailed 1", "ModelPromoted 2"], TWO),
    ],
)
def test_the_power_may_fail_at_any_step(answers, healthy, said, serving):
    calm = story(Fuse(), answers, healthy)
    assert (calm.said(), calm.serving()) == (said, serving)
    for at in range(1, calm.fuse.steps + 1):
        world = story(Fuse(at), answers, healthy)
        assert (at, world.said(), world.serving()) == (at, said, serving)
        assert world.table.standing("hvac").flight is None


@given(
    order=st.permutations([1, 2, 3]),
    repeats=st.lists(st.sampled_from([1, 2, 3]), max_size=6),
    settling=st.lists(st.booleans(), min_size=24, max_size=24),
)
def test_approvals_shuffled_and_repeated_end_with_the_newest_in_service(order, repeats, settling):
    world = World(endpoint=True)
    for version in (1, 2, 3):
        world.register(version, APPROVED)
    turns = iter(settling)
    for version in itertools.chain(order, repeats):
        world.deliver(world.packages.find(arn(version)))
        for _ in range(2):
            found = world.endpoints.look(group_of("hvac"))
            if next(turns, True) and found is not None and not found.settled:
                world.endpoints.rest(group_of("hvac"))
            world.promoting.settled(group_of("hvac"), world.now)
    while not world.endpoints.look(group_of("hvac")).settled:
        world.rest()
    assert world.said() == ["ModelPromoted 3"]
    assert len(world.bus.heard) == 1
    assert (world.serving(), world.topic.messages) == (THREE, [])
