"""Units become due once for each thing that makes them so."""

from datetime import timedelta

import pytest

from cli.workloads import load
from signalbox.contracts.own import CycleFeaturesReady
from signalbox.domain.due import MAX_NAMED, Due, note_of
from signalbox.errors import Misconfigured
from tests.fakes import (
    NOON,
    Crash,
    Fuse,
    InMemoryModels,
    InMemoryRunTable,
    model_in_service,
    sample,
    workload,
)


def ready(**changes):
    told = sample("signalbox/CycleFeaturesReady.json")["detail"]
    return CycleFeaturesReady.model_validate(told | changes)


class World:
    def __init__(self, fuse=None):
        self.table = InMemoryRunTable(fuse or Fuse())
        self.models = InMemoryModels({"hvac": model_in_service()})
        self.workloads = {
            "hvac": workload(prediction={}),
            "plain": workload("plain"),
            "pumps": workload("pumps", prediction={}),
        }
        self.due = Due(self.workloads, self.models, self.table)


def test_units_of_new_features_are_due_once():
    world = World()
    event = ready(units=["B2", "A1", "B2"])
    assert world.due.features_ready(event, NOON) == "noted"
    assert world.due.features_ready(event, NOON + timedelta(hours=1)) == "repeated"
    (note,) = world.table.due("hvac", 9)
    assert (note.units, note.attempt, note.at) == (("A1", "B2"), 1, NOON)


def test_a_note_that_a_run_took_is_still_known():
    world = World()
    world.due.features_ready(ready(), NOON)
    world.table.waiting.clear()
    assert world.due.features_ready(ready(), NOON) == "repeated"
    assert world.table.due("hvac", 9) == []


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"workload": "plain"}, "ignored"),
        ({"workload": "gone"}, "ignored"),
        ({"units": [], "cycles": 0}, "ignored"),
        ({"workload": "pumps"}, "no-model"),
    ],
)
def test_what_nobody_scores_is_not_noted(changes, outcome):
    world = World()
    assert world.due.features_ready(ready(**changes), NOON) == outcome
    assert world.table.waiting == {}


def test_a_pointer_that_is_none_is_an_alarm():
    world = World()
    world.models.models["hvac"] = Misconfigured("model of another workload")
    with pytest.raises(Misconfigured):
        world.due.features_ready(ready(), NOON)


def test_more_units_than_can_be_named_are_all_units():
    many = tuple(str(n) for n in range(MAX_NAMED + 1))
    assert note_of("x", many, NOON).units is None
    assert note_of("x", many[1:], NOON).units == many[1:]


def test_older_notes_sort_first():
    early, late = (note_of("x", None, NOON + timedelta(seconds=n)) for n in (0, 1))
    assert early.slot < late.slot


def test_all_units_are_due_once_a_day():
    world = World()
    assert world.due.all_units(NOON) == "noted"
    assert world.due.all_units(NOON + timedelta(minutes=1)) == "repeated"
    assert world.due.all_units(NOON + timedelta(days=1)) == "noted"
    assert [note.units for note in world.table.due("hvac", 9)] == [None, None]
    assert world.table.due("pumps", 9) == []


def test_fleets_whose_cycles_come_ready_are_not_scored():
    world = World()
    world.workloads["turbofan"] = load("turbofan")
    world.models.models["turbofan"] = model_in_service("turbofan")
    assert world.due.all_units(NOON) == "noted"
    assert world.due.features_ready(ready(workload="turbofan"), NOON) == "ignored"
    assert [note.units for note in world.table.due("hvac", 9)] == [None]
    assert world.table.due("turbofan", 9) == []


def test_no_model_in_service_is_nothing_to_do():
    world = World()
    world.models.models.clear()
    assert world.due.all_units(NOON) == "no-model"


def test_one_broken_pointer_keeps_no_other_workload_waiting():
    world = World()
    world.models.models |= {"hvac": Misconfigured("broken"), "pumps": model_in_service("pumps")}
    with pytest.raises(Misconfigured):
        world.due.all_units(NOON)
    assert len(world.table.due("pumps", 9)) == 1


@pytest.mark.parametrize("at", [1, 2])
def test_power_may_fail_while_noting(at):
    world = World(Fuse(at))
    with pytest.raises(Crash):
        world.due.features_ready(ready(), NOON)
    world.due.features_ready(ready(), NOON)
    assert len(world.table.due("hvac", 9)) == 1
