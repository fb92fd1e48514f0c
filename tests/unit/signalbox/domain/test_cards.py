from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.packages import ModelPackageChange
from signalbox.domain.cards import wanted_status
from signalbox.errors import Transient
from tests.fakes import NOON, Crash, Fuse, sample
from tests.shared_cards import LEASE, World, package

CARD = "signalbox-abalone-1"


def change(version, approval="PendingManualApproval"):
    event = sample("aws.sagemaker/model-package-state-change.json")
    about = package(version, approval)
    event["detail"] |= {
        "ModelPackageArn": about.arn, "ModelPackageGroupName": about.group,
        "ModelApprovalStatus": approval, "ModelPackageVersion": version,
    }  # fmt: skip
    return ModelPackageChange.model_validate(event)


def settle(world, version, approval):
    """The registry changes, and says so."""
    world.registry.judge(version, approval)
    return world.cards.settle(change(version, approval), NOON)


def test_a_registered_version_gets_a_card_that_is_told_of_filled_and_to_be_reviewed():
    world = World()
    assert settle(world, 1, "PendingManualApproval") == "settled"
    assert world.shelf.changes == [CARD, CARD, CARD]  # made, filled, to be reviewed
    assert world.states() == {CARD: "PendingReview"}
    (mail,) = world.topic.mails
    assert mail.attributes == {
        "workload": "abalone", "kind": "card-draft", "status": "Draft", "owner": "ada@example.com",
    }  # fmt: skip
    assert world.shelf.cards[CARD].arn in mail.body
    begun, full = world.shelf.said[CARD]
    assert begun.intended_uses is None
    assert full.intended_uses.purpose_of_model == "How old an abalone is."
    assert full.training_details.training_job_details.training_arn.endswith("training-job/t1")
    assert full.evaluation_details[0].metric_groups[0].metric_data[0].value == 2.1
    assert full.additional_information.custom_details["run"] == f"{1:032x}"


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
    assert world.states() == {CARD: "Archived", "signalbox-abalone-2": "Approved"}
    assert world.shelf.changes[-2:] == ["signalbox-abalone-2", CARD]  # the new one first
    settle(world, 2, "Rejected")
    assert world.states() == {CARD: "Approved", "signalbox-abalone-2": "Archived"}


def test_a_card_approved_by_somebody_who_may_only_edit_it_is_set_back_with_the_next_change():
    world = World()
    settle(world, 1, "PendingManualApproval")
    world.shelf.update(CARD, "Approved")
    settle(world, 1, "PendingManualApproval")
    assert world.states() == {CARD: "PendingReview"}


def test_other_packages_are_ignored():
    world = World()
    assert world.cards.settle(change(7), NOON) == "ignored"  # gone
    world.registry.packages[1] = package(1, metadata={"workload": "turbofan"})
    assert world.cards.settle(change(1), NOON) == "ignored"
    world.registry.packages[1] = package(1, metadata={})
    assert world.cards.settle(change(1), NOON) == "settled"  # its group says whose it is


@pytest.mark.parametrize(
    ("approval", "newest", "status"),
    [
        ("PendingManualApproval", None, "PendingReview"), ("PendingManualApproval", 2, "PendingReview"),
        ("Approved", 1, "Approved"), ("Approved", 2, "Archived"), ("Rejected", None, "Archived"),
    ],
)  # fmt: skip
def test_the_state_of_a_card_follows_from_the_registry(approval, newest, status):
    assert wanted_status(package(1, approval), newest) == status


@pytest.mark.parametrize("step", range(1, 20))
def test_a_power_failure_at_any_step_ends_the_same(step):
    calm = World()
    settle(calm, 1, "PendingManualApproval")
    settle(calm, 1, "Approved")
    world = World(Fuse(step))
    world.registry.judge(1, "Approved")
    now = NOON
    for event in (change(1), change(1, "Approved")):
        try:
            world.cards.settle(event, now)
        except (Crash, Transient):
            now += LEASE * 2
            world.cards.settle(event, now)
    assert world.states() == calm.states()
    assert world.shelf.said[CARD][-1] == calm.shelf.said[CARD][-1]
    assert 1 <= len(world.topic.mails) <= 2


def test_while_somebody_is_at_it_others_wait():
    world = World(Fuse(4))
    world.registry.judge(1, "PendingManualApproval")
    with pytest.raises(Crash):
        world.cards.settle(change(1), NOON)
    with pytest.raises(Transient, match="lease"):
        world.cards.settle(change(1), NOON)


HISTORY = [(1, "PendingManualApproval"), (1, "Approved"), (2, "Approved"), (3, "Rejected")]


def test_in_every_order_events_end_the_same():
    ends = []
    for order in permutations(HISTORY):
        world = World()
        for version, approval in ((1, "Approved"), (2, "Approved"), (3, "Rejected")):
            world.registry.judge(version, approval)
        for event in order:
            world.cards.settle(change(*event), NOON)
        ends.append(world.states())
    assert ends[0] == {
        "signalbox-abalone-1": "Archived", "signalbox-abalone-2": "Approved",
        "signalbox-abalone-3": "Archived",
    }  # fmt: skip
    assert all(end == ends[0] for end in ends)


@given(st.data())
def test_shuffled_and_repeated_events_end_the_same(data):
    """The registry changes step by step, and its events come at any time after, in any order, twice."""
    approvals = st.sampled_from(["PendingManualApproval", "Approved", "Rejected"])
    moves = data.draw(st.lists(st.tuples(st.integers(1, 3), approvals), min_size=1, max_size=7))
    calm, world, late = World(), World(), []
    for version, approval in moves:
        settle(calm, version, approval)
        world.registry.judge(version, approval)
        late.append(change(version, approval))
        if data.draw(st.booleans()):
            world.cards.settle(late.pop(data.draw(st.integers(0, len(late) - 1))), NOON)
    repeats = [
        change(*data.draw(st.sampled_from(moves))) for _ in range(data.draw(st.integers(0, 3)))
    ]
    for event in data.draw(st.permutations([*late, *repeats, *(change(*move) for move in moves)])):
        world.cards.settle(event, NOON)
    for version, _ in moves:
        calm.cards.settle(change(version), NOON)
    assert world.states() == calm.states()
    assert len(world.topic.mails) == len({version for version, _ in moves})
