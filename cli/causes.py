"""``signalbox trace``: cause and effect in the terminal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cli.tables import STACK
from cli.whereabouts import TRACE, BadUse
from localcloud.journal import Record, from_line
from localcloud.trace import Node, Trace

COLOURS = {
    "event": "cyan", "rule": "magenta", "delivery": "blue", "invocation": "green", "job": "green",
    "dead-letter": "red", "redrive": "yellow", "call": "dim", "log": "dim",
}  # fmt: skip
SHOWN_TREES = 20
GOOD = {
    "ok", "succeeded", "completed", "running", "executing", "inprogress", "starting", "waiting",
    "scheduled", "stopping", "stopped", "creating", "updating", "systemupdating", "inservice",
    "deleting", "deleted",
}  # fmt: skip
"""In small letters: each service has its own way of writing them."""
QUIET = ("call", "log")  # told in numbers, unless they failed or are asked for
MOST_STATIONS = 12
_OF_A_STEP = re.compile(r"(?:pipelines-)?[0-9a-z]{12}-(.+?)-[0-9a-f]{10}(?:-.*)?")
"""How a pipeline names the jobs of its steps: run, step, digest."""


def read(path: Path = TRACE) -> list[Record]:
    """The records of the running cloud, or of the last one."""
    if not path.is_file():
        raise BadUse("no trace yet: run `signalbox up` and drop a file")
    with path.open(encoding="utf-8") as file:
        return [from_line(line) for line in file if line.endswith("\n")]


def run(
    console: Console, asked: str | None, *, page: Path | None, last: int, everything: bool
) -> int:
    """Show the trees that fit, or without an ID what came from outside of late."""
    trace = Trace(read())
    if asked is None and page is None:
        console.print(listing(trace, last))
        return 0
    roots = roots_for(trace, asked) if asked is not None else told_roots(trace)[-last:]
    if not roots:
        console.print(f"Nothing in the trace is {asked!r}; `signalbox trace` lists what there is.")
        return 1
    if page is not None:
        from cli.waterfall import write_waterfall

        write_waterfall(page, trace, roots, asked)
        console.print(f"{_count(len(roots), 'tree')} -> [bold]{escape(str(page))}[/]")
        return 0
    for root in roots[:SHOWN_TREES]:
        console.print(grown(trace.tree(root.id, belongs), root, everything))
    if len(roots) > SHOWN_TREES:
        console.print(f"... and {len(roots) - SHOWN_TREES} more; name one more exactly.")
    return 0


def roots_for(trace: Trace, asked: str) -> list[Record]:
    """What an id goes back to: a number of the journal, an S3 key or its beginning, or an id of an
    event, request, message or run.
    """
    if asked.isdecimal() and int(asked) in trace.by_id:
        return trace.roots_of(trace.by_id[int(asked)])
    named = [each for each in trace.by_id.values() if asked in ids_of(each)]
    if not named:
        keyed = [(each, key) for each in trace.by_id.values() if (key := object_key(each))]
        exact = [each for each, key in keyed if key == asked]
        named = exact or [each for each, key in keyed if key.startswith(asked)]
        named = named or [each for each, key in keyed if asked in key]
    wanted = {each.id for each in named}
    found = {root.id: root for each in named for root in trace.roots_of(each)}
    return [
        found[number]
        for number in sorted(found)  # of a batch, only the files it really is about
        if any(each.id in wanted for each in trace.below(found[number], belongs))
    ]


def ids_of(record: Record) -> set[str]:
    """The ids a record is known by."""
    names = ("event_id", "request_id", "message_id", "run_id")
    return {str(record.detail[name]) for name in names if record.detail.get(name)}


def object_key(record: Record) -> str | None:
    """The S3 key an event is about, of S3's own events and of those that name their source."""
    detail = record.detail.get("detail")
    if record.kind != "event" or not isinstance(detail, dict):
        return None
    for part in ("object", "source"):
        about = detail.get(part)
        if isinstance(about, dict) and about.get("key"):
            return str(about["key"])
    return None


def belongs(root: Record, effect: Record) -> bool:
    """Whether an effect has to do with this root, or with another file of the same batch."""
    key, about = object_key(root), object_key(effect)
    if key is None or about is None or root.detail.get("source") != "aws.s3":
        return True
    return key == about or key in about or not _is_input(about)


def _is_input(key: str) -> bool:
    """Whether a key is one that others drop, and so may be another file of the batch.

    Keys that doors write hold the key of the file they come from.
    """
    return any(part in key for part in ("raw/", "backfill/", "history/"))


def told_roots(trace: Trace) -> list[Record]:
    """What came from outside and is worth a line: no request that led to nothing."""
    return [root for root in trace.roots() if root.kind not in QUIET or len(trace.below(root)) > 1]


def worst(records: Iterable[Record]) -> str:
    """The word for how badly it ended: lost, dead letter, failed, or ok."""
    held = list(records)
    if any(each.status == "lost" for each in held):
        return "lost"
    if any(each.kind == "dead-letter" for each in held):
        return "dead letter"
    bad = [each.status for each in held if is_bad(each)]
    return bad[-1].lower() if bad else "ok"


