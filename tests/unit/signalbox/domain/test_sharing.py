import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.domain.share_plan import INVITATION, Create
from signalbox.errors import Misconfigured, Transient
from tests.fakes import NOON, Crash
from tests.shared_cards import ACCOUNTS, LEASE, World
from tests.unit.signalbox.domain.test_cards import CARD, settle

EDIT, READ = "AWSRAMPermissionSageMakerModelCards", "signalbox-model-card-reader"
STATES = ["Draft", "PendingReview", "Approved", "Archived"]


def world_with(status, **more):
    """A world with one card, its version approved."""
    world = World(**more)
    settle(world, 1, "PendingManualApproval")
    world.registry.judge(1, "Approved")
    world.shelf.update(CARD, status)
    world.topic.mails.clear()
    return world


def granted(*stages, permission):
    return {f"{CARD}-{stage}": {ACCOUNTS[stage]: permission} for stage in stages}


WANTED = {
    "Draft": granted("dev", permission=EDIT),
    "PendingReview": granted("dev", "test", permission=EDIT) | granted("hub", permission=READ),
    "Approved": granted("dev", "test", "prod", "hub", permission=READ),
    "Archived": {},
}


@pytest.mark.parametrize("status", STATES)
def test_each_state_is_shared_with_those_it_is_for(status):
    world = world_with(status)
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED[status]
    assert world.sharing.settle(CARD, NOON) == "unchanged"
    stages = [name.rpartition("-")[2] for name in WANTED[status]]
    assert sorted(world.told()) == sorted(("ModelCardShared", CARD, stage) for stage in stages)
    assert [mail.attributes["stage"] for mail in world.topic.mails] == stages
    for mail in world.topic.mails:
        assert "arn:aws:sagemaker:eu-west-1:123456789012:model-card/" + CARD in mail.body
        assert "Region: eu-west-1" in mail.body
        assert json.loads(mail.body.splitlines()[-1])["card"] == CARD
        assert json.loads(mail.attributes["detail"])["card"] == CARD


def test_what_nobody_outside_may_edit_any_more_is_taken_back_and_the_archived_is_shared_with_none():
    world = world_with("PendingReview")
    world.sharing.settle(CARD, NOON)
    world.shelf.update(CARD, "Approved")
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED["Approved"]
    assert world.shelf.exports == [(CARD, 2, f"cards/{CARD}/")]
    world.shelf.update(CARD, "Archived")
    assert world.sharing.settle(CARD, NOON) == "shared"
    assert world.shares.open_to() == {}
    unshared = [stage for kind, _, stage in world.told() if kind == "ModelCardUnshared"]
    assert unshared == ["dev", "test", "prod", "hub"]


def test_without_a_permission_that_only_reads_readers_have_a_copy_and_never_the_one_that_edits():
    world = world_with("Approved")
    world.shares.grants_readers = False
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == {}
    shared = f"cards/shared/{CARD}/"
    assert list(world.store.state()) == [f"{shared}card.json"]
    assert world.shelf.exports == [(CARD, 2, f"cards/{CARD}/"), (CARD, 2, shared)]
    prod = next(event for event in world.bus.heard if event.stage == "prod")
    assert (prod.permission, prod.copy_prefix) == (None, f"s3://{world.store.bucket}/{shared}")
    assert any(
        f"aws s3 cp --recursive {prod.copy_prefix}" in mail.body for mail in world.topic.mails
    )
    world.store.put(f"{shared}export.pdf", b"%PDF")
    world.shelf.update(CARD, "Archived")
    world.sharing.settle(CARD, NOON)
    assert world.store.state() == {}
    world.shares.grants_readers = True
    world.shelf.update(CARD, "Approved")
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED["Approved"]


def test_without_such_a_permission_the_hub_has_a_copy_from_review_on_that_prod_has_no_part_in():
    world = world_with("PendingReview")
    world.shares.grants_readers = False
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == granted("dev", "test", permission=EDIT)
    assert list(world.store.state()) == [f"cards/review/{CARD}/card.json"]
    assert world.shelf.exports == [(CARD, 2, f"cards/review/{CARD}/")]
    hub = next(event for event in world.bus.heard if event.stage == "hub")
    assert hub.copy_prefix == f"s3://{world.store.bucket}/cards/review/{CARD}/"
    world.shelf.update(CARD, "Approved")
    world.sharing.settle(CARD, NOON)
    assert list(world.store.state()) == [f"cards/shared/{CARD}/card.json"]
    hub = [event for event in world.bus.heard if event.stage == "hub"][-1]
    assert hub.copy_prefix == f"s3://{world.store.bucket}/cards/shared/{CARD}/"
    assert world.sharing.settle(CARD, NOON) == "unchanged"


