import pytest

from functions.on_fleet_record import app
from signalbox.domain.fleet import FleetIntake, Row
from tests.fakes import (
    HeardBus,
    InMemoryFleet,
    InMemoryFleetFiles,
    KeptRejections,
    LambdaContext,
    object_event,
    workload,
)

KEY = "faults/hvac/log.csv"
LEAK = {"unit": "A1", "fault": "leak", "failed_at": "2026-07-01T12:00:00Z"}


@pytest.fixture
def world(monkeypatch):
    files = InMemoryFleetFiles({KEY: [Row(LEAK, line=2)]})
    intake = FleetIntake({"hvac": workload()}, files, InMemoryFleet(), HeardBus())
    monkeypatch.setattr(app, "intake", lambda: intake)
    monkeypatch.setitem(app.handler.__dict__, "rejections", KeptRejections(intake.bus))
    return intake


def test_a_fault_log_is_merged_and_a_repeat_says_the_same(world):
    for _ in range(2):
        app.handler(object_event(KEY), LambdaContext())
    assert len(world.fleet.faults("hvac", "A1")) == 1
    assert [event.changed for event in world.bus.heard] == [1, 1]
    assert len(world.bus.said()) == 1


def test_a_bad_row_is_parked_with_its_line_and_workload(world):
    world.files.content[KEY].append(Row({"unit": "A1"}, line=3))
    app.handler(object_event(KEY), LambdaContext())
    (event,) = world.bus.heard
    assert (event.detail_type(), event.workload, event.reason, event.line) == (
        "FileRejected",
        "hvac",
        "bad-row",
        3,
    )
