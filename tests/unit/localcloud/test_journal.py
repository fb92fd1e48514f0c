from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from localcloud.journal import Journal, Record, from_line

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def journal() -> Journal:
    return Journal(lambda: START)


def test_what_happens_inside_an_entry_is_caused_by_it(journal: Journal) -> None:
    with journal.entry("invocation", "door", cause=None) as entry:
        inner = journal.add("event", "Done")
        with journal.entry("delivery", "queue") as deeper:
            assert journal.inside("delivery")
            assert not journal.inside("invocation")
    outer = journal.add("event", "Other")
    assert inner.cause == entry.id
    assert journal[deeper.id].cause == entry.id
    assert outer.cause is None


def test_records_are_read_by_id_although_entries_are_written_when_they_close(
    journal: Journal,
) -> None:
    with journal.entry("invocation", "door"):
        journal.add("log", "door")
    journal.add("event", "later")
    assert [record.id for record in journal] == [1, 2, 3]
    assert [record.kind for record in journal] == ["invocation", "log", "event"]


def test_an_error_in_an_entry_goes_through_and_is_noted(journal: Journal) -> None:
    with pytest.raises(ZeroDivisionError), journal.entry("job", "x"):
        1 / 0  # noqa: B018
    assert [record.status for record in journal] == ["crashed"]
    assert journal.cause is None


def test_a_cause_given_wins_over_the_one_around(journal: Journal) -> None:
    with journal.entry("invocation", "door"):
        assert journal.add("event", "x", cause=17).cause == 17


def test_other_threads_have_no_cause_of_ours(journal: Journal) -> None:
    seen: list[int | None] = []
    with journal.entry("invocation", "door"):
        thread = threading.Thread(target=lambda: seen.append(journal.add("event", "x").cause))
        thread.start()
        thread.join()
    assert seen == [None]


def test_a_listener_hears_every_record_once_on_its_own_thread(journal: Journal) -> None:
    heard: list[tuple[str, int]] = []

    def listen(record: Record) -> None:
        heard.append((record.name, threading.get_ident()))

    with journal.heard_by(listen):
        journal.add("event", "mine")
        thread = threading.Thread(target=lambda: journal.add("event", "theirs"))
        thread.start()
        thread.join()
        assert [name for name, _ in heard] == ["mine"]
        journal.flush()
    journal.add("event", "unheard")
    assert heard == [("mine", threading.get_ident()), ("theirs", threading.get_ident())]


def test_lines_give_the_records_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    journal = Journal(lambda: START, path)
    with journal.entry("invocation", "door") as entry:
        entry.status = "failed"
        entry.detail["message"] = "ä ✓"
        journal.add("event", "Done", detail={"key": "raw/x"})
    written = [from_line(line) for line in path.read_text("utf-8").splitlines()]
    journal.close()
    assert sorted(written, key=lambda record: record.id) == list(journal)
