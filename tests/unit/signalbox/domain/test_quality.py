"""Violations of a run's data are warned of, once; nothing else happens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.operation_keys import violations_key
from signalbox.contracts.own import DataQualityViolated
from signalbox.domain.quality import MAX_BYTES, MAX_DESCRIBED, MAX_TEXT, DataQuality
from signalbox.domain.telling import LEASE
from signalbox.errors import Rejected
from tests.alerted import SentMessages
from tests.fakes import NOON, Crash, Fuse, HeardBus, InMemoryObjects, ref
from tests.operated import OWNER, InMemoryLedger, operated

RUN = "0" * 32
KEY = violations_key("hvac", RUN)
DRIFT = {
    "feature_name": "pressure", "constraint_check_type": "baseline_drift_check",
    "description": "Baseline drift distance: 0.31 exceeds threshold: 0.1",
}  # fmt: skip


class World:
    def __init__(self, fuse=None):
        fuse = fuse or Fuse()
        self.objects = InMemoryObjects()
        self.bus, self.topic, self.ledger = HeardBus(fuse), SentMessages(fuse), InMemoryLedger(fuse)
        self.quality = DataQuality(
            {"hvac": operated()}, self.objects, self.ledger, self.topic, self.bus
        )

    def write(self, *violations, key=KEY):
        self.objects.put(key, json.dumps({"violations": violations}).encode())
        return ref(
            key, f"{len(self.objects.versions[key]):x}", f"v{len(self.objects.versions[key])}"
        )


def test_violations_are_warned_of_and_nothing_stops():
    world = World()
    source = world.write(DRIFT)
    assert world.quality.report(source, NOON) == "warned"
    assert world.quality.report(source, NOON) == "repeated"
    (event,) = world.bus.heard
    assert isinstance(event, DataQualityViolated)
    assert (event.workload, event.run, event.count, event.source) == ("hvac", RUN, 1, source)
    assert event.violations[0].check == "baseline_drift_check"
    (mail,) = world.topic.messages
    assert mail.subject == "hvac: data of a run has 1 violation"
    assert mail.attributes["kind"] == "data-quality"
    assert mail.attributes["owner"] == OWNER
    assert "  pressure: baseline_drift_check. Baseline drift distance: 0.31" in mail.body
    assert "This is a warning; nothing was stopped." in mail.body
    assert json.loads(mail.body.splitlines()[-1])["count"] == 1


def test_many_violations_are_counted_and_the_first_described():
    world = World()
    many = [DRIFT | {"feature_name": f"f{n}", "description": "x" * 9999} for n in range(40)]
    world.quality.report(world.write(*many), NOON)
    (event,) = world.bus.heard
    assert (event.count, len(event.violations)) == (40, MAX_DESCRIBED)
    assert len(event.violations[0].description) == MAX_TEXT
    assert f"  and {40 - MAX_DESCRIBED} more" in world.topic.messages[0].body
    assert "40 violations" in world.topic.messages[0].subject


def test_no_violation_is_no_news():
    world = World()
    assert world.quality.report(world.write(), NOON) == "nothing-violated"
    assert world.bus.heard == world.topic.messages == []


def test_the_same_report_written_again_is_told_once_and_another_is_told_too():
    world = World()
    outcomes = [
        world.quality.report(world.write(*violations), NOON)
        for violations in ([DRIFT], [DRIFT], [DRIFT, DRIFT | {"feature_name": "b"}])
    ]
    assert outcomes == ["warned", "repeated", "warned"]


def test_checks_and_fields_that_aws_may_add_are_read():
    world = World()
    odd = DRIFT | {"constraint_check_type": "novel_check", "metric_name": "x"}
    assert world.quality.report(world.write(odd), NOON) == "warned"


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("monitoring/hvac/by-hand/constraint_violations.json", b"{}", "bad-key"),
        (violations_key("pumps", RUN), b'{"violations": []}', "unknown-workload"),
        (KEY, b"{}", "bad-report"),
        (KEY, b"[]", "bad-report"),
        (KEY, b'{"violations": [{"feature_name": "a"}]}', "bad-report"),
        (KEY, b'{"violations": [', "bad-report"),
        (KEY, b"\xff", "bad-report"),
        (KEY, b" " * (MAX_BYTES + 1), "too-large"),
    ],
)
def test_what_is_no_report_is_rejected(key, content, reason):
    world = World()
    world.objects.put(key, content)
    with pytest.raises(Rejected) as problem:
        world.quality.report(ref(key), NOON)
    assert problem.value.reason == reason
    assert world.bus.heard == world.topic.messages == []


def test_a_report_that_is_gone_is_ignored():
    assert World().quality.report(ref(KEY), NOON) == "ignored"


@pytest.mark.parametrize("at", range(1, 10))
def test_a_power_failure_anywhere_loses_no_warning(at):
    world = World(Fuse(at))
    source = world.write(DRIFT)
    for attempt in range(3):
        try:
            world.quality.report(source, NOON + attempt * LEASE)
        except Crash:
            continue
    assert len(world.bus.said()) == 1
    assert 1 <= len(world.topic.messages) <= 2


@given(st.data())
def test_order_and_repeats_do_not_matter(data):
    runs = [f"{n:032x}" for n in range(4)]
    plain, shuffled = World(), World()
    events = {}
    for world in (plain, shuffled):
        for number, run in enumerate(runs):
            events[run] = world.write(*[DRIFT] * number, key=violations_key("hvac", run))
    for run in runs:
        plain.quality.report(events[run], NOON)
    for run in data.draw(st.permutations(runs * 2)):
        shuffled.quality.report(events[run], NOON)
    assert sorted(m.body for m in plain.topic.messages) == sorted(
        m.body for m in shuffled.topic.messages
    )
    assert sorted(plain.bus.said()) == sorted(shuffled.bus.said())
    assert len(plain.topic.messages) == 3
