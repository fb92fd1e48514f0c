"""Work that is not due yet, as data: deliveries and invocations that wait for their next attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import partial
from typing import Any

from localcloud.bus import Arrival
from localcloud.clock import Clock, Task
from localcloud.deliveries import Delivery
from localcloud.invocations import Asynchronous
from localcloud.topics import Notification
from localcloud.wiring import Published, StoredRule, StoredSubscription

_SHAPES: dict[str, Any] = {
    shape.__name__: shape
    for shape in (
        Arrival, Asynchronous, Notification, Published, StoredRule, StoredSubscription,
    )
}  # fmt: skip
_SEVERAL = {"frozenset": frozenset, "list": list, "tuple": tuple}
# what may be kept, and by whom it is done; a state folder can call nothing else
_KEPT = {"Bus._route", "Bus.resume", "Invocations._attempt", "Topics._attempt"}
# what every start arranges anew
_REBUILT = {"Poller._poll", "Alarms._look", "Alarms._turn", "QueueMetrics._look"}


def written(agenda: Iterable[tuple[datetime, Task]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The agenda as JSON data, and in words what cannot be kept."""
    kept: list[dict[str, Any]] = []
    lost: list[str] = []
    for due, waiting in agenda:
        task = _resumable(waiting)
        name = _name(task)
        if name in _KEPT and isinstance(task, partial):
            arguments = [_plain(each) for each in task.args]
            kept.append({"due": due.isoformat(), "task": name, "arguments": arguments})
        elif name not in _REBUILT:
            lost.append(f"{name}, due {due:%H:%M:%S}")
    return kept, lost


def taken_up(entries: Iterable[Mapping[str, Any]], clock: Clock, *owning: Any) -> None:
    """Put kept work on the agenda again.

    Args:
        entries: as `written` gave them.
        clock: whose agenda.
        owning: the bus, the invocations and the topics: those whose work it is.

    Raises:
        KeyError: an entry names work that is not known here.
    """
    owners = {type(owner).__name__: owner for owner in owning}
    for entry in entries:
        if entry["task"] not in _KEPT:
            raise KeyError(entry["task"])
        owner, _, method = str(entry["task"]).partition(".")
        arguments = [_shaped(each) for each in entry["arguments"]]
        task = partial(getattr(owners[owner], method), *arguments)
        clock.at(datetime.fromisoformat(entry["due"]), task)


def _resumable(task: Task) -> Task:
    """A delivery of a rule is kept as what the bus makes it from."""
    held = task.args[0] if isinstance(task, partial) and task.args else None
    if isinstance(held, Delivery) and held.resume is not None:
        return partial(held.resume, held.since, held.retries)
    return task


def _name(task: Task) -> str:
    function = task.func if isinstance(task, partial) else task
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "a task")
    return f"{type(owner).__name__}.{name}" if owner is not None else name


def _plain(value: Any) -> Any:
    if is_dataclass(value) and type(value).__name__ in _SHAPES:
        inner = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        return {"shape": type(value).__name__, "fields": inner}
    if isinstance(value, datetime):
        return {"shape": "instant", "fields": value.isoformat()}
    if isinstance(value, Mapping):
        return {"shape": "mapping", "fields": {key: _plain(each) for key, each in value.items()}}
    if isinstance(value, (list, tuple, frozenset)):
        kind = type(value).__name__
        return {"shape": kind, "fields": [_plain(each) for each in value]}
    return value


def _shaped(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    shape, inner = value["shape"], value["fields"]
    if shape == "instant":
        return datetime.fromisoformat(inner)
    if shape == "mapping":
        return {key: _shaped(each) for key, each in inner.items()}
    if shape in _SEVERAL:
        return _SEVERAL[shape](_shaped(each) for each in inner)
    return _SHAPES[shape](**{key: _shaped(each) for key, each in inner.items()})
