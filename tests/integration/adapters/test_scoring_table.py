"""Notes and runs: the fake and the adapter on moto, by the same tests."""

from dataclasses import replace
from datetime import timedelta

import pytest

from signalbox.adapters.scoring_table import KEPT, ScoringTable
from signalbox.domain.datasets import MAX_FILES
from signalbox.domain.due import note_of
from signalbox.domain.scoring import OpenRun
from signalbox.errors import Misconfigured, Transient
from tests.fakes import NOON, InMemoryRunTable

FIRST = note_of("a", ("A1", "B2"), NOON)
SECOND = note_of("b", None, NOON + timedelta(seconds=1))
RUN = OpenRun("hvac", "0" * 32, (FIRST.slot, SECOND.slot), NOON)


@pytest.fixture(params=["fake", "moto"])
def table(request):
    if request.param == "fake":
        return InMemoryRunTable()
    request.getfixturevalue("aws")
    return ScoringTable("ScoringTable")


def test_notes_wait_in_the_order_they_came(table):
    for note in (SECOND, FIRST):
        assert table.note("hvac", note)
    assert table.due("hvac", 9) == [FIRST, SECOND]
    assert table.due("hvac", 1) == [FIRST]
    assert table.due("pumps", 9) == []


def test_a_note_is_written_once_though_it_was_taken(table):
    assert table.note("hvac", FIRST)
    assert not table.note("hvac", FIRST)
    assert not table.note("hvac", replace(FIRST, at=NOON + timedelta(days=1))), "said again later"
    run = table.begin(RUN)
    assert table.take(run, FIRST.slot)
    assert not table.note("hvac", FIRST)
    assert table.due("hvac", 9) == []
    assert table.note("hvac", replace(FIRST, attempt=2))
    assert table.note("pumps", FIRST)


def test_an_open_run_of_as_many_files_as_a_run_takes_fits_into_an_item(table):
    slots = tuple(note_of(str(n), ("k",), NOON).slot for n in range(MAX_FILES))
    run = OpenRun("ground-truth/abalone", "0" * 32, slots, NOON)
    assert table.begin(run) == table.open_run("ground-truth/abalone") == run
    assert sum(map(len, slots)) + 4 * len(slots) < 300_000  # of 400 KB, whoever counts


def test_one_run_is_open_at_a_time(table):
    other = replace(RUN, run="1" * 32)
    assert table.open_run("hvac") is None
    assert table.begin(RUN) == table.open_run("hvac") == RUN
    assert table.begin(other) == RUN
    table.close(other)
    assert table.open_run("hvac") == RUN
    table.close(RUN)
    table.close(RUN)
    assert table.begin(other) == other
    assert table.workload_of(RUN.run) == table.workload_of(other.run) == "hvac"
    assert table.workload_of("2" * 32) is None


def test_a_note_goes_to_one_run_and_repeats_know_it(table):
    for note in (FIRST, SECOND):
        table.note("hvac", note)
    other = replace(RUN, run="1" * 32)
    assert [table.take(RUN, slot) for slot in (*RUN.slots, *RUN.slots)] == [True] * 4
    assert not table.take(other, FIRST.slot)
    assert table.taken(RUN.run) == [FIRST, SECOND]
    assert table.taken(other.run) == []


def test_a_run_that_was_opened_and_closed_meanwhile_is_passing_trouble(aws):
    class Forgetful(ScoringTable):
        """Looks after the other one has closed its run."""

        def open_run(self, workload):
            return None

    ScoringTable("ScoringTable").begin(RUN)
    with pytest.raises(Transient, match="was just started"):
        Forgetful("ScoringTable").begin(RUN)


def test_of_two_that_take_at_once_one_has_it(aws):
    table, other = ScoringTable("ScoringTable"), replace(RUN, run="1" * 32)
    table.note("hvac", FIRST)

    class Late(ScoringTable):
        """Sees a note that waits, and is too late."""

        def _together(self, *changes):
            table.take(other, FIRST.slot)
            return super()._together(*changes)

    assert not Late("ScoringTable").take(RUN, FIRST.slot)
    assert table.taken(other.run) == [FIRST]


def test_what_was_seen_expires_later_than_anything_can_come_back(aws):
    assert timedelta(days=14) < KEPT
    import boto3

    ScoringTable("ScoringTable").note("hvac", FIRST)
    items = boto3.client("dynamodb").scan(TableName="ScoringTable")["Items"]
    lives = {item["sk"]["S"].split("#")[0]: item.get("expires") for item in items}
    assert lives["seen"] == {"N": str(int((NOON + KEPT).timestamp()))}
    assert lives["due"] is None, "what waits never expires"


def test_a_table_that_is_not_there_is_a_wrong_deployment(aws):
    nowhere = ScoringTable("nowhere")
    with pytest.raises(Misconfigured, match="dynamodb:PutItem"):
        nowhere.note("hvac", FIRST)
    with pytest.raises(Misconfigured, match="dynamodb:GetItem"):
        nowhere.open_run("hvac")
    with pytest.raises(Misconfigured, match="dynamodb:Query"):
        nowhere.due("hvac", 1)
    with pytest.raises(Misconfigured, match="dynamodb:DeleteItem"):
        nowhere.close(RUN)
