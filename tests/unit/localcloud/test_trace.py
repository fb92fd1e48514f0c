from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.journal import Kind, Record
from localcloud.trace import Trace, render, roots, tree

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


FILE, MODEL = "training/w/a.csv", "packages/w/r/model.tar.gz"
FIRST, SECOND = (f"arn:aws:sagemaker:eu-west-1:1:pipeline/{name}/execution/x" for name in "tb")
PACKAGE = "SageMaker Model Package State Change"


def created(number: int, cause: int | None, key: str) -> Record:
    about = {"bucket": {"name": "data"}, "object": {"key": key}}
    return record(number, cause, "event", "Object Created", source="aws.s3", detail=about)


def read(number: int, cause: int, key: str) -> Record:
    return record(number, cause, "call", "s3:GetObject", resource=f"arn:aws:s3:::data/{key}")


def approved(number: int, cause: int | None) -> Record:
    return record(number, cause, "event", PACKAGE, detail={"ModelPackageArn": "p/1"})


LOOP = [
    created(1, None, FILE),
    record(2, None, "schedule", "tick"),
    record(3, 2, "invocation", "start"),
    record(4, 3, "job", "t", run_id=FIRST),
    record(5, 3, "event", "PipelineStarted", source="signalbox", detail={"execution": FIRST}),
    record(6, 4, "job", "Train", run_id=FIRST),
    read(7, 6, FILE),
    created(8, 6, MODEL),
    read(9, 6, MODEL),
    approved(10, 6),
    approved(11, None),  # by a person
    created(12, None, "inference/w/b.csv"),
    record(13, 3, "job", "b", run_id=SECOND),
    record(14, 13, "job", "Predict", run_id=SECOND),
    read(15, 14, "inference/w/b.csv"),
    read(16, 14, MODEL),
    record(17, None, "job", "another"),
    read(18, 17, FILE),
]


def test_a_run_is_an_effect_of_the_files_it_reads_and_of_the_run_that_made_its_model() -> None:
    trace = Trace(LOOP)
    assert [each.id for each in trace.below(LOOP[0])] == [
        1,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        13,
        14,
        15,
        16,
    ]
    assert [each.id for each in trace.below(LOOP[11])] == [12, 13, 14, 15, 16]
    assert [each.id for each in trace.roots_of(LOOP[15])] == [1, 2, 12]
    assert [each.id for each in trace.roots()] == [1, 2, 12, 17]


def test_what_is_no_pipeline_is_no_effect_of_what_it_reads() -> None:
    assert [each.id for each in Trace(LOOP).roots_of(LOOP[17])] == [17]