def refusals(world):
    return [mail for mail in world.topic.mails if mail.attributes["kind"] == "card-refused"]


@pytest.mark.parametrize("account", ["nobody", "123456789012"])
def test_an_account_that_is_refused_keeps_no_other_stage_waiting_and_is_told_of_once(account):
    world = world_with("Approved")
    settle(world, 2, "PendingManualApproval")  # a card that dev gets as well
    world.topic.mails.clear()
    world.accounts["dev"] = account
    world.shares.refused.add(account)
    for _ in range(3):
        assert world.sharing.settle(CARD, NOON) == "refused"
        assert world.sharing.mend(NOON) == "refused"
    given = world.shares.open_to()
    assert {name: given[name] for name in WANTED["Approved"] if name in given} == granted(
        "test", "prod", "hub", permission=READ
    )
    assert world.shelf.exports == [(CARD, 2, f"cards/{CARD}/")]
    (mail,) = refusals(world)
    assert f"with {account} (dev)" in mail.body
    assert f"Principal ID {account} is malformed." in mail.body
    assert "DevAccount" in mail.body
    assert mail.attributes["stage"] == "dev"
    assert json.loads(mail.attributes["detail"])["account"] == account
    noted = world.notes.grants(CARD)
    assert noted["refused#dev"] == f"{account}: Principal ID {account} is malformed."
    assert "share#dev" not in noted
    world.shares.refused.clear()
    assert world.sharing.mend(NOON) == "shared"
    assert world.shares.open_to()[f"{CARD}-dev"] == {account: READ}
    assert "refused#dev" not in world.notes.grants(CARD)
    world.sharing.settle(CARD, NOON)
    assert len(refusals(world)) == 1


@pytest.mark.parametrize("step", range(1, 12))
def test_a_refusal_is_told_of_whenever_the_power_fails(step):
    world = world_with("Draft")
    world.shares.refused.add(ACCOUNTS["dev"])
    world.fuse.steps, world.fuse.at = 0, step
    now = NOON
    for _ in range(3):
        try:
            world.sharing.settle(CARD, now)
        except (Crash, Transient):
            now += LEASE * 2
    assert 1 <= len(refusals(world)) <= 2


def test_the_account_before_loses_the_card_where_the_one_after_it_is_refused():
    world = world_with("Draft")
    world.sharing.settle(CARD, NOON)
    world.accounts["dev"] = "nobody"
    world.shares.refused.add("nobody")
    for _ in range(2):
        assert world.sharing.settle(CARD, NOON) == "refused"
    assert world.shares.open_to() == {f"{CARD}-dev": {}}
    assert [event.detail_type() for event in world.bus.heard] == [
        "ModelCardShared", "ModelCardUnshared",
    ]  # fmt: skip
    assert len(refusals(world)) == 1
    del world.accounts["dev"]
    world.sharing.settle(CARD, NOON)
    assert "refused#dev" not in world.notes.grants(CARD)


def test_trouble_of_one_stage_is_raised_after_all_others_had_their_turn():
    world = world_with("Approved")
    do = world.shares.do

    def throttled(step):
        if isinstance(step, Create) and step.grant.name.endswith("-dev"):
            raise Transient("throttled")
        do(step)

    world.shares.do = throttled
    with pytest.raises(Transient, match="throttled"):
        world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == granted("test", "prod", "hub", permission=READ)
    assert world.shelf.exports == [(CARD, 2, f"cards/{CARD}/")]


def test_a_draft_is_shared_as_such_and_filled_after_that():
    world = World()
    world.registry.judge(1, "PendingManualApproval")
    version = world.registry.packages[1].arn
    world.cards.settle(version, NOON)
    for _ in range(2):
        world.sharing.settle(CARD, NOON)
        assert world.shares.open_to() == WANTED["Draft"]
    kinds = [event.detail_type() for event in world.bus.heard]
    assert kinds == ["ModelCardShared", "ModelCardDrafted", "ModelCardDrafted"]
    assert world.bus.heard[-1].package == version
    world.cards.fill(version, NOON)
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED["PendingReview"]
    world.shelf.update(CARD, "Draft")  # somebody goes on editing it
    world.bus.heard.clear()
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED["Draft"]
    assert {event.detail_type() for event in world.bus.heard} == {"ModelCardUnshared"}


