"""Files about a fleet, merged the same way however often, late and badly they are delivered."""

from datetime import date, timedelta
from itertools import permutations

import pytest

from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.domain import fleet as fleet_module
from signalbox.domain.fleet import MAX_BYTES, FleetIntake, Row, order_of, records
from signalbox.errors import Rejected
from tests.fakes import (
    NOON,
    Crash,
    Fuse,
    HeardBus,
    InMemoryFleet,
    InMemoryFleetFiles,
    ref,
    workload,
)

UNITS = "registry/hvac/units.csv"
FAULTS = "faults/hvac/log.csv"
A1 = {
    "unit": "A1",
    "model": "RTU",
    "dealer": "north",
    "location": "Oslo",
    "installed": "2024-05-01",
}
LEAK = {"unit": "A1", "fault": "leak", "failed_at": "2026-07-01T12:00:00Z"}
KNOWN = UnitRecord(
    unit="A1", model="RTU", dealer="north", location="Oslo", installed=date(2024, 5, 1)
)


class World:
    def __init__(self, *rows, key=UNITS, fuse=None):
        fuse = fuse or Fuse()
        self.files = InMemoryFleetFiles(
            {key: [Row(each, line=n) for n, each in enumerate(rows, 2)]}
        )
        self.fleet = InMemoryFleet(fuse)
        self.bus = HeardBus(fuse)
        self.intake = FleetIntake({"hvac": workload()}, self.files, self.fleet, self.bus)


def test_units_are_known_and_said():
    world = World(A1, A1 | {"unit": "B2", "colour": "grey"})
    assert world.intake.take_in(ref(UNITS), NOON) == "merged"
    assert world.fleet.unit("hvac", "A1") == KNOWN
    (event,) = world.bus.heard
    assert (event.workload, event.kind) == ("hvac", "registry")
    assert (event.units, event.rows, event.changed) == (2, 2, 2)


def test_a_fault_log_may_name_a_unit_often_and_the_later_row_counts():
    repaired = LEAK | {"repaired_at": "2026-07-02T09:00:00+02:00"}
    other = LEAK | {"failed_at": "2026-05-01T00:00:00Z"}
    world = World(LEAK, other, repaired, key=FAULTS)
    world.intake.take_in(ref(FAULTS), NOON)
    first, second = world.fleet.faults("hvac", "A1")
    assert (first.repaired_at, second.repaired_at.hour) == (None, 9)
    (event,) = world.bus.heard
    assert (event.kind, event.units, event.rows) == ("faults", 1, 2)


def test_a_file_without_rows_is_a_file():
    world = World(key=FAULTS)
    assert world.intake.take_in(ref(FAULTS), NOON) == "merged"
    assert world.bus.heard[0].rows == 0


@pytest.mark.parametrize("key", ["registry/hvac/", "registry/"])
def test_a_folder_marker_is_no_file(key):
    assert World().intake.take_in(ref(key), NOON) == "ignored"


def test_a_version_that_is_gone_is_ignored():
    assert World().intake.take_in(ref("registry/hvac/gone.csv"), NOON) == "ignored"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("registry/units.csv", "bad-key"),
        ("faults//log.csv", "bad-key"),
        ("registry/pumps/units.csv", "unknown-workload"),
    ],
)
def test_a_key_must_name_a_workload(key, reason):
    with pytest.raises(Rejected) as problem:
        World(A1, key=key).intake.take_in(ref(key), NOON)
    assert problem.value.reason == reason


@pytest.mark.parametrize(("size", "reason"), [(0, "empty"), (MAX_BYTES + 1, "too-large")])
def test_a_file_is_judged_by_its_head(size, reason):
    world = World(A1)
    world.files.sizes[UNITS] = size
    with pytest.raises(Rejected) as problem:
        world.intake.take_in(ref(UNITS), NOON)
    assert problem.value.reason == reason


def test_a_bad_row_rejects_the_whole_file_and_is_named():
    world = World(A1, A1 | {"unit": "B 2"})
    with pytest.raises(Rejected, match=r"line 3: unit: .*mend the row") as problem:
        world.intake.take_in(ref(UNITS), NOON)
    assert (problem.value.reason, problem.value.line, problem.value.column) == (
        "bad-row",
        3,
        "unit",
    )
    assert "B 2" not in problem.value.message, "messages show no content"
    assert world.fleet.items == {}
    assert world.bus.heard == []


def test_a_row_of_a_table_is_named_by_its_number():
    with pytest.raises(Rejected, match="row 7: failed_at: Field required") as problem:
        records("faults", "x", [Row({"unit": "A1", "fault": "leak"}, row=7)])
    assert problem.value.row == 7


def test_a_time_without_a_zone_is_no_time():
    with pytest.raises(Rejected, match="timezone"):
        records("faults", "x", [Row(LEAK | {"failed_at": "2026-07-01T12:00:00"}, line=2)])


def test_a_file_has_an_end(monkeypatch):
    monkeypatch.setattr(fleet_module, "MAX_ROWS", 2)
    with pytest.raises(Rejected, match="more than 2 rows; split") as problem:
        records("registry", "x", [Row(A1, line=n) for n in range(3)])
    assert problem.value.reason == "too-many-rows"


def test_the_event_s_time_orders_files_and_the_sequencer_those_of_one_instant():
    orders = [
        order_of(ref("registry/hvac/z.csv", "ff"), NOON),
        order_of(ref("registry/hvac/a.csv", "1ff"), NOON),
        order_of(ref("registry/hvac/a.csv", "1"), NOON + timedelta(seconds=1)),
    ]
    assert orders == sorted(orders)


DELIVERIES = [
    ("faults/hvac/1.csv", [LEAK, LEAK | {"failed_at": "2026-06-01T00:00:00Z"}]),
    ("faults/hvac/2.csv", [LEAK | {"withdrawn": "true"}]),
    ("faults/hvac/3.csv", [LEAK | {"unit": "B2"}]),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_twice_and_shuffled_the_fleet_ends_the_same(order):
    world = World()
    for key, rows in DELIVERIES:
        world.files.content[key] = [Row(each, line=2) for each in rows]
    for turn in (*order, *reversed(order)):
        at = NOON + timedelta(minutes=turn)
        world.intake.take_in(ref(DELIVERIES[turn][0], f"a{turn}"), at)
    (left,) = world.fleet.faults("hvac", "A1")
    assert left.failed_at.month == 6, "what was withdrawn stays away"
    assert len(world.fleet.faults("hvac", "B2")) == 1
    assert len(world.fleet.items) == 3


def test_a_fault_withdrawn_before_it_was_known_stays_away():
    world = World()
    world.fleet.merge("hvac", FaultRecord(**LEAK, withdrawn=True), "9")
    world.fleet.merge("hvac", FaultRecord(**LEAK), "1")
    assert world.fleet.faults("hvac", "A1") == []


@pytest.mark.parametrize("at", range(1, 8))
def test_power_may_fail_at_any_point(at):
    """Steps: two merges, emit; each before and after."""
    rows = (A1, A1 | {"unit": "B2"})
    whole = World(*rows)
    whole.intake.take_in(ref(UNITS), NOON)
    world = World(*rows, fuse=Fuse(at))
    if at <= 6:
        with pytest.raises(Crash):
            world.intake.take_in(ref(UNITS), NOON)
    world.intake.take_in(ref(UNITS), NOON)
    assert world.fleet.items == whole.fleet.items
    assert world.bus.said() == whole.bus.said()
