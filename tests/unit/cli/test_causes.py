"""Finding and telling trees of cause and effect."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from cli import causes
from localcloud.journal import Record
from localcloud.trace import Trace

AT = datetime(2026, 1, 1, tzinfo=UTC)


def rec(number, cause, kind, name, status="ok", *, after=0.0, began=0.0, took=0.0, **detail):
    at = AT + timedelta(seconds=after)
    return Record(number, cause, at, kind, name, status, detail, began, took)


def created(number, key, cause=None, **more):
    detail = {"object": {"key": key}}
    return rec(number, cause, "event", "Object Created", source="aws.s3", detail=detail,
               event_id=f"event-{number}", **more)  # fmt: skip


RECORDS = [
    created(1, "raw/a.csv"),
    created(2, "raw/b.csv"),
    rec(3, 1, "delivery", "signalbox-Queue", message_id="m-3"),
    rec(4, 2, "delivery", "signalbox-Queue", message_id="m-4"),
    rec(5, 3, "invocation", "signalbox-Door", "failed", causes=[3, 4], messages=2, began=0.1,
        took=0.5, request_id="r-5", error="ValueError", message="no unit"),
    rec(6, 5, "log", "signalbox-Door", line="trying"),
    rec(7, 5, "call", "s3:GetObject"),
    rec(8, 5, "call", "s3:GetObject"),
    rec(9, 5, "call", "s3:PutObject", "denied", message="no statement allows it"),
    rec(10, 3, "invocation", "signalbox-Door", after=60, began=0.7, took=0.2, attempt=2,
        causes=[3, 4], messages=2, request_id="r-10"),
    created(11, "done/raw/b.csv", 10, after=60),
    rec(12, 10, "event", "Done", source="signalbox", detail={"source": {"key": "raw/a.csv"}}, after=60),
    rec(13, 4, "dead-letter", "signalbox-Dead", after=120, message_id="m-4"),
    rec(14, None, "call", "s3:ListBuckets"),
]  # fmt: skip
TRACE = Trace(RECORDS)


@pytest.mark.parametrize(
    ("asked", "roots"),
    [
        ("1", [1]),
        ("10", [1, 2]),  # a batch goes back to both
        ("raw/a.csv", [1]),
        ("raw/", [1, 2]),
        ("b.csv", [2]),
        ("event-2", [2]),
        ("r-5", [1, 2]),
        ("m-4", [2]),
        ("99", []),
        ("nothing", []),
    ],
)
def test_anything_known_leads_to_its_roots(asked, roots):
    assert [root.id for root in causes.roots_for(TRACE, asked)] == roots


def shown(view) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(view)
    return console.file.getvalue()


def test_the_list_says_how_each_ended_and_leaves_out_requests_without_effect():
    text = shown(causes.listing(TRACE, 30))
    assert "What came in (2 of 2)" in text
    (first,) = (line for line in text.splitlines() if "raw/a.csv" in line)
    assert "Door → Done" in first
    assert "denied" in first
    (second,) = (line for line in text.splitlines() if "raw/b.csv" in line)
    assert "dead letter" in second
    assert "ListBuckets" not in text
    assert "raw/a.csv" not in shown(causes.listing(TRACE, 1))


def test_a_tree_tells_attempts_reasons_times_and_counts_what_is_quiet():
    root = TRACE.by_id[1]
    text = shown(causes.grown(TRACE.tree(1, causes.belongs), root, everything=False))
    lines = text.splitlines()
    assert lines[0].startswith("event Object Created raw/a.csv")
    failed = next(line for line in lines if "#5" in line)
    assert "failed" in failed
    assert "took 500 ms" in failed
    assert "ValueError: no unit" in failed
    assert "+100 ms" in failed  # virtual time stood still
    again = next(line for line in lines if "#10" in line)
    assert "attempt 2" in again
    assert "+1 min" in again
    assert "denied" in text
    assert "s3:GetObject ×2" in text
    assert "log lines" in text
    assert "done/raw/b.csv" not in text  # of the other file in the batch
    everything = shown(causes.grown(TRACE.tree(1, causes.belongs), root, everything=True))
    assert "log trying" in everything


def test_log_lines_with_markup_are_shown_as_they_are():
    evil = Trace([rec(1, None, "invocation", "[red]x[/]", "failed", message="[/b] <script>")])
    text = shown(causes.grown(evil.tree(1), evil.by_id[1], everything=True))
    assert "[red]x[/]" in text
    assert "[/b] <script>" in text
    assert "[red]x[/]" in shown(causes.listing(evil, 5))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 ms"), (0.0123, "12 ms"), (1.06, "1.1 s"), (42.4, "42 s"), (59.9, "1 min"),
     (125, "2 min 5 s"), (4200, "1 h 10 min"), (86400 * 3, "3 days")],
)  # fmt: skip
def test_spans_read_well(seconds, words):
    assert causes.span(seconds) == words


def test_a_circle_of_causes_ends():
    trace = Trace([rec(1, None, "event", "x"), rec(2, 3, "event", "y"), rec(3, 2, "event", "z")])
    assert trace.roots_of(trace.by_id[2]) == []
    assert [record.id for record in trace.below(trace.by_id[2])] == [2, 3]


@pytest.mark.parametrize(
    ("status", "bad"),
    [("SUCCEEDED", False), ("Succeeded", False), ("InProgress", False), ("Executing", False),
     ("InService", False), ("Failed", True), ("FAILED", True), ("RollingBack", True)],
)  # fmt: skip
def test_states_are_good_or_bad_in_every_spelling(status, bad):
    assert causes.is_bad(rec(1, None, "job", "signalbox-train", status)) is bad


def test_a_job_of_a_step_is_the_step_and_long_ways_are_cut():
    named = [
        "train",
        "Train",
        "pipelines-4fb0b0fca25b-Train-ba761481c6",
        "b8d7922a1e50-Tune-7d4d70bf05-001-e457320a",
    ]
    jobs = [rec(k, None, "job", name) for k, name in enumerate(named)]
    assert causes.through(jobs) == "train → Train → Tune"
    many = [rec(k, None, "invocation", f"Door{k}") for k in range(20)]
    assert causes.through(many).endswith("Door11 → and 8 more")
