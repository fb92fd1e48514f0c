from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.journal import Kind, Record
from localcloud.trace import render, roots, tree

AT = datetime(2026, 1, 1, tzinfo=UTC)


def record(number: int, cause: int | None, kind: Kind, name: str, **detail: Any) -> Record:
    return Record(number, cause, AT, kind, name, "ok", detail)


BATCH = [
    record(1, None, "event", "Object Created", detail={"object": {"key": "raw/a"}}),
    record(2, None, "event", "Object Created", detail={"object": {"key": "raw/b"}}),
    record(3, 1, "delivery", "queue"),
    record(4, 2, "delivery", "queue"),
    record(5, 3, "invocation", "door", causes=[3, 4]),
    record(6, 5, "event", "Done", detail={"key": "raw/a"}),
    record(7, 5, "event", "Done", detail={"key": "raw/b"}),
    record(8, 5, "log", "door", line="worked"),
]


def test_a_batch_belongs_to_every_message_in_it() -> None:
    for root, delivery in ((1, 3), (2, 4)):
        grown = tree(BATCH, root)
        assert [each.record.id for each in grown.effects] == [delivery]
        assert [each.record.id for each in grown.effects[0].effects] == [5]


def test_effects_of_a_batch_can_be_told_apart_by_the_reader() -> None:
    def keep(root: Record, effect: Record) -> bool:
        about = effect.detail.get("detail", {})
        return "key" not in about or about["key"] == root.detail["detail"]["object"]["key"]

    invocation = tree(reversed(BATCH), 2, keep).effects[0].effects[0]
    assert [each.record.id for each in invocation.effects] == [7, 8]


def test_roots_came_from_outside() -> None:
    assert [each.id for each in roots(BATCH)] == [1, 2]


def test_rendered_as_lines() -> None:
    assert render(tree(BATCH, 1)) == [
        "event Object Created raw/a",
        "└─ delivery queue",
        "   └─ invocation door",
        "      ├─ event Done",
        "      ├─ event Done",
        "      └─ log worked",
    ]


def test_a_failure_shows_its_status_and_reason() -> None:
    failed = Record(1, None, AT, "invocation", "door", "failed", {"message": "no such key"})
    assert render(tree([failed], 1)) == ["invocation door [failed] no such key"]


def test_an_unknown_root_is_an_error() -> None:
    with pytest.raises(KeyError):
        tree(BATCH, 99)
