import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.domain.cards import wanted_status
from signalbox.errors import Rejected, Transient
from tests.fakes import NOON, Crash, Fuse
from tests.shared_cards import LEASE, World, package

CARD, TWO = "signalbox-abalone-1", "signalbox-abalone-2"


def arn(version):
    return package(version).arn


def settle(world, version, approval):
    """The registry changes and says so; the draft that comes of it is shared."""
    world.registry.judge(version, approval)
    return world.settle(version)


def test_a_registered_version_gets_a_card_that_is_told_of_filled_and_to_be_reviewed():
    world = World()
    assert settle(world, 1, "PendingManualApproval") == "settled"
    assert world.shelf.changes == [CARD, CARD, CARD]  # made, filled, to be reviewed
    assert world.states() == {CARD: "PendingReview"}
    (mail,) = world.topic.mails
    assert {name: value for name, value in mail.attributes.items() if name != "detail"} == {
        "workload": "abalone", "kind": "card-draft", "status": "Draft", "owner": "ada@example.com",
    }  # fmt: skip
    assert world.shelf.cards[CARD].arn in mail.body
    begun, full = world.shelf.said[CARD]
    assert begun.intended_uses is None
    assert full.intended_uses.purpose_of_model == "How old an abalone is."
    assert full.training_details.training_job_details.training_arn.endswith("training-job/t1")
    assert full.evaluation_details[0].metric_groups[0].metric_data[0].value == 2.1
    assert full.additional_information.custom_details["run"] == f"{1:032x}"


def test_a_draft_stands_as_such_until_it_was_shared():
    world = World()
    world.registry.judge(1, "PendingManualApproval")
    for _ in range(2):
        world.cards.settle(arn(1), NOON)
        assert world.states() == {CARD: "Draft"}
        assert len(world.shelf.said[CARD]) == 1
    assert world.cards.fill(arn(1), NOON) == "settled"
    assert world.cards.fill(arn(1), NOON) == "unchanged"
    assert world.states() == {CARD: "PendingReview"}
    world.shelf.update(CARD, "Draft")  # by somebody who edits it
    assert world.cards.fill(arn(1), NOON) == "settled"  # it is to be reviewed, says the registry
    assert len(world.shelf.said[CARD]) == 2


def test_a_model_approved_while_its_card_is_a_draft_leaves_the_former_card_until_it_is_filled():
    world = World()
    settle(world, 1, "Approved")
    world.registry.judge(2, "Approved")
    world.cards.settle(arn(2), NOON)
    world.cards.settle(arn(1), NOON)
    assert world.states() == {CARD: "Approved", TWO: "Draft"}
    world.registry.judge(1, "Rejected")
    world.cards.settle(arn(1), NOON)
    assert world.states() == {CARD: "Archived", TWO: "Draft"}
    world.cards.fill(arn(2), NOON)
    assert world.states() == {CARD: "Archived", TWO: "Approved"}


LONG = {f"metric {n} {'x' * 200}": {"value": n} for n in range(1000)}


def unreadable(package):
    raise Rejected("bad-evaluation", "it is no JSON object")


@pytest.mark.parametrize(
    ("evaluation", "why"),
    [
        (lambda package: {"regression_metrics": LONG}, "SageMaker takes 100000"),
        (unreadable, "it is no JSON object"),
    ],
)
def test_what_a_card_does_not_take_is_left_out_and_told_once_and_the_group_goes_on(evaluation, why):
    world = World()
    settle(world, 1, "Approved")
    world.topic.mails.clear()
    world.registry.judge(2, "Approved")
    world.cards.settle(arn(2), NOON)
    world.registry.evaluation = evaluation
    for _ in range(3):
        world.cards.fill(arn(2), NOON)
    assert world.states() == {CARD: "Archived", TWO: "Approved"}
    begun, mail = world.topic.mails
    assert begun.attributes["kind"] == "card-draft"
    assert mail.attributes["kind"] == "card-incomplete"
    assert mail.subject.endswith("Action Required")
    assert why in mail.body
    content = world.shelf.said[TWO][-1]
    assert content.evaluation_details is None
    assert content.intended_uses.purpose_of_model == "How old an abalone is."


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "Failed"},
        {"evaluation": unreadable},
        {"evaluation": lambda _: None},
        {"evaluation": lambda _: {"x": 1}},
    ],
)
def test_what_cannot_be_used_gets_no_card_until_it_can(changes):
    world = World()
    settle(world, 1, "Approved")
    world.topic.mails.clear()
    whole = world.registry.evaluation
    world.registry.evaluation = changes.get("evaluation", whole)
    world.registry.packages[2] = package(2, status=changes.get("status", "Completed"))
    assert world.cards.settle(arn(2), NOON) == "unchanged"
    assert (world.states(), world.topic.mails) == ({CARD: "Approved"}, [])
    world.registry.evaluation = whole
    world.registry.packages[2] = package(2)
    assert world.cards.settle(arn(2), NOON) == "settled"
    assert world.states()[TWO] == "Draft"


def test_every_mail_has_its_detail_as_an_attribute():
    world = World()
    settle(world, 1, "PendingManualApproval")
    (mail,) = world.topic.mails
    assert json.loads(mail.attributes["detail"]) == {
        "card": CARD, "card_arn": world.shelf.cards[CARD].arn, "region": "eu-west-1",
    }  # fmt: skip
    assert mail.body.splitlines()[-1] == mail.attributes["detail"]


def test_a_repeat_changes_nothing_and_what_people_wrote_stays():
    world = World()
    settle(world, 1, "PendingManualApproval")
    world.shelf.fill(CARD, world.shelf.said[CARD][0])  # somebody edits the card
    assert settle(world, 1, "PendingManualApproval") == "unchanged"
    assert len(world.shelf.said[CARD]) == 3
    assert len(world.topic.mails) == 1


