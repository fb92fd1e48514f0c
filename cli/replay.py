"""``signalbox replay``: archived events are said again in the cloud that is up."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli.whereabouts import client

_LOOK_S = 0.2
_OVER = {"COMPLETED", "CANCELLED", "FAILED"}


class NoReplay(Exception):  # noqa: N818 - named for what it says
    """What was asked for cannot be replayed; says what there is instead."""


def run(
    console: Console, archive: str | None, begin: str | None, end: str | None, rules: list[str]
) -> int:
    """Replay and watch until it is over; 0 if all was replayed, else 1."""
    events = client("events")
    kept = _archive(events, archive)
    # events tell their times in whole seconds
    start = (_instant("--from", begin) if begin else kept["CreationTime"]).astimezone(UTC)
    start = start.replace(microsecond=0)
    stop = _instant("--to", end) if end else datetime.now(UTC)
    if stop < start:
        raise NoReplay(
            f"--to {stop:%Y-%m-%dT%H:%M:%SZ} is before --from {start:%Y-%m-%dT%H:%M:%SZ}"
        )
    bus = str(kept["EventSourceArn"])
    destination: dict[str, Any] = {"Arn": bus}
    if rules:
        destination["FilterArns"] = _rules(events, bus.rsplit("/", 1)[-1], rules)
    name = f"replay-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    events.start_replay(
        ReplayName=name,
        EventSourceArn=kept["ArchiveArn"],
        EventStartTime=start,
        EventEndTime=stop,
        Destination=destination,
    )
    try:
        told = _watched(console, events, name)
    except KeyboardInterrupt:
        events.cancel_replay(ReplayName=name)
        raise
    console.print(
        f"{name}: {told['State'].lower()}; events of {escape(str(kept['ArchiveName']))} from "
        f"{start:%Y-%m-%dT%H:%M:%SZ} to {stop:%Y-%m-%dT%H:%M:%SZ}{_last(told)}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    return 0 if told["State"] == "COMPLETED" else 1


def _archive(events: Any, name: str | None) -> dict[str, Any]:
    """The archive of this name, with or without the stack's prefix; the only one without a name."""
    names = [each["ArchiveName"] for each in events.list_archives()["Archives"]]
    fitting = [each for each in names if name is None or each == name or each.endswith(f"-{name}")]
    if len(fitting) != 1:
        there = ", ".join(names) or "none; deploy an AWS::Events::Archive"
        problem = "name one with --archive" if name is None else f"no one archive is {name!r}"
        raise NoReplay(f"{problem}. Archives here: {there}")
    return dict(events.describe_archive(ArchiveName=fitting[0]))


def _rules(events: Any, bus: str, wanted: list[str]) -> list[str]:
    """The ARNs of the bus's rules that have these names, with or without the stack's prefix."""
    there = {rule["Name"]: rule["Arn"] for rule in events.list_rules(EventBusName=bus)["Rules"]}
    own = {name: arn for name, arn in there.items() if not name.startswith("Events-Archive-")}
    arns = []
    for rule in wanted:
        fitting = [arn for name, arn in own.items() if name == rule or name.endswith(f"-{rule}")]
        if len(fitting) != 1:
            found = ", ".join(own) or "none"
            raise NoReplay(f"no one rule is {rule!r} on bus {bus}. Rules there: {found}")
        arns += fitting
    return arns


def _instant(option: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{option} takes a time such as 2026-07-01T06:00:00Z, not {text!r}"
        raise NoReplay(message) from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _watched(console: Console, events: Any, name: str) -> dict[str, Any]:
    with console.status(f"{name} begins") as status:
        while True:
            told: dict[str, Any] = events.describe_replay(ReplayName=name)
            if told["State"] in _OVER:
                return told
            status.update(f"{name} {told['State'].lower()}{_last(told)}")
            time.sleep(_LOOK_S)


def _last(told: dict[str, Any]) -> str:
    last = told.get("EventLastReplayedTime")
    return f"; last {last.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if last else "; there were none"
