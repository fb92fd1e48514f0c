"""Archives and replays in moto: it keeps and describes them, events come and go on our bus."""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import IllegalStatusException
from moto.events.models import Archive as FakeArchive
from moto.events.models import Replay as FakeReplay
from moto.events.models import ReplayState

from localcloud.cuts import Seam
from localcloud.wiring import Hooks, Refused


class StoredArchive:
    """An archive as moto keeps it (a `wiring.Archive`)."""

    def __init__(self, fake: FakeArchive) -> None:
        self.name = str(fake.name)
        self.pattern: str | None = fake.event_pattern.dump()
        self.retention_days = int(fake.retention)
        self.events: list[dict[str, Any]] = fake.events


class StoredReplay:
    """A replay as moto keeps it (a `wiring.Replay`)."""

    def __init__(self, fake: FakeReplay) -> None:
        self._fake = fake
        self.name = str(fake.name)
        self.event_start = float(fake.event_start_time)
        self.event_end = float(fake.event_end_time)
        self.bus = str(fake.destination["Arn"]).rsplit("/", 1)[-1]
        self.filter_arns = tuple(fake.destination.get("FilterArns") or ())

    @property
    def state(self) -> str:
        """STARTING, RUNNING, CANCELLING, CANCELLED, COMPLETED or FAILED."""
        return str(self._fake.state.value)

    def tell(self, state: str, **facts: Any) -> None:
        """Change what DescribeReplay says."""
        self._fake.state = ReplayState(state)
        vars(self._fake).setdefault("told", {}).update(facts)


def _update_archive(
    hooks: Hooks, original: Any, self: Any, name: str, description: str, pattern: str, *rest: Any
) -> Any:
    try:
        hooks.check_rule(pattern, None)
    except Refused as refused:
        raise JsonRESTError(refused.code, str(refused)) from refused
    return original(self, name, description, pattern, *rest)


def _describe_archive(hooks: Hooks, original: Any, self: Any) -> dict[str, Any]:
    del hooks
    size = sum(len(json.dumps(event).encode()) for event in self.events)
    return {**original(self), "SizeBytes": size}


def _describe_replay(hooks: Hooks, original: Any, self: Any) -> dict[str, Any]:
    del hooks
    return {**original(self), **vars(self).get("told", {})}


def _start_replay(hooks: Hooks, original: Any, self: Any, name: str, *rest: Any) -> Any:
    destination = rest[-1]
    bus = str(destination["Arn"]).rsplit("/", 1)[-1]
    try:
        hooks.check_replay(bus, list(destination.get("FilterArns") or []))
    except Refused as refused:
        raise JsonRESTError(refused.code, str(refused)) from refused
    return original(self, name, *rest)


def _replay_events(hooks: Hooks, original: Any, self: Any, archive: FakeArchive) -> None:
    del original
    hooks.start_replay(StoredReplay(self), StoredArchive(archive))


def _cancel_replay(hooks: Hooks, original: Any, self: Any, name: str) -> dict[str, str]:
    del hooks
    replay = vars(self)["replays"].get(name)
    if replay is not None and replay.state == ReplayState.COMPLETED:
        raise IllegalStatusException(f"Replay {name} is not in a valid state for this operation.")
    answer: dict[str, str] = original(self, name)
    vars(self)["replays"][name].state = ReplayState.CANCELLING
    return answer


def _list_replays(
    hooks: Hooks, original: Any, self: Any, name_prefix: str, source_arn: str, state: str
) -> Any:
    del hooks
    if not state:
        return original(self, name_prefix, source_arn, state)
    original(self, name_prefix, source_arn, state)  # words AWS's refusals, and finds no state
    replays = vars(self)["replays"].values()
    return [each.describe_short() for each in replays if each.state.value == state]


def _instant(hooks: Hooks) -> float:
    return hooks.instant()


SEAMS = (
    Seam("moto.events.models", "unix_time", "(dt=None)", _instant, plain=True),
    Seam("moto.events.models:EventsBackend", "update_archive",
         "(self, name, description, event_pattern, retention)", _update_archive),
    Seam("moto.events.models:Archive", "describe_short", "(self)", _describe_archive),
    Seam("moto.events.models:Replay", "describe_short", "(self)", _describe_replay),
    Seam("moto.events.models:Replay", "replay_events", "(self, archive)", _replay_events),
    Seam("moto.events.models:EventsBackend", "start_replay",
         "(self, name, description, source_arn, start_time, end_time, destination)",
         _start_replay),
    Seam("moto.events.models:EventsBackend", "cancel_replay", "(self, name)", _cancel_replay),
    Seam("moto.events.models:EventsBackend", "list_replays",
         "(self, name_prefix, source_arn, state)", _list_replays),
)  # fmt: skip