def is_good(record: Record) -> bool:
    """Whether a record's state tells of no trouble."""
    return record.status.lower() in GOOD


def is_bad(record: Record) -> bool:
    """Whether a record tells of a failure.

    A request that failed is not one by itself: that something is not there yet is an answer too.
    """
    if record.kind == "call":
        return record.status == "denied"
    return record.kind == "dead-letter" or (not is_good(record) and record.kind != "log")


def listing(trace: Trace, last: int) -> Table:
    """A row for each thing that came from outside, newest last."""
    roots = told_roots(trace)
    title = f"What came in ({min(last, len(roots))} of {len(roots)})"
    view = Table(title=title, title_justify="left")
    view.add_column("id", justify="right")
    view.add_column("at", no_wrap=True)
    for name in ("what", "through", "effects", "ended"):
        view.add_column(name, overflow="fold", justify="right" if name == "effects" else "left")
    for root in roots[-last:]:
        below = trace.below(root, belongs)
        ended = worst(below)
        view.add_row(
            str(root.id),
            f"{root.at:%m-%d %H:%M:%S}",
            escape(what(root)),
            escape(through(below)),
            str(len(below) - 1),
            f"[{'green' if ended == 'ok' else 'red'}]{escape(ended)}[/]",
        )
    return view


def through(records: Iterable[Record]) -> str:
    """What something went through, each once: doors, jobs and steps, and what the house said of it."""
    held = list(records)
    doors = [short(each.name) for each in held if each.kind in ("invocation", "job")]
    doors = [step[1] if (step := _OF_A_STEP.fullmatch(each)) else each for each in doors]
    doors += [each.name for each in held if each.detail.get("source") == "signalbox"]
    found = list(dict.fromkeys(doors))
    more = len(found) - MOST_STATIONS
    return " → ".join(found[:MOST_STATIONS]) + (f" → and {more} more" if more > 0 else "")


def grown(node: Node, root: Record, everything: bool) -> Tree:
    """A tree of what a record led to; requests and log lines as counts unless all is asked for."""
    view = Tree(_label(node.record, root), guide_style="dim")
    _grow(view, node, root, everything)
    return view


def _grow(view: Tree, node: Node, root: Record, everything: bool) -> None:
    quiet: Counter[str] = Counter()
    for effect in node.effects:
        record = effect.record
        if record.kind in QUIET and not everything and is_good(record) and not effect.effects:
            quiet["log lines" if record.kind == "log" else record.name] += 1
            continue
        _grow(view.add(_label(record, root)), effect, root, everything)
    if quiet:
        said = ", ".join(name if n == 1 else f"{name} ×{n}" for name, n in quiet.items())
        view.add(Text(said, style="dim"))


def _label(record: Record, root: Record) -> Text:
    bad = is_bad(record)
    text = Text()
    text.append(f"{record.kind} ", style=COLOURS.get(record.kind, "white"))
    text.append(what(record), style="bold" if record is root else "")
    if record.status != "ok":
        text.append(f" {record.status}", style="red" if bad else "dim")
    if int(record.detail.get("attempt", 1)) > 1:
        text.append(f" attempt {record.detail['attempt']}", style="yellow")
    text.append(f"  #{record.id}", style="dim")
    if record is root:
        text.append(f"  {record.at:%Y-%m-%d %H:%M:%S} UTC", style="dim")
    else:
        text.append(f"  +{span(after(record, root))}", style="dim")
    if record.took:
        text.append(f"  took {span(record.took)}", style="dim")
    if reason := why(record):
        text.append(f"  {reason[:200]}", style="red" if bad else "dim")
    return text


def after(record: Record, root: Record) -> float:
    """Seconds from the root to a record: virtual ones, or real ones while virtual time stood still."""
    return max((record.at - root.at).total_seconds(), record.began - root.began, 0.0)


def what(record: Record) -> str:
    """A record in a few words: its name, and the key it is about."""
    if record.kind == "log":
        return str(record.detail.get("line", ""))[:160]
    key = object_key(record)
    messages = record.detail.get("messages")
    parts = [
        short(record.name),
        key or "",
        f"({messages} messages)" if messages and messages > 1 else "",
    ]
    return " ".join(part for part in parts if part)


def why(record: Record) -> str:
    """Why it failed, where it did."""
    detail: dict[str, Any] = record.detail
    said = str(detail.get("message") or detail.get("ErrorMessage") or "")
    error = str(detail.get("error") or "")
    return " ".join(": ".join(part for part in (error, said) if part).split())


def short(name: str) -> str:
    """A physical name as the template says it."""
    return name.removeprefix(STACK)


def span(seconds: float) -> str:
    """A time span for people: 12 ms, 3.4 s, 2 min 5 s, 1 h 10 min."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{hours // 24} days"


def instant(moment: datetime) -> str:
    """A virtual instant, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
