"""The waterfall of a trace: one HTML file, rows indented by cause, bars on the story's time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.causes import (
    QUIET,
    belongs,
    instant,
    is_bad,
    is_good,
    span,
    told_roots,
    what,
    why,
    worst,
)
from cli.templates import template
from cli.timeline import Timeline
from localcloud.journal import Record
from localcloud.trace import Node, Trace

KINDS = (
    "event",
    "rule",
    "delivery",
    "invocation",
    "job",
    "redrive",
    "dead-letter",
    "call",
    "log",
    "other",
)
OPEN_TREES = 3  # more are folded
MOST_TREES = 200
_FACTS_FIRST = ("attempt", "error", "message", "target", "request_id", "event_id", "message_id")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the waterfall.

    Attributes:
        depth: how far it is indented.
        kind: decides the colour.
        text: its name.
        status: told in words where it is not "ok".
        bad: whether it failed.
        note: attempt and reason.
        after: seconds since the root, in words.
        took: how long, in words; empty where it took no time.
        bars: left edge and width of each bar, percent.
        facts: label and value, for who opens the row.
        lines: log lines, for who opens the row.
    """

    depth: int
    kind: str
    text: str
    status: str
    bad: bool
    note: str
    after: str
    took: str
    bars: tuple[tuple[float, float], ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[str, ...] = ()


def write_waterfall(target: Path, trace: Trace, roots: Sequence[Record], asked: str | None) -> None:
    """Write the page; equal traces give equal bytes.

    Args:
        target: the HTML file; its folder is made where it is missing.
        trace: the whole journal.
        roots: whose trees are shown.
        asked: what was asked for, for the heading.
    """
    trees = [_tree(trace, root) for root in roots[:MOST_TREES]]
    shown = template("waterfall.html").render(
        title=f"Trace of {asked}" if asked else "Trace",
        trees=trees,
        more=len(roots) - len(trees),
        known=len(told_roots(trace)),
        opened=OPEN_TREES,
        kinds=KINDS,
        span=span,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(shown, encoding="utf-8", newline="\n")


def _tree(trace: Trace, root: Record) -> dict[str, Any]:
    records = trace.below(root, belongs)
    line = Timeline(records)
    ended = worst(records)
    figures = {
        "began, UTC": instant(root.at),
        "lasted": span(line.length),
        "records": f"{len(records):,}",
        "invocations": f"{sum(each.kind == 'invocation' for each in records):,}",
        "failed": f"{sum(is_bad(each) and each.kind != 'dead-letter' for each in records):,}",
        "dead letters": f"{sum(each.kind == 'dead-letter' for each in records):,}",
    }
    return {
        "id": root.id,
        "title": what(root),
        "ended": ended,
        "figures": [
            (k, v, v != "0" and k in ("failed", "dead letters")) for k, v in figures.items()
        ],
        "rows": list(_rows(trace.tree(root.id, belongs), line, 0)),
        "ticks": line.ticks(),
        "breaks": line.breaks,
        "kinds": {_class(each) for each in records},
    }


def _rows(node: Node, line: Timeline, depth: int) -> Iterator[Row]:
    yield _row(node.record, line, depth)
    quiet: dict[str, list[Record]] = {}
    for effect in node.effects:
        record = effect.record
        if record.kind in QUIET and is_good(record) and not effect.effects:
            quiet.setdefault(record.kind, []).append(record)
        else:
            yield from _rows(effect, line, depth + 1)
    for kind, held in quiet.items():
        yield _group(kind, held, line, depth + 1)


def _row(record: Record, line: Timeline, depth: int) -> Row:
    attempt = int(record.detail.get("attempt", 1))
    notes = [f"attempt {attempt}" if attempt > 1 else "", why(record)]
    return Row(
        depth=depth,
        kind=_class(record),
        text=what(record),
        status="" if record.status == "ok" else record.status,
        bad=is_bad(record),
        note=" · ".join(note for note in notes if note),
        after=f"+{span(line.start(record))}",
        took=span(record.took) if record.took else "",
        bars=(line.bar(record),),
        facts=tuple(_facts(record)),
    )


def _group(kind: str, held: Sequence[Record], line: Timeline, depth: int) -> Row:
    """Requests or log lines of one invocation, as one row."""
    word = "log line" if kind == "log" else "request"
    names = dict.fromkeys(each.name for each in held) if kind != "log" else {}
    took = sum(each.took for each in held)
    return Row(
        depth=depth,
        kind=kind,
        text=f"{len(held)} {word}{'s' if len(held) != 1 else ''}",
        status="",
        bad=False,
        note=", ".join(names),
        after=f"+{span(line.start(held[0]))}",
        took=span(took) if took else "",
        bars=tuple(line.bar(each) for each in held),
        facts=(),
        lines=tuple(
            str(each.detail.get("line", ""))
            if kind == "log"
            else f"+{span(line.start(each))}  {each.name}  {_short(each.detail)}"
            for each in held
        ),
    )


def _class(record: Record) -> str:
    return record.kind if record.kind in KINDS else "other"


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    cause = record.detail.get("causes") or ([record.cause] if record.cause else [])
    yield "record", f"{record.id}"
    yield (
        "caused by",
        ", ".join(str(each) for each in cause) or "nothing here: it came from outside",
    )
    yield "virtual time, UTC", record.at.isoformat(sep=" ", timespec="milliseconds")[:23]
    if record.took:
        yield "took, real time", span(record.took)
    for name in (*_FACTS_FIRST, *sorted(record.detail.keys() - {*_FACTS_FIRST, "causes"})):
        value = record.detail.get(name)
        if value not in (None, "", [], {}):
            yield name.replace("_", " "), value if isinstance(value, str) else _short(value, 2)


def _short(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, default=str, ensure_ascii=False)
