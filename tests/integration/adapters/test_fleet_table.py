"""What is known of a fleet: the fake and the adapter on moto, by the same tests."""

from datetime import date, timedelta, timezone

import pytest

from signalbox.adapters.fleet_table import FleetTable
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.errors import Misconfigured
from tests.fakes import NOON, InMemoryFleet

UNIT = UnitRecord(
    unit="A1", model="RTU-50", dealer="north", location="Oslo", installed=date(2024, 5, 1)
)
FAULT = FaultRecord(unit="A1", fault="leak", failed_at=NOON)


@pytest.fixture(params=["fake", "moto"])
def fleet(request):
    if request.param == "fake":
        return InMemoryFleet()
    request.getfixturevalue("aws")
    return FleetTable("FleetTable")


def test_a_unit_is_what_the_newest_file_says(fleet):
    assert fleet.unit("hvac", "A1") is None
    assert fleet.merge("hvac", UNIT, "2")
    moved = UNIT.model_copy(update={"dealer": "south"})
    assert not fleet.merge("hvac", moved, "1")
    assert fleet.unit("hvac", "A1") == UNIT
    assert fleet.merge("hvac", moved, "3")
    assert fleet.merge("hvac", moved, "3"), "the same file again stands as before"
    assert fleet.unit("hvac", "A1") == moved
    assert fleet.unit("pumps", "A1") is None


def test_faults_come_oldest_first_and_one_instant_is_one_fault(fleet):
    east = timezone(timedelta(hours=2))
    later = FAULT.model_copy(update={"failed_at": NOON + timedelta(days=1, microseconds=1)})
    for order, fault in enumerate((later, FAULT)):
        assert fleet.merge("hvac", fault, str(order))
    repaired = FaultRecord(
        unit="A1", fault="leak", failed_at=NOON.astimezone(east), repaired_at=NOON
    )
    assert fleet.merge("hvac", repaired, "2")
    assert fleet.faults("hvac", "A1") == [repaired, later]
    assert fleet.faults("hvac", "A2") == []
    assert fleet.unit("hvac", "A1") is None


def test_a_withdrawn_fault_stays_away_whatever_comes_late(fleet):
    fleet.merge("hvac", FAULT, "1")
    fleet.merge("hvac", FAULT.model_copy(update={"withdrawn": True}), "3")
    assert not fleet.merge("hvac", FAULT, "2")
    assert fleet.faults("hvac", "A1") == []
    assert fleet.merge("hvac", FAULT, "4")
    assert fleet.faults("hvac", "A1") == [FAULT]


def test_a_table_that_is_not_there_is_a_wrong_deployment(aws):
    nowhere = FleetTable("nowhere")
    with pytest.raises(Misconfigured, match="dynamodb:PutItem"):
        nowhere.merge("hvac", UNIT, "1")
    with pytest.raises(Misconfigured, match="dynamodb:GetItem"):
        nowhere.unit("hvac", "A1")
    with pytest.raises(Misconfigured, match="dynamodb:Query"):
        nowhere.faults("hvac", "A1")
