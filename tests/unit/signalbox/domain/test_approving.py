"""What follows when a package is registered, approved or rejected."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.packages import APPROVED, PENDING, REJECTED, promotion_of
from signalbox.contracts.registry import group_of
from signalbox.domain.claims import LEASE
from signalbox.domain.registry import latest
from signalbox.errors import Rejected, Transient
from tests.fakes import BUCKET, Crash, Fuse
from tests.promoted import RUN, World, arn, change_of, evaluation

RETUNED = {"metadata": {"workload": "hvac", "run": RUN, "retuned": "true"}}


def test_the_owner_of_a_pending_model_gets_its_numbers_beside_those_that_count_now():
    world = World()
    world.register(1, APPROVED, rmse=2.5)
    package = world.register(2, rmse=2.125)
    for _ in range(2):
        world.deliver(package)
    (mail,) = world.topic.messages
    assert mail.subject == "hvac: model 2 waits for approval - Action Required"
    assert mail.attributes.items() >= {
        "workload": "hvac", "kind": "model", "status": PENDING, "owner": "models@example.com",
    }.items()  # fmt: skip
    row = next(line.split() for line in mail.body.splitlines() if line.startswith("  rmse"))
    assert row == ["rmse", "2.125", "2.5"]
    assert f"  signalbox approve {arn(2)}\n" in mail.body
    assert f'  signalbox reject {arn(2)} --note "..."' in mail.body
    told = json.loads(mail.body.splitlines()[-1])
    assert (told["approved"], told["approved_metrics"]) == (arn(1), {"rmse": 2.5})
    assert world.said() == ["ModelPendingApproval 2"]


def test_the_first_model_is_compared_with_none():
    world = World()
    world.deliver(world.register(1))
    (mail,) = world.topic.messages
    assert "no model is approved" in mail.body
    assert ["rmse", "2", "-"] in [line.split() for line in mail.body.splitlines()]


def test_what_came_is_done_once_whatever_else_the_event_carries():
    world = World()
    package = world.register(1, APPROVED)
    assert world.approval.judge(change_of(package), world.now) == "promoted"
    later = change_of(package, time="2026-07-03T00:00:00Z", id="another")
    assert world.approval.judge(later, world.now) == "repeated"
    assert world.said() == ["ModelPromoted 1"]


def test_an_event_of_a_status_that_no_longer_stands_changes_nothing():
    world = World()
    package = world.register(1, REJECTED)
    assert world.deliver(package, APPROVED) == "late"
    assert world.deliver(package, PENDING) == "late"
    assert (world.topic.messages, world.bus.heard) == ([], [])
    assert world.deliver(package) == "recorded"


def test_a_package_approved_anew_after_a_rejection_is_promoted_anew():
    world = World()
    world.register(1)
    assert world.approve(1) == "promoted"
    assert world.deliver(world.packages.set(arn(1), approval=REJECTED)) == "recorded"
    assert world.approve(1) == "promoted"
    assert len(world.bus.heard) == 2


@pytest.mark.parametrize("approval", [PENDING, APPROVED])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "Failed", "reason": "no such image"}, "its registration failed: no such image"),
        ({"statistics": None}, "names no statistics"),
        ({"statistics": "s3://elsewhere/evaluation.json"}, "has them at s3://elsewhere"),
        ({"statistics": f"s3://{BUCKET}/operations/gone.json"}, "is not there"),
        ({"statistics": f"s3://{BUCKET}/operations/odd.json"}, "is no model-quality file"),
        ({"metadata": {"workload": "pumps"}}, "no workload with a section operations"),
        ({"statistics": f"s3://{BUCKET}/operations/many.json"}, "has 1001 metrics"),
        ({"statistics": f"s3://{BUCKET}/operations/long.json"}, "a metric of 300 characters"),
        ({"artifacts": ()}, "names no model archive"),
        ({"constraints": None}, "names no baseline that later data are held against"),
        (
            {"statistics": f"s3://{BUCKET}/evaluation.json"},
            "there is no sample request to try it with; put one at",
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_told_of_once_and_starts_nothing(approval, changes, words):
    world = World(endpoint=True)
    world.files.put("operations/odd.json", b'{"regression_metrics": {"rmse": {"value": "NaN"}}}')
    world.files.put("operations/many.json", evaluation(**{f"m{n}": 1.0 for n in range(1001)}))
    world.files.put("operations/long.json", evaluation(**{"m" * 300: 1.0}))
    world.files.put("evaluation.json", evaluation(rmse=2.0))
    package = world.register(1, approval, **changes)
    said = [world.deliver(package) for _ in range(2)]
    (mail,) = world.topic.messages
    assert words in mail.body
    assert mail.attributes["status"] == "Unusable"
    assert (world.bus.heard, world.endpoints.there, world.endpoints.prepared) == ([], {}, set())
    taken_back = (approval, package.status) == (APPROVED, "Completed")
    assert ("An approval is taken back" in mail.body) == taken_back
    if not taken_back:
        assert said == ["unusable", "repeated"]
        return
    assert said == ["refused", "late"]
    assert (world.packages.find(arn(1)).approval, words in world.packages.reasons[arn(1)]) == (
        REJECTED, True,
    )  # fmt: skip
    assert world.deliver(world.packages.find(arn(1))) == "recorded"


def test_what_could_not_be_used_counts_for_nobody_until_it_is_mended_and_approved_again():
    world = World()
    world.register(1, APPROVED)
    world.deliver(world.packages.find(arn(1)))
    place = world.register(2).statistics.removeprefix(f"s3://{BUCKET}/")
    whole = world.files.find(place)
    world.files.put(place, b"{}")
    assert world.approve(2) == "refused"
    assert world.table.promotion("hvac", arn(2)).state == "failed"
    assert latest(group_of("hvac"), world.packages).arn == arn(1)
    world.files.put(place, whole)
    assert world.approve(2) == "promoted"  # though the rejection was never heard of
    assert world.said() == ["ModelPromoted 1", "ModelPromoted 2"]


def test_an_approved_package_of_a_group_that_is_no_workloads_is_left_as_it_is():
    world = World()
    package = world.register(1).model_copy(update={"arn": arn(1, "chiller"), "metadata": {}})
    world.packages.packages[package.arn] = package
    assert world.deliver(world.packages.set(package.arn, approval=APPROVED)) == "unusable"
    assert world.packages.find(package.arn).approval == APPROVED


def test_a_power_failure_after_a_status_was_put_back_takes_no_later_approval():
    world = World()
    package = world.register(1, APPROVED, **RETUNED)
    forget = world.table.forget

    def crash(about, what):
        if what.endswith(APPROVED):
            raise Crash
        forget(about, what)

    world.table.forget = crash
    with pytest.raises(Crash):
        world.deliver(package)
    world.table.forget = forget
    world.now += timedelta(minutes=3)
    assert world.deliver(package, APPROVED) == "late"
    assert world.deliver(world.packages.find(arn(1))) == "repeated"
    reviewed = {**package.metadata, "review_board": "A. Board"}
    assert (
        world.deliver(world.packages.set(arn(1), approval=APPROVED, metadata=reviewed))
        == "promoted"
    )


def test_what_could_not_be_used_is_the_end_of_those_that_stepped_aside_for_it_neither():
    world = World()
    world.register(1)
    world.approve(1)
    world.register(2)
    world.register(3, statistics=f"s3://{BUCKET}/gone.json")
    world.packages.set(arn(3), approval=APPROVED)
    assert world.approve(2) == "superseded"
    assert world.deliver(world.packages.find(arn(3))) == "refused"
    assert world.deliver(world.packages.find(arn(3))) == "promoted"  # its rejection
    assert world.promoting.serving("hvac") == arn(2)


def test_a_model_in_service_is_not_promoted_again_whatever_of_it_is_changed_and_when():
    world = World()
    world.register(1)
    world.approve(1)
    world.table.claims.clear()  # as if they had been kept for a while only
    world.now += timedelta(days=45)
    assert world.deliver(world.packages.set(arn(1), metadata={"workload": "hvac"})) == "promoted"
    assert len(world.bus.heard) == 1


def test_a_mail_about_many_metrics_compares_the_first_and_counts_the_rest():
    world = World()
    world.register(1, metrics={f"{n:0250}": 1.0 for n in range(999)})
    assert world.deliver(world.packages.find(arn(1))) == "told"
    (mail,) = world.topic.messages
    assert "  and 950 more" in mail.body.splitlines()
    assert f"  signalbox approve {arn(1)}" in mail.body.splitlines()
    assert len(mail.body.encode()) < 256 * 1024


def test_the_mail_compares_with_what_counts_not_with_whatever_is_approved():
    world = World()
    world.register(1, APPROVED, rmse=2.5)
    world.register(2, APPROVED, rmse=1.0, **RETUNED)
    world.register(3, APPROVED, statistics=None)
    world.deliver(world.register(4))
    told = json.loads(world.topic.messages[0].body.splitlines()[-1])
    assert (told["approved"], told["approved_metrics"]) == (arn(1), {"rmse": 2.5})


@pytest.mark.parametrize("approval", [REJECTED, PENDING])
def test_when_the_model_in_service_is_approved_no_longer_the_former_takes_its_place(approval):
    world = World()
    for version in (1, 2):
        world.register(version)
        world.approve(version)
    package = world.packages.set(arn(2), approval=approval)
    assert world.deliver(package) == ("promoted" if approval == REJECTED else "told")
    assert world.deliver(package) == "repeated"
    assert [(e.version, e.former) for e in world.bus.heard if e.detail_type() == "ModelPromoted"] == [
        (1, None), (2, arn(1)), (1, arn(2)),
    ]  # fmt: skip
    assert world.table.promotion("hvac", arn(2)).state == "withdrawn"
    assert world.approve(2) == "promoted"


def test_what_never_served_is_rejected_without_ado_and_what_serves_alone_has_no_heir():
    world = World()
    world.register(1)
    world.approve(1)
    world.register(2)
    assert world.deliver(world.packages.set(arn(2), approval=REJECTED)) == "recorded"
    assert world.table.promotion("hvac", arn(1)).state == "promoted"
    assert world.deliver(world.packages.set(arn(1), approval=REJECTED)) == "recorded"
    assert world.said() == ["ModelPromoted 1"]


def test_a_former_that_cannot_be_used_any_more_gives_way_to_the_one_before_it():
    world = World()
    for version in (1, 2, 3):
        world.register(version)
        world.approve(version)
    world.files.put(f"operations/hvac/{RUN[:-1]}2/evaluation.json", b"{}")
    assert world.deliver(world.packages.set(arn(3), approval=REJECTED)) == "refused"
    assert world.deliver(world.packages.find(arn(2))) == "promoted"
    assert world.table.standing("hvac").promoted == arn(1)
    assert world.topic.statuses() == ["Unusable"]


def test_a_package_that_is_still_being_registered_waits_for_its_next_event():
    world = World()
    package = world.register(1, status="InProgress")
    assert world.deliver(package) == "unfinished"
    assert world.deliver(world.packages.set(arn(1), status="Completed")) == "told"


def test_a_package_without_version_is_refused():
    world = World()
    package = world.register(1)
    odd = change_of(package)
    odd = odd.model_copy(update={"detail": odd.detail.model_copy(update={"arn": "arn:aws:x"})})
    with pytest.raises(Rejected, match="no versioned model package"):
        world.approval.judge(odd, world.now)


def test_a_retuned_model_without_a_board_waits_again_and_its_owner_hears_once():
    world = World()
    package = world.register(1, APPROVED, **RETUNED)
    assert world.deliver(package) == "put-back"
    assert world.packages.find(arn(1)).approval == PENDING
    assert world.deliver(package, APPROVED) == "late"
    assert world.deliver(package, PENDING) == "repeated"  # what putting it back sets off
    (mail,) = world.topic.messages
    assert (mail.attributes["status"], "--board" in mail.body) == ("PutBack", True)
    assert world.bus.heard == []
    reviewed = {**package.metadata, "review_board": "Ada, Grace"}
    assert world.deliver(world.packages.set(arn(1), approval=APPROVED, metadata=reviewed)) == (
        "promoted"
    )


def test_the_mail_about_a_retuned_model_names_the_option_it_needs():
    world = World()
    world.deliver(world.register(1, **RETUNED))
    assert f'signalbox approve {arn(1)} --board "NAMES"' in world.topic.messages[0].body


def test_a_newer_model_that_is_approved_counts_and_the_older_steps_aside():
    world = World()
    world.register(2, APPROVED)
    old = world.register(1, APPROVED)
    assert world.deliver(old) == "superseded"
    assert world.table.promotion("hvac", arn(1)).state == "superseded"
    assert world.deliver(world.packages.find(arn(2))) == "promoted"
    assert world.said() == ["ModelPromoted 2"]


def test_a_newer_model_that_cannot_serve_stands_in_nobodys_way():
    world = World()
    world.register(2, APPROVED, **RETUNED)
    world.register(3, APPROVED, status="Failed")
    assert world.deliver(world.register(1, APPROVED)) == "promoted"


def test_two_at_once_and_one_that_died():
    world = World()
    package = world.register(1)
    world.table.claim(f"package#{arn(1)}", f"status#{PENDING}", world.now)
    with pytest.raises(Transient, match="another invocation"):
        world.deliver(package)
    world.now += LEASE
    assert world.deliver(package) == "told"


def timeline(steps):
    """Registry after these decisions, and the events they set off."""
    world = World()
    events = []
    for version, approval, retuned in steps:
        if arn(version) not in world.packages.packages:
            extra = RETUNED if retuned else {}
            events.append(change_of(world.register(version, rmse=1.0 + version, **extra)))
        events.append(change_of(world.packages.set(arn(version), approval=approval)))
    return world, events


def ends(world):
    return sorted(world.topic.statuses()), sorted(world.said())


STEPS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([APPROVED, REJECTED, PENDING]), st.booleans()),
    min_size=1, max_size=6,
)  # fmt: skip


@given(steps=STEPS, data=st.data())
def test_events_twice_and_shuffled_promote_and_tell_the_same(steps, data):
    calm, events = timeline(steps)
    outcome = [calm.approval.judge(each, calm.now) for each in events]
    # what putting a package back sets off comes as well
    stormy, _ = timeline(steps)
    if "put-back" in outcome:
        events += [change_of(p) for p in calm.packages.packages.values()]
    for each in data.draw(st.permutations(events * 2)):
        stormy.approval.judge(each, stormy.now)
    assert ends(stormy) == ends(calm)
    assert stormy.packages.packages == calm.packages.packages
    assert len(stormy.bus.heard) == len(calm.bus.heard)


def test_the_power_may_fail_at_any_step_of_going_back():
    def played(fuse):
        world = World(endpoint=True, fuse=Fuse())
        for version in (1, 2):
            world.register(version)
            world.approve(version)
            world.rest()
        for each in (world, world.packages, world.table, world.endpoints, world.topic, world.bus):
            each.fuse = fuse
        for _ in range(3):
            try:
                world.deliver(world.packages.set(arn(2), approval=REJECTED))
            except (Crash, Transient):
                world.now += LEASE
        for _ in range(3):
            if not world.endpoints.look(group_of("hvac")).settled:
                world.endpoints.rest(group_of("hvac"))
            try:
                world.promoting.settled(group_of("hvac"), world.now)
            except (Crash, Transient):
                world.now += LEASE
        return world

    calm = played(Fuse())
    assert calm.fuse.steps > 9
    for at in range(calm.fuse.steps + 1):
        world = played(Fuse(at or None))
        assert (at, world.serving()) == (at, promotion_of(arn(1)))
        assert world.table.standing("hvac").promoted == arn(1)
        attempts = {(e.version, e.began) for e in world.bus.heard}
        assert (len(attempts), world.topic.messages) == (3, [])


@pytest.mark.parametrize("approval", [PENDING, APPROVED])
@pytest.mark.parametrize("retuned", [False, True])
def test_the_power_may_fail_at_any_step(approval, retuned):
    """Repeated, it ends the same; only a mail whose sender died right after it may go out twice."""

    def played(fuse):
        world = World(fuse=fuse)
        package = world.register(1, approval, **(RETUNED if retuned else {}))
        for _ in range(2):
            try:
                world.deliver(package, approval)
            except Crash:
                world.now += LEASE
        return world

    calm = played(Fuse())
    for at in range(1, calm.fuse.steps + 1):
        world = played(Fuse(at))
        assert world.packages.packages == calm.packages.packages
        assert world.said() == calm.said()
        assert set(world.topic.statuses()) == set(calm.topic.statuses())
