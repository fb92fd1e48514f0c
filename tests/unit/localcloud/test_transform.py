from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.transform import payload_text

EVENT = {
    "version": "0",
    "id": "1",
    "time": "2026-01-01T00:00:00Z",
    "resources": ["arn:aws:s3:::b"],
    "detail": {"key": 'a "b".csv', "size": 5, "items": [{"n": 1}, {"n": 2}], "ok": True},
}


def text(**target: Any) -> str:
    return payload_text(target, EVENT, "raw", "arn:rule/raw")


def transformed(template: str, **paths: str) -> str:
    return text(InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


def test_without_any_of_it_the_event_itself() -> None:
    assert json.loads(text()) == EVENT


def test_input_is_a_constant() -> None:
    assert text(Input='{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", EVENT),
        ("$.detail.size", 5),
        ("$.resources[0]", "arn:aws:s3:::b"),
        ("$.detail.items[1].n", 2),
        ("$.detail.items[*].n", [1, 2]),
        ("$.detail.nothing", None),
        ("$.resources[9]", None),
    ],
)
def test_input_path(path: str, expected: Any) -> None:
    assert json.loads(text(InputPath=path)) == expected


def test_a_placeholder_outside_quotes_becomes_json() -> None:
    template = '{"key": <key>, "size": <size>, "ok": <ok>, "items": <items>}'
    paths = {name: f"$.detail.{name}" for name in ("key", "size", "ok", "items")}
    assert json.loads(transformed(template, **paths)) == {
        name: EVENT["detail"][name] for name in paths
    }


def test_a_placeholder_inside_quotes_becomes_text_that_keeps_the_json_whole() -> None:
    template = '{"say": "file <key> of \\"<size>\\" bytes", "then": <size>}'
    answer = json.loads(transformed(template, key="$.detail.key", size="$.detail.size"))
    assert answer == {"say": 'file a "b".csv of "5" bytes', "then": 5}


def test_a_template_that_is_no_json_is_plain_text() -> None:
    assert transformed("<size> bytes in <key>", key="$.detail.key", size="$.detail.size") == (
        '5 bytes in a "b".csv'
    )


def test_predefined_variables() -> None:
    template = (
        '{"rule": <aws.events.rule-arn>, "name": "<aws.events.rule-name>",'
        ' "event": <aws.events.event.json>}'
    )
    assert json.loads(transformed(template)) == {
        "rule": "arn:rule/raw",
        "name": "raw",
        "event": EVENT,
    }


def test_a_variable_without_a_value_is_empty_text() -> None:
    assert json.loads(transformed('{"a": <gone>}', gone="$.detail.gone")) == {"a": ""}
