"""Two runs compared: what one has and the other has not, and what is only said again."""

from __future__ import annotations

from localcloud import EndState

GOOD = EndState({"object a": "1", "item b": "2"}, {"event ready": 1, "job J: SUCCEEDED": 1})


def test_equal_ends_lost_and_doubled_nothing():
    again = EndState(dict(GOOD.effects), dict(GOOD.counts), repeats=3)
    assert (again.lost(GOOD), again.doubled(GOOD)) == ([], [])


def test_what_is_missing_or_otherwise_or_fewer_is_lost():
    less = EndState({"object a": "1", "item b": "3"}, {"event ready": 1})
    assert less.lost(GOOD) == ["item b", "job J: SUCCEEDED"]
    assert less.doubled(GOOD) == []


def test_what_is_there_once_more_was_done_twice():
    counts = {"event ready": 2, "job J: SUCCEEDED": 2, "message Q: m": 1}
    more = EndState({**GOOD.effects, "object a2": "1"}, counts)
    assert more.doubled(GOOD) == ["object a2", *counts]
    assert more.lost(GOOD) == []
