"""The form of a mail on ModelsTopic: a subject that SNS takes, lines for a person, one line for a program.

Subscriptions filter by the attributes ``workload``, ``kind``, ``status``, ``owner``, and ``recipients``: the
owner and everybody whom the workload names beside him.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from signalbox.contracts.alerts import Message
from signalbox.contracts.operations import Operations
from signalbox.domain.alert_message import MAX_SUBJECT, one_line, printable

ACTION_REQUIRED = " - Action Required"
MAX_DETAIL = 1024
"""Characters that the attribute ``detail`` takes; the last line of the body holds it whole, where it can."""
MAX_LINES, MAX_DATA = 96 * 1024, 128 * 1024
"""Bytes of the lines, and characters of that last line: SNS takes 256 KiB with the attributes."""
PROSE = frozenset({"why", "reason", "problem", "message", "messages", "description"})
"""Members of a detail that are words for people: these are shortened where it is too long."""
UNKNOWN = "unknown"
"""The owner of what belongs to no workload: such mails reach who subscribed to all, or to this."""
CUT = {"shortened": True}
"""Says in the attribute that the body holds more."""


@dataclass(frozen=True, slots=True)
class Address:
    """Who a mail is for, and what it is about: the attributes that subscriptions filter by."""

    workload: str
    kind: str
    status: str
    owner: str
    recipients: tuple[str, ...] = ()


def address_of(workload: str, kind: str, status: str, operations: Operations) -> Address:
    """Return the address of a mail to all whom a workload wants told."""
    return Address(workload, kind, status, operations.owner, tuple(operations.recipients))


def mail(
    address: Address,
    subject: str,
    lines: Sequence[str],
    detail: Mapping[str, object],
    *,
    action_required: bool = False,
) -> Message:
    """Put a mail together.

    Args:
        address: who it is for.
        subject: after the workload; cut where it is too long.
        lines: what a person reads.
        detail: what a program reads, of values that JSON knows.
        action_required: somebody has to do something, says the subject.
    """
    tail = ACTION_REQUIRED if action_required else ""
    # SNS API Reference, Publish: ASCII, no line breaks or control characters, below 100 characters
    head = one_line(f"{address.workload}: {subject}".encode("ascii", "replace").decode())
    attributes = {
        "workload": address.workload,
        "kind": address.kind,
        "status": address.status,
        "owner": address.owner,
    }
    return Message(
        subject=head[: MAX_SUBJECT - len(tail)].rstrip() + tail,
        body="\n".join([*_within(map(printable, lines)), "", fitting(detail, MAX_DATA)]),
        attributes=attributes | {"detail": fitting(detail)},
        recipients=tuple(dict.fromkeys([address.owner, *address.recipients])),
    )


def _within(lines: Iterable[str]) -> list[str]:
    kept: list[str] = []
    room = MAX_LINES
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            return [*kept, "(the rest is too long for a mail)"]
        kept.append(line)
    return kept


def fitting(detail: Mapping[str, object], room: int = MAX_DETAIL) -> str:
    """Write a detail so that it fits: first words are shortened, then members left out.

    >>> len(fitting({"run": "1", "why": "x" * 9999})) <= MAX_DETAIL
    True
    >>> fitting({"run": "1", "uri": "x" * 9999})
    '{"run":"1","shortened":true}'
    """
    data = _json(detail)
    for most in (512, 256, 128, 64, 32):
        if len(data) <= room:
            return data
        data = _json({**{name: _shorter(name, each, most) for name, each in detail.items()}, **CUT})
    kept = dict(detail)
    while len(data) > room:
        kept.pop(max(kept, key=lambda name: len(_json(kept[name]))))
        data = _json({**{name: _shorter(name, each, 32) for name, each in kept.items()}, **CUT})
    return data


def _shorter(name: str, value: object, most: int) -> object:
    if isinstance(value, str):
        return f"{value[: most - 3]}..." if name in PROSE and len(value) > most else value
    if isinstance(value, list):
        return [_shorter(name, each, most) for each in value]
    if isinstance(value, dict):
        return {each: _shorter(each, inner, most) for each, inner in value.items()}
    return value


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def table(rows: Mapping[str, str]) -> list[str]:
    """Write what is known, a line each, under one another; what is empty is left out.

    >>> table({"Run": "1", "Why": "", "Workload": "abalone"})
    ['Run:      1', 'Workload: abalone']
    """
    known = {name: value for name, value in rows.items() if value}
    width = max(map(len, known), default=0) + 1
    return [f"{name + ':':{width}} {value}" for name, value in known.items()]


def at(moment: datetime | None) -> str:
    """Write a time; nothing for none.

    >>> at(datetime(2026, 7, 2, 12, 5, tzinfo=UTC))
    '2026-07-02 12:05 UTC'
    """
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def how_long(span: timedelta) -> str:
    """Say how long something took, in the two largest units.

    >>> how_long(timedelta(seconds=432)), how_long(timedelta(hours=27)), how_long(timedelta(0))
    ('7 min 12 s', '1 d 3 h', '0 s')
    """
    left, words = max(0, round(span.total_seconds())), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= size:
            words.append(f"{left // size} {unit}")
        left %= size
    return " ".join(words[:2]) or "0 s"
