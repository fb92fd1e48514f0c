"""Two runs compared: what one has and the other has not, and what is only said again."""

from __future__ import annotations

from localcloud import EndState

GOOD = EndState({"object a": "1", "item b": "2"}, {"ready": 1})


def test_equal_ends_lost_and_doubled_nothing():
    again = EndState(dict(GOOD.effects), {"ready": 3})
    assert (again.lost(GOOD), again.doubled(GOOD), again.repeats) == ([], [], 2)


def test_what_is_missing_or_otherwise_is_lost():
    assert EndState({"object a": "1"}, {}).lost(GOOD) == ["item b", "ready"]
    assert EndState({"object a": "1", "item b": "3"}, {"ready": 1}).lost(GOOD) == ["item b"]


def test_what_is_there_under_another_name_was_done_twice():
    more = EndState({**GOOD.effects, "object a2": "1"}, {"ready": 1, "ready too": 1})
    assert more.doubled(GOOD) == ["object a2", "ready too"]
    assert more.lost(GOOD) == []
