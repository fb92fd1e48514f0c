"""Sensor files arriving and leaving: decisions, and every order in which deliveries can come."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.contracts.keys import fragment_key, tombstone_key
from signalbox.contracts.s3 import ObjectDeleted
from signalbox.domain.intake import (
    AnnounceAgain,
    CutFile,
    Ignore,
    Intake,
    Withdrawal,
    admit,
    decide,
)
from signalbox.errors import Rejected
from tests.fakes import (
    Crash,
    Fuse,
    HeardBus,
    InMemoryObjects,
    LineKernel,
    object_event,
    ref,
    workload,
)

KEY = "raw/hvac/2026/u1.csv"
HVAC = {"hvac": workload()}


class World:
    """A bucket with the versions of one file, its bus, and both doors' domain."""

    def __init__(self, *contents: bytes, fuse: Fuse | None = None) -> None:
        fuse = fuse or Fuse()
        self.store = InMemoryObjects(versions={KEY: list(contents)}, fuse=fuse)
        self.bus = HeardBus(fuse)
        self.kernel = LineKernel()
        self.intake = Intake(HVAC, self.store, self.kernel, self.bus)
        self.withdrawal = Withdrawal(self.store, self.bus)

    def created(self, sequencer: int, version: str) -> str:
        return self.intake.take_in(ref(KEY, f"{sequencer:x}", version))

    def deleted(self, sequencer: int, event: str = "aws.s3/object-deleted.json") -> str:
        told = object_event(KEY, f"{sequencer:x}", "v9", event)
        return self.withdrawal.withdraw(ObjectDeleted.model_validate(told))

    def derived(self) -> dict[str, bytes]:
        return {k: v for k, v in self.store.state().items() if k.startswith("fragments/")}

    def counts(self) -> str | None:
        """What counts of the file: the newest key, by text order."""
        return max(self.derived(), default=None)


def test_a_new_file_is_cut_and_announced():
    world = World(b"1\n2\n3\n")
    assert world.created(1, "v1") == "cut"
    assert world.derived() == {fragment_key(KEY, "1"): b"cut:1\n2\n3\n"}
    (event,) = world.bus.heard
    assert event.output_key == fragment_key(KEY, "1")
    assert (event.workload, event.origin, event.rows, event.source) == (
        "hvac",
        "sensor-file",
        3,
        ref(KEY, "1"),
    )


def test_a_file_done_is_not_done_again_only_announced():
    world = World(b"1\n")
    world.created(1, "v1")
    assert world.created(1, "v1") == "announced-again"
    assert world.kernel.cuts == 1
    assert world.store.downloads == [KEY]
    assert len(world.bus.said()) == 1


def test_an_older_version_changes_nothing():
    world = World(b"old\n", b"new\n")
    world.created(2, "v2")
    assert world.created(1, "v1") == "ignored"
    assert list(world.derived()) == [fragment_key(KEY, "2")]


def test_a_newer_version_that_is_rejected_leaves_the_older_standing():
    world = World(b"1\n", b"bad\n")
    world.created(1, "v1")
    with pytest.raises(Rejected) as problem:
        world.created(2, "v2")
    assert (problem.value.reason, problem.value.line) == ("bad-line", 1)
    assert world.counts() == fragment_key(KEY, "1")


def test_a_file_deleted_before_it_was_looked_at_is_left_to_its_deletion():
    world = World()
    assert world.created(1, "v1") == "ignored"
    assert world.bus.heard == []


@pytest.mark.parametrize("size", [0, 1001])
def test_a_file_is_judged_by_its_head_before_it_is_downloaded(size):
    world = World(b"x" * size)
    with pytest.raises(Rejected) as problem:
        world.created(1, "v1")
    assert problem.value.reason == {0: "empty", 1001: "too-large"}[size]
    assert world.store.downloads == []