def test_a_card_that_somebody_deleted_stays_deleted():
    world = World()
    settle(world, 1, "PendingManualApproval")
    world.shelf.cards.clear()
    assert settle(world, 1, "Approved") == "unchanged"
    assert world.states() == {}


def test_the_newest_approved_version_has_the_one_approved_card():
    world = World()
    settle(world, 1, "Approved")
    settle(world, 2, "Approved")
    assert world.states() == {CARD: "Archived", TWO: "Approved"}
    assert world.shelf.changes[-2:] == [TWO, CARD]  # the new one first
    settle(world, 2, "Rejected")
    assert world.states() == {CARD: "Approved", TWO: "Archived"}


def test_a_card_approved_by_somebody_who_may_only_edit_it_is_set_back_with_the_next_change():
    world = World()
    settle(world, 1, "PendingManualApproval")
    world.shelf.update(CARD, "Approved")
    settle(world, 1, "PendingManualApproval")
    assert world.states() == {CARD: "PendingReview"}


def test_other_packages_are_ignored():
    world = World()
    for react in (world.cards.settle, world.cards.fill):
        assert react(arn(7), NOON) == "ignored"  # gone
    world.registry.packages[1] = package(1, metadata={"workload": "turbofan"})
    for react in (world.cards.settle, world.cards.fill):
        assert react(arn(1), NOON) == "ignored"
    world.registry.packages[1] = package(1, metadata={})
    assert world.cards.settle(arn(1), NOON) == "settled"  # its group says whose it is


@pytest.mark.parametrize(
    ("approval", "newest", "status"),
    [
        ("PendingManualApproval", None, "PendingReview"), ("PendingManualApproval", 2, "PendingReview"),
        ("Approved", 1, "Approved"), ("Approved", 2, "Archived"), ("Rejected", None, "Archived"),
    ],
)  # fmt: skip
def test_the_state_of_a_card_follows_from_the_registry(approval, newest, status):
    assert wanted_status(package(1, approval), newest) == status


@pytest.mark.parametrize("step", range(1, 24))
def test_a_power_failure_at_any_step_ends_the_same(step):
    calm = World()
    settle(calm, 1, "PendingManualApproval")
    settle(calm, 1, "Approved")
    world = World(Fuse(step))
    world.registry.judge(1, "Approved")
    now = NOON
    for react in (world.cards.settle, world.cards.fill, world.cards.settle):
        try:
            react(arn(1), now)
        except (Crash, Transient):
            now += LEASE * 2
            react(arn(1), now)
    assert world.states() == calm.states()
    assert world.shelf.said[CARD][-1] == calm.shelf.said[CARD][-1]
    assert 1 <= len(world.topic.mails) <= 2


def test_while_somebody_is_at_it_others_wait():
    world = World(Fuse(4))
    world.registry.judge(1, "PendingManualApproval")
    with pytest.raises(Crash):
        world.cards.settle(arn(1), NOON)
    with pytest.raises(Transient, match="lease"):
        world.cards.settle(arn(1), NOON)


def test_in_every_order_events_end_the_same():
    ends = []
    for order in permutations(["settle 1", "settle 2", "settle 3", "fill 1", "fill 2", "fill 3"]):
        world = World()
        for version, approval in ((1, "Approved"), (2, "Approved"), (3, "Rejected")):
            world.registry.judge(version, approval)
        for event in order:
            about = int(event[-1])
            if event.startswith("settle"):
                world.cards.settle(arn(about), NOON)
            elif world.drafts(about):
                world.cards.fill(arn(about), NOON)
        for version in (3, 2, 1):  # those whose draft came later than its turn here
            if world.drafts(version):
                world.cards.fill(arn(version), NOON)
        ends.append(world.states())
    assert ends[0] == {CARD: "Archived", TWO: "Approved", "signalbox-abalone-3": "Archived"}
    assert all(end == ends[0] for end in ends)


@given(st.data())
def test_shuffled_and_repeated_events_end_the_same(data):
    """The registry changes step by step, and its events come at any time after, in any order, twice.

    A draft is filled at any time after it was made, and is told of once more by the next hour.
    """
    approvals = st.sampled_from(["PendingManualApproval", "Approved", "Rejected"])
    moves = data.draw(st.lists(st.tuples(st.integers(1, 3), approvals), min_size=1, max_size=7))
    calm, world, late = World(), World(), []

    def fill_some(versions):
        for version in versions:
            if world.drafts(version) and data.draw(st.booleans()):
                for _ in range(data.draw(st.integers(1, 2))):
                    world.cards.fill(arn(version), NOON)

    for version, approval in moves:
        settle(calm, version, approval)
        world.registry.judge(version, approval)
        late.append(version)
        if data.draw(st.booleans()):
            world.cards.settle(arn(late.pop(data.draw(st.integers(0, len(late) - 1)))), NOON)
        fill_some((1, 2, 3))
    touched = [version for version, _ in moves]
    repeats = [data.draw(st.sampled_from(touched)) for _ in range(data.draw(st.integers(0, 3)))]
    for version in data.draw(st.permutations([*late, *repeats, *touched])):
        world.cards.settle(arn(version), NOON)
        fill_some((version,))
    for version in data.draw(st.permutations([1, 2, 3])):
        if world.drafts(version):
            world.cards.fill(arn(version), NOON)
    for version in touched:
        calm.settle(version)
    assert world.states() == calm.states()
    assert len(world.topic.mails) == len(set(touched))
