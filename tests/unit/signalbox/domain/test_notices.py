"""Who hears of a pipeline, what he reads, and that he reads it once."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.domain.notices import Notices, thing_of, wish_for
from signalbox.domain.telling import LEASE
from signalbox.errors import Rejected, Transient
from tests.alerted import SentMessages
from tests.fakes import NOON, Crash, Fuse, workload
from tests.operated import (
    ARN,
    OWNER,
    TRAIN,
    InMemoryHistory,
    InMemoryLedger,
    InMemoryPipelines,
    operated,
    run_change,
    step_change,
)

RUN = "5d0c2f0e9a6b4c7d8e1f2a3b4c5d6e7f"
RULES = [
    {"status": ["Succeeded", "Failed"], "step": "Evaluate", "message": "Look at the report."},
    {
        "status": ["Failed"],
        "step": "Evaluate",
        "step_msg": "Stop the line.",
        "action_required": True,
    },
    {"status": ["Executing"], "step_custom_message": "It runs."},
]


class World:
    def __init__(self, *rules, fuse=None):
        fuse = fuse or Fuse()
        self.runs, self.history = InMemoryPipelines(), InMemoryHistory()
        self.topic, self.ledger = SentMessages(fuse), InMemoryLedger(fuse)
        workloads = {"hvac": operated(notify=list(rules)), "plain": workload("plain")}
        self.notices = Notices(workloads, self.runs, self.history, TRAIN, self.ledger, self.topic)

    def tell(self, event, now=NOON, **parameters):
        self.runs.told[event.detail.execution] = parameters or {"Workload": "hvac", "Run": RUN}
        return self.notices.tell(event, now)


@pytest.mark.parametrize(
    ("event", "messages", "action"),
    [
        (step_change("Evaluate", "Succeeded"), ("Look at the report.",), False),
        (step_change("Evaluate"), ("Look at the report.", "Stop the line."), True),
        (step_change("Evaluate", "Executing"), None, None),
        (step_change("evaluate"), None, None),  # names are matched exactly
        (step_change("Train"), None, None),
        (run_change("Executing"), ("It runs.",), False),
        (run_change("Succeeded"), None, None),
        (run_change("Novel"), None, None),
        (run_change("Failed"), (), False),
        (run_change("CompletedWithFailures"), (), False),
    ],
)  # fmt: skip
def test_rules_name_steps_and_statuses_exactly_and_a_failed_run_needs_none(event, messages, action):
    wish = wish_for(event.detail, operated(notify=RULES).operations)
    if messages is None:
        assert wish is None
    else:
        assert (wish.messages, wish.action_required) == (messages, action)


def test_the_same_words_of_two_rules_are_said_once():
    twice = [{"status": ["Failed"], "message": "Look."}] * 2
    assert wish_for(run_change().detail, operated(notify=twice).operations).messages == ("Look.",)


def test_a_failed_run_is_told_to_its_owner_in_words():
    world, event = World(), run_change()
    world.runs.reasons[event.detail.execution] = "ModelQuality: rmse is 3.1\nit must be below 2.5"
    assert world.tell(event) == "told"
    (message,) = world.topic.messages
    assert message.subject == "hvac: Failed, the run of signalbox-example-batch"
    attributes = {n: message.attributes[n] for n in ("workload", "kind", "status", "owner")}
    assert attributes == {
        "workload": "hvac", "kind": "pipeline", "status": "Failed", "owner": OWNER,
    }  # fmt: skip
    lines = message.body.splitlines()
    assert lines[0] == "Pipeline signalbox-example-batch: the run of hvac is Failed."
    for line in (
        "Workload:  hvac",
        f"Run:       {RUN}",
        "Status:    Failed, before Executing",
        "Began:     2026-07-02 00:03 UTC",
        "Ended:     2026-07-02 00:16 UTC, after 12 min 57 s",
        "Why:       ModelQuality: rmse is 3.1 it must be below 2.5",
        "  signalbox runs p4jn9xou8a8s",
    ):
        assert line in lines
    detail = json.loads(lines[-1])
    assert json.loads(message.attributes["detail"]) == detail
    assert (detail["status"], detail["step"], detail["owner"]) == ("Failed", None, OWNER)
    assert message.recipients == (OWNER,)


def test_a_step_is_told_with_the_words_of_its_rule():
    world = World(*RULES)
    world.tell(step_change("Evaluate", failureReason="exit code: 1"))
    (message,) = world.topic.messages
    assert message.subject.endswith(
        "Failed, step Evaluate of signalbox-example-batch - Action Required"
    )
    for words in ("Look at the report.", "Stop the line.", "Step:      Evaluate, Processing"):
        assert words in message.body
    assert "Why:       exit code: 1" in message.body


def test_a_subject_fits_however_long_its_names_are():
    long, step = "w" * 63, "ä" + "S" * 255
    rule = {"status": ["Failed"], "step": step[:63], "action_required": True}
    world = World()
    world.notices = Notices({long: operated(long, notify=[rule])}, *_rest(world))
    event = step_change(step[:63], failureReason="x" * 1024)
    assert world.tell(event, Workload=long) == "told"
    (message,) = world.topic.messages
    assert len(message.subject) <= 99
    assert message.subject.isascii()
    assert message.subject.startswith(f"{long}: Failed")
    assert message.subject.endswith(" - Action Required")
    detail = json.loads(message.attributes["detail"])  # shorter than the body's
    assert (detail["status"], detail["why"][:9], detail["shortened"]) == ("Failed", "x" * 9, True)
    assert json.loads(message.body.splitlines()[-1])["why"] == "x" * 1024


def _rest(world):
    return world.runs, world.history, TRAIN, world.ledger, world.topic


@pytest.mark.parametrize("parameters", [{"Run": RUN}, {"Workload": "other"}, {"Workload": "plain"}])
def test_what_nobody_owns_is_parked_where_it_failed_and_ignored_otherwise(parameters):
    world = World(*RULES)
    assert world.tell(run_change("Executing"), **parameters) == "ignored"
    assert world.tell(step_change("Evaluate"), **parameters) == "ignored"
    with pytest.raises(Rejected, match="it has no owner") as problem:
        world.tell(run_change("Failed"), **parameters)
    assert problem.value.reason == "unknown-workload"
    assert world.topic.messages == []


def test_spelling_and_fresh_ids_make_no_new_change_but_another_attempt_does():
    first = step_change("Evaluate")
    spelled = (
        first.detail.execution.upper().replace("ARN:", "arn:").replace("PIPELINE/", "pipeline/")
    )
    spelled = spelled.replace("/EXECUTION/", "/execution/")
    again = step_change("Evaluate", pipelineExecutionArn=spelled)
    assert thing_of(first.detail) == thing_of(again.detail)
    retried = step_change("Evaluate", stepEndTime="2026-07-02T00:29:00Z")
    others = [retried, step_change("Train"), step_change("Evaluate", "Succeeded"), run_change()]
    others.append(step_change("Evaluate", execution="other"))
    assert len({thing_of(each.detail) for each in [first, *others]}) == 6


def test_who_comes_while_another_tells_comes_again():
    world, event = World(fuse=Fuse(4)), run_change()  # the topic has taken it; then the power fails
    with pytest.raises(Crash):
        world.tell(event)
    with pytest.raises(Transient, match="lease ends after 90 s"):
        world.tell(event, NOON + LEASE - timedelta(seconds=1))
    assert len(world.topic.messages) == 1
    assert world.tell(event, NOON + LEASE) == "told"
    assert world.tell(event, NOON + 2 * LEASE) == "repeated"
    assert len(world.topic.messages) == 2  # one more than one, and never fewer


@pytest.mark.parametrize("at", range(1, 8))
def test_a_power_failure_costs_one_mail_too_many_at_most(at):
    world, event = World(fuse=Fuse(at)), run_change()
    for attempt in range(3):
        try:
            world.tell(event, NOON + attempt * LEASE)
        except Crash:
            continue
    assert 1 <= len(world.topic.messages) <= 2
    assert len({message.body for message in world.topic.messages}) == 1


CHANGES = [
    make(status=status, execution=execution, **more)
    for execution in ("one", "two")
    for status in ("Executing", "Succeeded", "Failed", "Novel")
    for make, more in ((run_change, {}), (step_change, {"step": "Evaluate"}))
]


@given(st.data())
def test_mails_are_the_same_in_whatever_order_and_however_often_events_come(data):
    plain, shuffled = World(*RULES), World(*RULES)
    for event in CHANGES:
        plain.tell(event)
    repeats = data.draw(st.lists(st.sampled_from(CHANGES), max_size=20))
    for event in data.draw(st.permutations(CHANGES + repeats)):
        fresh = event.model_copy(update={"id": data.draw(st.uuids()).hex})
        shuffled.tell(fresh, NOON + timedelta(seconds=data.draw(st.integers(0, 10**6))))
    assert _sorted(plain.topic.messages) == _sorted(shuffled.topic.messages)
    assert (
        len(plain.topic.messages) == 8
    )  # of each run: Executing, Failed; of its step: Succeeded, Failed


def _sorted(messages):
    return sorted(message.model_dump_json() for message in messages)


def trains(status, day, make=run_change, pipeline=TRAIN, **detail):
    """A change of a training run that began on a day of July."""
    arn = f"{ARN}{pipeline}"
    told = {"pipelineArn": arn, "pipelineExecutionArn": f"{arn}/execution/{status.lower()}{day}"}
    return make(status=status, executionStartTime=f"2026-07-{day:02}T00:00:00Z", **told | detail)


def given_to(event):
    return {"Workload": "hvac", "Run": RUN, "Inputs": event.detail.execution}


TRAININGS = [
    trains("Succeeded", 1), trains("Succeeded", 3, pipeline=TRAIN.upper()), trains("Failed", 4),
    trains("Executing", 5), trains("Succeeded", 6, step_change, step="Preprocess"),
    trains("Succeeded", 7, pipeline="signalbox-example-batch"),
]  # fmt: skip


@given(st.permutations(TRAININGS * 2))
def test_what_the_latest_training_was_given_that_succeeded_is_kept_in_whatever_order(events):
    world = World()
    for event in events:
        world.tell(event, **given_to(event))
    kept = world.history.models["hvac"]
    assert kept.inputs.endswith("/execution/succeeded3")
    assert (kept.run, f"{kept.at:%d}") == (RUN, "03")


def test_a_training_that_failed_gives_a_retune_nothing():
    world = World()
    event = trains("Failed", 1)
    world.tell(event, **given_to(event))
    assert world.history.models == {}