def test_a_file_of_exactly_the_limit_is_admitted():
    admit(ref(KEY), 1000, HVAC["hvac"])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("raw/u1.csv", "bad-key"),
        ("raw/hvac/" + "x" * 1000, "bad-key"),
        ("raw/pumps/u1.csv", "unknown-workload"),
    ],
)
def test_a_key_that_leads_nowhere_is_rejected(key, reason):
    with pytest.raises(Rejected) as problem:
        decide(ref(key), HVAC, [])
    assert problem.value.reason == reason


def test_decisions_are_values():
    source = ref(KEY, "5")
    output = fragment_key(KEY, "5")
    assert decide(source, HVAC, []) == CutFile(HVAC["hvac"], output)
    assert decide(source, HVAC, [fragment_key(KEY, "4")]) == CutFile(HVAC["hvac"], output)
    assert decide(source, HVAC, [output]) == AnnounceAgain(HVAC["hvac"], output)
    assert isinstance(decide(source, HVAC, [fragment_key(KEY, "6")]), Ignore)
    assert isinstance(decide(source, HVAC, [tombstone_key(KEY, "5")]), Ignore)
    assert isinstance(decide(ref("raw/hvac/2026/"), HVAC, []), Ignore)


def test_a_deletion_leaves_a_tombstone_and_is_announced():
    world = World(b"1\n")
    world.created(1, "v1")
    assert world.deleted(2) == "withdrawn"
    assert world.counts() == tombstone_key(KEY, "2")
    event = world.bus.heard[-1]
    assert (event.detail_type(), event.output_key) == (
        "CycleFeaturesWithdrawn",
        tombstone_key(KEY, "2"),
    )


def test_removing_one_version_withdraws_only_a_file_that_is_gone():
    world = World(b"1\n")
    assert world.deleted(2, "aws.s3/object-deleted.version.json") == "ignored"
    world.store.delete(KEY)
    assert world.deleted(3, "aws.s3/object-deleted.version.json") == "withdrawn"


def test_a_deletion_outside_every_workload_concerns_nobody():
    event = object_event("raw/readme.txt", event="aws.s3/object-deleted.json")
    world = World()
    assert world.withdrawal.withdraw(ObjectDeleted.model_validate(event)) == "ignored"
    assert world.store.state() == {}


HISTORY = {  # what happened to the file, by sequencer: created vN, or deleted
    1: lambda world: world.created(1, "v1"),
    2: lambda world: world.created(2, "v2"),
    3: lambda world: world.deleted(3),
    4: lambda world: world.created(4, "v3"),
}


@pytest.mark.parametrize("last", [2, 3, 4])
def test_every_order_of_deliveries_ends_with_the_newest(last):
    expected = {2: fragment_key(KEY, "2"), 3: tombstone_key(KEY, "3"), 4: fragment_key(KEY, "4")}
    for order in permutations(range(1, last + 1)):
        world = World(b"one\n", b"two\n", b"three\n")
        for sequencer in order:
            HISTORY[sequencer](world)
        assert world.counts() == expected[last], order


@given(st.lists(st.sampled_from(sorted(HISTORY)), min_size=1, max_size=12))
def test_repeats_in_any_order_end_as_each_delivery_once(deliveries):
    world, once = World(b"one\n", b"two\n", b"three\n"), World(b"one\n", b"two\n", b"three\n")
    for sequencer in deliveries:
        HISTORY[sequencer](world)
    for sequencer in dict.fromkeys(deliveries):
        HISTORY[sequencer](once)
    assert world.derived() == once.derived()
    assert world.bus.said() == once.bus.said()


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("sequencer", [1, 3])
def test_power_may_fail_at_any_point(sequencer, at):
    whole = World(b"one\n")
    HISTORY[sequencer](whole)
    fuse = Fuse(at)
    world = World(b"one\n", fuse=fuse)
    if at <= 4:  # put: before, after; emit: before, after
        with pytest.raises(Crash):
            HISTORY[sequencer](world)
    HISTORY[sequencer](world)
    assert world.derived() == whole.derived()
    assert world.bus.said() == whole.bus.said()
