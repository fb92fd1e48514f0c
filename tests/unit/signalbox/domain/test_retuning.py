"""A failed quality check starts a retune at most once, and no more retunes than the guard allows."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.operations import Retune
from signalbox.contracts.own import RetuneStarted, RetuneSuppressed
from signalbox.domain.retune_guard import Decision, Verdict, judge, token_of
from signalbox.domain.retuning import ATTEMPTS, Retuning
from signalbox.domain.telling import LEASE
from signalbox.errors import NotDeployed, Rejected, Transient
from tests.alerted import SentMessages
from tests.fakes import NOON, Crash, Fuse, HeardBus
from tests.operated import (
    ARN,
    TRAINED,
    InMemoryHistory,
    InMemoryLedger,
    InMemoryPipelines,
    InMemoryRetunes,
    operated,
    step_change,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TUNE = "signalbox-example-tune"


class World:
    def __init__(self, *, trained=True, fuse=None, **guard):
        fuse = fuse or Fuse()
        self.bus, self.topic, self.ledger = HeardBus(fuse), SentMessages(fuse), InMemoryLedger(fuse)
        self.pipelines = InMemoryPipelines(fuse)
        self.retunes = InMemoryRetunes(fuse)
        self.retuning = Retuning(
            {"hvac": operated(retune=guard)}, self.pipelines, self.retunes,
            InMemoryHistory({"hvac": TRAINED} if trained else {}), self.pipelines, TUNE, "onnx",
            self.ledger, self.topic, self.bus,
        )  # fmt: skip

    def fails(self, execution="one", now=NOON, **parameters):
        """A quality check fails, of a run of its own."""
        event = step_change(execution=execution)
        told = {"Workload": "hvac", "Run": run_of(execution), "Program": "jobs.x", "FindModel": "f"}
        self.pipelines.told[event.detail.execution] = told | parameters
        return self.retuning.react(event, now)


def run_of(execution):
    return token_of("", "", execution)[:32]


def test_a_failed_check_starts_the_tune_pipeline_on_what_the_last_good_training_was_given():
    world = World()
    assert world.fails() == "started"
    token = token_of("hvac", run_of("one"), "one")
    assert world.pipelines.started == {
        token: (
            TUNE,
            {
                "Workload": "hvac", "Run": token[:32], "Inputs": TRAINED.inputs,
                "Program": "jobs.x", "Group": "signalbox-hvac",
            },
            f"retune-{token[:32]}",
        )
    }  # fmt: skip
    (event,) = world.bus.heard
    assert event == RetuneStarted(
        workload="hvac", run=run_of("one"), execution=f"{ARN}signalbox-example-batch/execution/one",
        tune_run=token[:32], tune_execution=f"{ARN}{TUNE}/execution/{token[:12]}",
        inputs=TRAINED.inputs, retunes=1,
    )  # fmt: skip
    (mail,) = world.topic.messages
    assert mail.subject == "hvac: model failed its quality check, is being tuned anew"
    assert (mail.attributes["kind"], mail.attributes["status"]) == ("retune", "started")
    for line in (
        "Why:      AlgorithmError: rmse is 3.1, at most 2.5 is asked: not good enough, exit code: 1",
        "Retunes:  1 within 7 days, of 2 allowed",
        f"  signalbox runs {token[:12]}",
    ):
        assert line in mail.body.splitlines()
    assert "Until 2026-07-03 12:00 UTC no other is started." in mail.body
    assert json.loads(mail.body.splitlines()[-1])["tune_execution"] == event.tune_execution


def test_a_check_that_could_not_be_made_says_nothing_of_the_model():
    world = World()
    event = step_change(failureReason="AlgorithmError: , exit code: 1")
    assert world.retuning.react(event, NOON) == "ignored"
    world.pipelines.words[event.detail.job] = "truth of 3 ids that were not predicted for: x#1"
    assert world.retuning.react(event, NOON) == "ignored"
    assert (world.pipelines.started, world.bus.heard, world.topic.messages) == ({}, [], [])
    world.pipelines.words[event.detail.job] = "hvac: rmse is 3, at most 2 is asked: not good enough"
    world.pipelines.told[event.detail.execution] = {"Workload": "hvac", "Run": "0" * 32}
    assert world.retuning.react(event, NOON) == "started", (
        "the job says it where the event does not"
    )


def test_a_token_is_what_aws_takes():
    token = token_of("w" * 63, "0" * 32, "x")
    assert 32 <= len(token) <= 128
    assert token.isalnum()
    assert len({token_of("a", "b", "c"), token_of("ab", "", "c"), token_of("a", "b", "d")}) == 3


def test_the_loop_ends_by_itself_and_says_so():
    world = World(cooldown_hours=24, limit=2, within_days=7)
    when = [NOON + n * DAY for n in range(8)]
    outcomes = [world.fails(f"run-{n}", now) for n, now in enumerate(when)]
    assert outcomes == ["started", "started"] + ["suppressed"] * 5 + ["started"]
    suppressed = [e for e in world.bus.heard if isinstance(e, RetuneSuppressed)]
    assert [(e.reason, e.until, e.retunes) for e in suppressed] == [
        ("limit", NOON + 7 * DAY, 2)
    ] * 5
    assert "2 retunes within 7 days did not mend it" in world.topic.messages[2].body
    assert world.topic.messages[2].subject.endswith("(limit) - Action Required")
    assert len(world.topic.messages) == 8


def test_a_check_that_fails_within_the_cooldown_waits():
    world = World(cooldown_hours=24, limit=5)
    world.fails("one")
    assert world.fails("two", NOON + 23 * HOUR) == "suppressed"
    assert world.fails("three", NOON + 24 * HOUR) == "started"
    event = world.bus.heard[1]
    assert (event.reason, event.until) == ("cooldown", NOON + DAY)
    assert "Action Required" not in world.topic.messages[1].subject
    assert "Not before: 2026-07-03 12:00 UTC" in world.topic.messages[1].body


def test_nothing_trained_yet_is_said_in_one_mail():
    world = World(trained=False)
    assert [world.fails() for _ in range(3)] == ["suppressed", "repeated", "repeated"]
    (event,) = world.bus.heard
    assert (event.reason, event.until) == ("never-trained", None)
    (mail,) = world.topic.messages
    assert "no training of this workload has succeeded yet" in mail.body
    assert "training/hvac/" in mail.body
    assert world.pipelines.started == {}


def test_without_the_pipeline_that_tunes_nothing_is_decided_but_to_say_so_once():
    world = World()
    world.pipelines.problem = NotDeployed("there is no such pipeline")
    assert [world.fails() for _ in range(2)] == ["suppressed", "repeated"]
    (event,) = world.bus.heard
    assert (event.reason, event.until, event.retunes) == ("not-deployed", None, 0)
    (mail,) = world.topic.messages
    assert mail.subject.endswith("(not-deployed) - Action Required")
    assert "Deploy template.yaml again; the next check that fails starts it." in mail.body
    world.pipelines.problem = None
    assert world.fails("two") == "started"


def test_a_limit_of_zero_means_never():
    world = World(limit=0)
    world.fails()
    assert (world.bus.heard[0].reason, world.bus.heard[0].until) == ("off", None)


def test_a_check_of_nobody_is_parked():
    world = World()
    with pytest.raises(Rejected, match="Workload='pumps'"):
        world.fails(Workload="pumps")


@pytest.mark.parametrize(
    ("ago", "guard", "reason", "until"),
    [
        ([], {}, None, None),
        ([DAY], {}, None, None),
        ([DAY - HOUR], {}, "cooldown", NOON + HOUR),
        ([2 * DAY, 6 * DAY], {}, "limit", NOON + DAY),
        ([2 * DAY, 7 * DAY], {}, None, None),
        ([HOUR, 6 * DAY], {"cooldown_hours": 72}, "cooldown", NOON + 71 * HOUR),  # the later one
        ([HOUR, 2 * DAY], {}, "limit", NOON + 5 * DAY),
        ([HOUR], {"cooldown_hours": 0}, None, None),
        ([9 * DAY], {"cooldown_hours": 240, "limit": 1}, "cooldown", NOON + DAY),
    ],
)
def test_the_guard(ago, guard, reason, until):
    verdict = judge(Retune(**guard), [NOON - each for each in ago], TRAINED, NOON)
    assert (verdict.reason, verdict.until) == (reason, until)
    assert verdict.retunes == sum(each < 7 * DAY for each in ago) + (reason is None)


def test_of_two_checks_at_the_same_time_one_starts_a_retune():
    world = World()
    other = Decision(
        "hvac", token_of("hvac", "r", "other"), "r", "x", NOON, Verdict(None, 1, None), TRAINED
    )
    world.retunes.meanwhile.append(other)
    assert world.fails("one") == "suppressed"
    assert world.pipelines.started == {}
    assert world.bus.heard[0].reason == "cooldown"


def test_the_same_check_at_the_same_time_starts_one_run():
    world, token = World(), token_of("hvac", run_of("one"), "one")
    world.retunes.meanwhile.append(
        Decision("hvac", token, run_of("one"), "x", NOON, Verdict(None, 1, None), TRAINED)
    )
    assert world.fails("one") == "started"
    assert list(world.pipelines.started) == [token]


def test_decisions_that_never_hold_come_again():
    world = World()
    world.retunes.decide = lambda decision, newest: False
    with pytest.raises(Transient, match=f"by {ATTEMPTS} others"):
        world.fails()


@pytest.mark.parametrize("at", range(1, 16))
def test_a_power_failure_anywhere_starts_one_run_and_tells_it(at):
    world = World(fuse=Fuse(at))
    for attempt in range(3):
        try:
            world.fails("one", NOON + attempt * LEASE)
        except Crash:
            continue
    assert len(world.pipelines.started) == len(world.bus.said()) == 1
    assert 1 <= len(world.topic.messages) <= 2
    assert len({mail.body for mail in world.topic.messages}) == 1


@given(st.data())
def test_repeats_change_nothing_whenever_they_come(data):
    """Of first deliveries in a given order, repeats in between change neither starts nor mails."""
    hours = data.draw(st.lists(st.integers(0, 400), min_size=1, max_size=8))
    plain, repeated = World(), World()
    order = []
    for number, hour in enumerate(sorted(hours)):
        now = NOON + hour * HOUR
        plain.fails(f"run-{number}", now)
        repeated.fails(f"run-{number}", now)
        order.append(f"run-{number}")
        for again in data.draw(st.lists(st.sampled_from(order), max_size=3)):
            assert repeated.fails(again, now + HOUR / 2) == "repeated"
    assert repeated.pipelines.started == plain.pipelines.started
    assert repeated.topic.messages == plain.topic.messages
    assert repeated.bus.heard == plain.bus.heard


@given(st.data())
def test_in_whatever_order_checks_come_the_guard_holds_and_each_is_answered_once(data):
    guard = Retune(
        cooldown_hours=data.draw(st.integers(0, 60)), limit=data.draw(st.integers(1, 3)),
        within_days=data.draw(st.integers(1, 7)),
    )  # fmt: skip
    world = World(**guard.model_dump())
    checks = [f"run-{n}" for n in range(data.draw(st.integers(1, 6)))]
    now = NOON
    for check in data.draw(st.permutations(checks * 2)):
        now += data.draw(st.integers(0, 30)) * HOUR
        world.fails(check, now)
    starts = sorted(d.at for d in world.retunes.decisions.values() if d.starts)
    assert len(starts) == len(world.pipelines.started) >= 1
    for earlier, later in pairwise(starts):
        assert later - earlier >= guard.cooldown_hours * HOUR
    for start in starts:
        within = [each for each in starts if start <= each < start + guard.within_days * DAY]
        assert len(within) <= guard.limit
    assert sorted(e.run for e in world.bus.heard) == sorted(run_of(each) for each in checks)
    assert len(world.topic.messages) == len(checks)


@given(st.permutations(["a", "b", "c", "d"]))
def test_within_one_cooldown_any_order_starts_one(order):
    world = World()
    outcomes = [world.fails(each, NOON + n * HOUR) for n, each in enumerate(order)]
    assert outcomes == ["started"] + ["suppressed"] * 3
