"""What ReportBatchItemFailures means, answer by answer."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.pollers import failed_messages
from localcloud.runtime.base import FunctionError, Outcome

BATCH = ["m1", "m2", "m3"]


def failed(payload: Any, *, partial: bool = True) -> set[str]:
    return failed_messages(Outcome(payload, None), BATCH, partial)


@pytest.mark.parametrize(
    "payload", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}]
)
def test_nothing_named_means_nothing_failed(payload: Any) -> None:
    assert failed(payload) == set()


def test_those_named_stay() -> None:
    items = [{"itemIdentifier": "m3"}, {"itemIdentifier": "m1"}]
    assert failed({"batchItemFailures": items}) == {"m1", "m3"}


@pytest.mark.parametrize(
    "payload",
    [
        "text",
        5,
        ["m1"],
        {"failures": []},
        {"batchItemFailures": "m1"},
        {"batchItemFailures": ["m1"]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemidentifier": "m1"}]},
        {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "of another batch"}]},
        {"batchItemFailures": [{"itemIdentifier": {}}]},
    ],
)
def test_an_answer_that_cannot_be_understood_means_all_failed(payload: Any) -> None:
    assert failed(payload) == set(BATCH)


def test_without_the_setting_the_answer_is_not_read() -> None:
    assert failed({"batchItemFailures": [{"itemIdentifier": "m1"}]}, partial=False) == set()


@pytest.mark.parametrize("partial", [True, False])
def test_a_function_that_raised_failed_for_all(partial: bool) -> None:
    outcome = Outcome(None, FunctionError("ValueError", "no"))
    assert failed_messages(outcome, BATCH, partial) == set(BATCH)