def test_a_draft_that_could_not_be_filled_is_tried_again_every_hour():
    world = World()
    world.registry.judge(1, "PendingManualApproval")
    version = world.registry.packages[1].arn
    world.cards.settle(version, NOON)
    world.sharing.settle(CARD, NOON)
    training = world.registry.training
    world.registry.training = lambda _: (_ for _ in ()).throw(Transient("throttled"))
    with pytest.raises(Transient):
        world.cards.fill(version, NOON)
    world.registry.training = training
    world.bus.heard.clear()
    world.sharing.mend(NOON + timedelta(hours=1))
    assert [event.detail_type() for event in world.bus.heard] == ["ModelCardDrafted"]
    world.cards.fill(version, NOON + timedelta(hours=1))
    assert world.states() == {CARD: "PendingReview"}


def test_an_account_that_is_refused_is_told_of_once_for_all_versions():
    world = World()
    world.accounts["dev"] = "nobody"
    world.shares.refused.add("nobody")
    for version in (1, 2, 3):
        for approval in ("PendingManualApproval", "Approved"):
            settle(world, version, approval)
            world.sharing.mend(NOON)
    assert world.states()[CARD] == "Archived"
    assert len(refusals(world)) == 1


def test_trouble_with_the_permission_that_reads_keeps_those_who_edit_waiting_for_nothing():
    world = world_with("Approved")
    before = world.shares.open_to()
    world.store.put("cards/shared/other", b"")
    copies = world.store.state()
    settle(world, 2, "PendingManualApproval")
    reader = world.shares.reader
    world.shares.reader = lambda: (_ for _ in ()).throw(Transient("throttled"))
    with pytest.raises(Transient):
        world.sharing.mend(NOON)
    given = world.shares.open_to()
    assert {name: given[name] for name in before} == before, "what readers have stays"
    assert f"{CARD[:-1]}2-dev" in given
    assert world.store.state() == copies
    world.shares.reader = reader
    assert world.sharing.mend(NOON) in ("shared", "unchanged")


def test_what_readers_get_is_tried_before_there_is_a_card():
    world, tried = World(), []
    world.shares.reader = lambda: tried.append(1)
    assert world.sharing.mend(NOON) == "unchanged"
    assert tried == [1]
    world.accounts.clear()
    world.sharing.mend(NOON)
    assert tried == [1], "nobody is to read"


def test_a_draft_whose_version_is_gone_or_that_others_made_is_not_to_be_filled():
    world = World()
    world.registry.judge(1, "PendingManualApproval")
    world.cards.settle(world.registry.packages[1].arn, NOON)
    world.registry.packages.clear()
    world.shelf.create(f"{CARD[:-1]}2", world.shelf.said[CARD][0])
    world.sharing.mend(NOON)
    assert {event.detail_type() for event in world.bus.heard} == {"ModelCardShared"}


def test_prod_never_has_the_permission_that_edits():
    for readers in (True, False):
        for status in STATES:
            world = world_with(status)
            world.shares.grants_readers = readers
            world.sharing.settle(CARD, NOON)
            for who in world.shares.open_to().values():
                assert who.get(ACCOUNTS["prod"]) != EDIT


def test_a_card_counts_as_approved_only_where_its_version_is():
    world = world_with("Approved")
    world.registry.judge(1, "PendingManualApproval")  # an editor of the card set its state alone
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED["PendingReview"]
    assert world.shelf.exports == []


def test_stages_without_an_account_get_nothing():
    world = world_with("Approved", accounts={"dev": ACCOUNTS["dev"]})
    world.sharing.settle(CARD, NOON)
    assert list(world.shares.open_to()) == [f"{CARD}-dev"]
    nobody = world_with("Approved", accounts={})
    nobody.shares.grants_readers = False
    nobody.sharing.settle(CARD, NOON)
    assert (nobody.shares.steps, nobody.store.state()) == ([], {})


def test_another_account_takes_the_place_of_the_former_one():
    world = world_with("Draft")
    world.sharing.settle(CARD, NOON)
    world.accounts["dev"] = "555555555555"
    world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == {f"{CARD}-dev": {"555555555555": EDIT}}
    assert [(e.detail_type(), e.account) for e in world.bus.heard] == [
        ("ModelCardShared", ACCOUNTS["dev"]),
        ("ModelCardUnshared", ACCOUNTS["dev"]),
        ("ModelCardShared", "555555555555"),
    ]


def test_cards_of_others_are_ignored():
    world = world_with("Draft")
    assert world.sharing.settle("their-card-1", NOON) == "ignored"


