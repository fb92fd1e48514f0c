"""``signalbox dead-letters`` and ``redrive``: what failed for good, and trying it once more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.tables import STACK
from cli.whereabouts import asked, known, noted


def dead_letters(console: Console) -> int:
    """Show every message of every dead-letter queue; nothing is consumed. 1 if there are any."""
    told = asked("dead-letters")
    letters = told["letters"]
    if not letters:
        count = len(told["queues"])
        console.print(f"No dead letters in {count} dead-letter queue{'s' if count != 1 else ''}.")
        return 0
    for arn in told["queues"]:
        name = _name(arn)
        held = [each for each in letters if each["queue"] == name]
        if held:
            console.print(_table(name, held))
    console.print("`signalbox redrive` sends them back; `signalbox trace MESSAGE-ID` shows one.")
    return 1


def _table(name: str, letters: list[dict[str, Any]]) -> Table:
    shown = name.removeprefix(STACK)
    count = f"{len(letters)} message{'s' if len(letters) != 1 else ''}"
    view = Table(title=f"{shown}: {count}", title_justify="left", title_style="bold")
    for column in ("since", "what", "why", "tried", "came from", "message"):
        view.add_column(
            column, justify="right" if column == "tried" else "left", overflow="fold",
            no_wrap=column in ("since",),
        )  # fmt: skip
    for each in letters:
        since = datetime.fromisoformat(each["since"]).astimezone(UTC)
        view.add_row(
            f"{since:%Y-%m-%d}\n{since:%H:%M:%S}",
            escape(each["about"]),
            f"[red]{escape(each['why'])}[/]",
            str(each["tries"]),
            escape(_name(each["back"]).removeprefix(STACK) or "not known"),
            each["message_id"],
        )
    return view


def redrive(console: Console, queue: str | None, most: int | None) -> int:
    """Send dead letters back; 1 if some stay."""
    name = None if queue is None else _queue(queue)
    told = asked("redrive", {"queue": name, "most": most})
    for back, count in told["moved"].items():
        console.print(f"{count} back to {_name(back).removeprefix(STACK)}", highlight=False)
    for message_id, why in told["stays"].items():
        console.print(f"[yellow]{message_id} stays:[/] {escape(why)}", highlight=False)
    if not told["moved"] and not told["stays"]:
        console.print("Nothing to send back.")
    elif told["moved"]:
        console.print("See `signalbox trace` for what becomes of them.")
    return 1 if told["stays"] else 0


def _queue(word: str) -> str:
    """The name of the dead-letter queue that a word means."""
    queues: dict[str, str] = noted()["queues"]
    dead = {_name(arn) for arn in asked("dead-letters")["queues"]}
    there = {logical: url for logical, url in queues.items() if _name(url) in dead}
    logical = known(word, there, "dead-letter queue")
    return _name(queues[logical])


def _name(arn: str) -> str:
    """The last part of an ARN or a URL."""
    return arn.rpartition("/")[2].rpartition(":")[2]
