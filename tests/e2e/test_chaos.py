"""The main job and the loop of models under chaos: the same end, nothing lost, nothing doubled."""

from __future__ import annotations

import pytest

from cli.chaos import LOOP_MODES, MODES, endings, main_job
from cli.loop_day import ACCOUNTS, loop_job
from localcloud import Chaos
from localcloud.world import World
from tests.pace import SOAK

pytestmark = [pytest.mark.built, pytest.mark.timeout(600)]


TRIED = tuple(MODES) if SOAK else ("as ever", "killed in mid-flight", "many at once")


@pytest.fixture(scope="module")
def ended(build):
    return {each.mode: each for each in endings(TRIED, [1])}


@pytest.mark.parametrize("mode", TRIED)
def test_a_bad_day_ends_like_a_good_one(mode, ended):
    words = {word.partition("=")[0] for word in filter(None, MODES[mode].split(","))}
    assert ended[mode].faults.keys() == words, "every fault asked for was dealt"
    assert ended[mode].invocations > 0
    if "twice" in words:  # else another order may make fewer batches of the same messages
        assert ended[mode].invocations >= ended["as ever"].invocations
    assert (ended[mode].lost, ended[mode].doubled) == ([], [])


def test_a_delivery_that_is_dropped_is_missed(build, monkeypatch):
    deliveries = []

    def dropping(self, delivery):
        deliveries.append(delivery)
        if len(deliveries) != 3:
            self.clock.after(0, delivery)

    whole, _ = main_job(Chaos())
    monkeypatch.setattr(World, "hand_over", dropping)
    state, _ = main_job(Chaos())
    assert state.lost(whole)
    assert state.doubled(whole) == []


@pytest.mark.soak
def test_the_loop_twice_late_and_shuffled_does_everything_once(build):
    """Seed 1 here; twenty of them in `make soak`."""
    good, _ = loop_job(Chaos())
    names = (
        "run train: Succeeded",
        "run tune: Succeeded",
        "run batch: Failed",
        "event ModelPromoted",
    )
    assert [good.counts[name] for name in names] == [1, 1, 2, 2]
    assert sum(n for name, n in good.counts.items() if name.startswith("mail ")) == 25
    assert sum(name.startswith("share ") for name in good.effects) == len(ACCOUNTS)
    bad, cloud = loop_job(Chaos.parse(LOOP_MODES["many at once"], 1))
    assert {kind for kind, dealt in cloud.faults.items() if dealt} == {"twice", "delay", "shuffle"}
    assert (bad.lost(good), bad.doubled(good)) == ([], [])