@pytest.mark.parametrize("status", STATES)
def test_drift_is_mended(status):
    world = world_with(status)
    world.sharing.settle(CARD, NOON)
    shares = world.shares
    for arn, share in list(shares.shares.items()):
        if share.name.endswith("-dev"):
            del shares.shares[arn]  # missing
        elif share.name.endswith("-test"):
            shares._change(arn, permissions=frozenset({"other"}), external=False)
            shares._member(arn, "principals", "999999999999", "ASSOCIATED")  # somebody else in it
    world.store.put(f"cards/shared/{CARD}/left.pdf", b"%PDF")
    world.sharing.mend(NOON)
    assert shares.open_to() == WANTED[status]
    assert all(share.external for share in shares.everything())
    assert world.store.state() == {}
    assert world.sharing.mend(NOON) == "unchanged"


def test_shares_of_cards_that_are_gone_end_and_those_of_others_stay():
    world = world_with("PendingReview")
    world.sharing.settle(CARD, NOON)
    first = next(iter(world.shares.shares))
    world.shares._change(first, name="their-own-share")
    world.shelf.cards.clear()
    world.sharing.mend(NOON)
    assert list(world.shares.open_to()) == ["their-own-share"]


@pytest.mark.parametrize(
    ("status", "later", "again"),
    [
        ("ASSOCIATING", INVITATION, False),
        ("ASSOCIATING", INVITATION + timedelta(seconds=1), True),
        ("FAILED", timedelta(0), True),
        ("DISASSOCIATED", timedelta(0), True),
        ("ASSOCIATED", timedelta(days=30), False),
    ],
)
def test_who_did_not_come_in_is_invited_anew(status, later, again):
    world = world_with("Draft")
    world.sharing.settle(CARD, NOON)
    (arn,) = world.shares.shares
    world.shares._member(arn, "principals", ACCOUNTS["dev"], status)
    world.shares.now = NOON + later
    world.sharing.mend(NOON + later)
    member = world.shares.shares[arn].principals[ACCOUNTS["dev"]]
    assert (member.since == NOON + later and member.status == "ASSOCIATING") == again or not later
    assert any(type(step).__name__ == "Join" for step in world.shares.steps) == again


def test_one_card_in_trouble_keeps_no_other_waiting():
    world = world_with("Draft")
    settle(world, 2, "PendingManualApproval")
    export = world.shelf.export

    def fails(card, bucket, prefix, *, there):
        if card.name == CARD:
            raise Misconfigured("its export failed 3 times")
        export(card, bucket, prefix, there=there)

    world.shelf.export = fails
    world.shelf.update(CARD, "Approved")
    with pytest.raises(Misconfigured, match="3 times"):
        world.sharing.mend(NOON)
    assert f"{CARD[:-1]}2-test" in world.shares.open_to()


@pytest.mark.parametrize("step", range(1, 40))
def test_a_power_failure_at_any_step_ends_the_same(step):
    world = world_with("PendingReview")
    world.sharing.settle(CARD, NOON)
    world.shelf.update(CARD, "Approved")
    world.shares.grants_readers = step % 2 == 0
    world.fuse.steps, world.fuse.at = 0, step
    now = NOON
    for _ in range(3):
        try:
            world.sharing.settle(CARD, now)
        except (Crash, Transient):
            now += LEASE * 2
    assert world.shares.open_to() == (WANTED["Approved"] if step % 2 == 0 else {})
    assert set(world.store.state()) == (
        set() if step % 2 == 0 else {f"cards/shared/{CARD}/card.json"}
    )
    assert {stage for kind, _, stage in world.told() if kind == "ModelCardShared"} == set(ACCOUNTS)


@given(st.data())
def test_shuffled_and_repeated_events_end_as_the_card_is(data):
    """The card changes step by step; its events come at any time after, or never but for the last."""
    world = world_with("Draft")
    for status in data.draw(st.lists(st.sampled_from(STATES), min_size=1, max_size=6)):
        world.shelf.update(CARD, status)
        for _ in range(data.draw(st.integers(0, 2))):
            world.sharing.settle(CARD, NOON)
    for _ in range(data.draw(st.integers(1, 3))):
        world.sharing.settle(CARD, NOON)
    assert world.shares.open_to() == WANTED[world.states()[CARD]]
    stands = {stage for _, _, stage in world.told() if _stands(world, stage)}
    assert stands == {name.rpartition("-")[2] for name in world.shares.open_to()}


def _stands(world, stage):
    """Whether the last word about a stage is that it has the card."""
    last = [event for event in world.bus.heard if event.stage == stage][-1]
    return last.detail_type() == "ModelCardShared"
