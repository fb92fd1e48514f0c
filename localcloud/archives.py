"""Archives of event buses, and replaying them.

Citations: "Archiving and replaying events in Amazon EventBridge" of its User Guide; "StartReplay",
"DescribeReplay" and "CreateArchive" of its API Reference: replayed events carry `replay-name` and are not
archived again, they come minute by minute by the time in them, and only those between
EventStartTime and EventEndTime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from localcloud.pattern import compiled
from localcloud.wiring import Archive, Replay
from localcloud.world import World

_DAY_S, _MINUTE_S = 86_400, 60

Arrive = Callable[[Mapping[str, Any]], None]


class Archives:
    """Keeps what arrives on buses that have archives, and puts it on them again.

    Args:
        world: the cloud.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def keep(self, event: Mapping[str, Any], bus: str) -> None:
        """Put an event into every archive of the bus that wants it; forget what is too old."""
        if "replay-name" in event:
            return
        for archive in self._world.state.archives(bus):
            if archive.pattern is None or compiled(archive.pattern).matches(dict(event)):
                archive.events.append({**event, "ingestion-time": self._now()})
            self._forget(archive)

    def replay(self, replay: Replay, archive: Archive, arrive: Arrive) -> None:
        """Put the events of an archive on the bus again, from the agenda.

        Args:
            replay: what is asked for; told how it goes.
            archive: where from; what it holds now is replayed.
            arrive: puts one event on the bus.
        """
        self._forget(archive)
        chosen = [
            (when, event)
            for event in archive.events
            if replay.event_start <= (when := _time(event)) <= replay.event_end
        ]
        chosen.sort(key=lambda each: each[0])
        minutes = [
            list(group) for _, group in groupby(chosen, key=lambda each: each[0] // _MINUTE_S)
        ]
        self._world.clock.after(0, partial(self._minute, replay, minutes, arrive))

    def _minute(
        self, replay: Replay, minutes: list[list[tuple[float, dict[str, Any]]]], arrive: Arrive
    ) -> None:
        if replay.state == "CANCELLING":
            replay.tell("CANCELLED", ReplayEndTime=self._now())
        elif not minutes:
            replay.tell("COMPLETED", ReplayEndTime=self._now())
        else:
            replay.tell("RUNNING", EventLastReplayedTime=minutes[0][-1][0])
            for _, event in minutes[0]:
                arrive({**_bare(event), "replay-name": replay.name})
            # behind what these events cause right now, so that minutes keep their order
            self._world.clock.after(0, partial(self._minute, replay, minutes[1:], arrive))

    def _forget(self, archive: Archive) -> None:
        """Remove what is older than the archive's retention."""
        if archive.retention_days:
            oldest = self._now() - archive.retention_days * _DAY_S
            archive.events[:] = [e for e in archive.events if e["ingestion-time"] >= oldest]

    def _now(self) -> float:
        return self._world.clock.now().timestamp()


def _bare(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "ingestion-time"}


def _time(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(str(event["time"])).timestamp()
