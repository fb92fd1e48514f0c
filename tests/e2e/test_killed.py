"""Doors of packages and cards that die before any of their calls: nothing is lost, no mail comes thrice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from cli.post import Post
from localcloud.chaos import Chaos, Disorder
from tests.carded import GROUP, QUALITY, cards
from tests.idle import stop_schedules
from tests.pace import SOAK

MOST = 1000 if SOAK else 6
"""Calls before which somebody dies, a version each, spread over all calls."""
REST = timedelta(minutes=10)
"""Longer than Lambda's retries and the leases of claims together."""
STAGES = ("dev", "prod", "test")


@pytest.mark.timeout(7200 if SOAK else 900)
@pytest.mark.soak
def test_a_version_is_registered_and_approved_whichever_call_is_the_last(build, permissions):
    """SIGKILL before a call to AWS, of any door; Lambda's retries do the rest. One mail too many at most."""
    with cards("inprocess") as world:
        stop_schedules(world.cloud)
        post, inside = Post(world.cloud), world.cloud._world
        inside.disorder = Disorder(Chaos())
        whole = _grown(world, post, 1)
        assert whole["abalone: model 1 waits for approval - Action Required"] == 1
        calls = inside.disorder.calls
        last = range(1, calls + 1, max(1, calls // MOST))
        for version, call in enumerate(last, start=2):
            inside.disorder = Disorder(Chaos(kill=call))
            told = _grown(world, post, version)
            assert inside.disorder.dealt["kill"] == 1
            wanted = Counter({_named(each, version): count for each, count in whole.items()})
            assert wanted - told == Counter(), f"killed at call {call}: untold"
            assert (told - wanted).total() <= 1, f"killed at call {call}: told again"
            _stands(world, version)
        promoted = {each["package"] for each in world.told("ModelPromoted")}
        assert len(promoted) == len(last) + 1
        assert not [r for r in world.cloud.journal if r.kind == "dead-letter"]
        assert not world.denied()
        permissions.granted |= set(world.cloud.granted)
        permissions.used |= world.cloud.used


def _grown(world, post, version: int) -> Counter[str]:
    """What was told of a version that is registered, then approved."""
    before = post.subjects()
    package = world.register(f"{version:032x}", quality=QUALITY)
    world.cloud.run_for(REST)
    world.judge(package, "Approved")
    world.cloud.run_for(REST)
    return post.subjects() - before


def _named(subject: str, version: int) -> str:
    """The same mail about another version."""
    return subject.replace("model 1 ", f"model {version} ").replace(
        f"{GROUP}-1 ", f"{GROUP}-{version} "
    )


def _stands(world, version: int) -> None:
    """The newest version is approved and shared, and no other is."""
    assert world.states() == {
        each: "Approved" if each == version else "Archived" for each in range(1, version + 1)
    }
    assert sorted(world.shares()) == [f"{GROUP}-{version}-{stage}" for stage in STAGES]
