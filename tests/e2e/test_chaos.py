"""The main job, file to features, under every chaos mode: the same end, nothing lost, nothing doubled."""

from __future__ import annotations

import pytest

from cli.chaos import MODES, endings

pytestmark = [pytest.mark.built, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ended(build):
    return {each.mode: each for each in endings(list(MODES), [1])}


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_day_ends_like_a_good_one(mode, ended):
    words = {word.partition("=")[0] for word in filter(None, MODES[mode].split(","))}
    assert ended[mode].faults.keys() == words, "every fault asked for was dealt"
    assert ended[mode].invocations >= ended["as ever"].invocations > 0
    assert (ended[mode].lost, ended[mode].doubled) == ([], [])
