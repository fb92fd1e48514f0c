"""What a replay brings, for any archive and any window of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from localcloud.archives import Archives
from localcloud.clock import Clock
from localcloud.world import iso_seconds

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Kept:
    """An archive."""

    name: str = "kept"
    pattern: str | None = None
    retention_days: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Played:
    """A replay that notes what it is told."""

    event_start: float
    event_end: float
    name: str = "again"
    bus: str = "own"
    filter_arns: tuple[str, ...] = ()
    state: str = "STARTING"
    told: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, state: str, **facts: Any) -> None:
        self.state = state
        self.told.append(facts)


@dataclass
class Surroundings:
    """The part of the world that archives need."""

    clock: Clock
    archive: Kept

    @property
    def state(self) -> Surroundings:
        return self

    def archives(self, bus: str) -> list[Kept]:
        return [self.archive] if bus == "own" else []


offsets = st.integers(0, 600)


@given(
    times=st.lists(offsets, max_size=20),
    window=st.tuples(offsets, offsets).map(sorted),
    retention=st.sampled_from([0, 1]),
    passed=st.sampled_from([0, 2]),
)
def test_a_replay_brings_exactly_the_window_in_order_and_says_how_far_it_is(
    times: list[int], window: list[int], retention: int, passed: int
) -> None:
    world = Surroundings(Clock(START), Kept(retention_days=retention))
    archives = Archives(world)  # type: ignore[arg-type]
    for number, seconds in enumerate(times):
        event = {"id": number, "time": iso_seconds(START + timedelta(seconds=seconds))}
        archives.keep(event, "own")
        archives.keep({**event, "replay-name": "earlier"}, "own")
        archives.keep(event, "another")
    assert [event["id"] for event in world.archive.events] == list(range(len(times)))
    world.clock.follow(START + timedelta(days=passed))
    arrived: list[dict[str, Any]] = []
    begin, end = (START.timestamp() + seconds for seconds in window)
    replay = Played(begin, end)
    archives.replay(replay, world.archive, lambda event: arrived.append(dict(event)))
    while (task := world.clock.take()) is not None:
        task()
    forgotten = retention and passed > retention
    wanted = [n for n, at in enumerate(times) if window[0] <= at <= window[1] and not forgotten]
    assert [event["id"] for event in arrived] == sorted(wanted, key=lambda n: times[n])
    assert all(set(event) == {"id", "time", "replay-name"} for event in arrived)
    assert replay.state == "COMPLETED"
    progress = [facts["EventLastReplayedTime"] for facts in replay.told[:-1]]
    assert progress == sorted(progress)
    assert len({(at - START.timestamp()) // 60 for at in progress}) == len(progress)
