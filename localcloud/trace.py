"""Cause and effect as a tree: what one record led to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from localcloud.journal import Record


@dataclass
class Node:
    """A record and what it caused, in the order of ids."""

    record: Record
    effects: list[Node] = field(default_factory=list)


def causes_of(record: Record) -> list[int]:
    """What a record came from: one cause, or several for a batch of messages."""
    several = record.detail.get("causes")
    if several:
        return list(several)
    return [] if record.cause is None else [record.cause]


def roots(records: Iterable[Record]) -> list[Record]:
    """Records that came from outside; a call without a cause is the platform's own."""
    return [record for record in records if not causes_of(record) and record.kind != "call"]


def tree(
    records: Iterable[Record],
    root_id: int,
    keep: Callable[[Record, Record], bool] | None = None,
) -> Node:
    """What a record led to.

    Args:
        records: all records, in any order.
        root_id: where to begin.
        keep: asked with (root, effect) whether an effect belongs to this root; effects of one
            batch belong to several messages, and only the reader knows whose each is.

    Raises:
        KeyError: there is no such record.
    """
    by_id = {record.id: record for record in records}
    effects: dict[int, list[Record]] = defaultdict(list)
    for record in sorted(by_id.values(), key=lambda each: each.id):
        for cause in causes_of(record):
            effects[cause].append(record)
    root = by_id[root_id]

    def grown(record: Record) -> Node:
        kept = [each for each in effects[record.id] if keep is None or keep(root, each)]
        return Node(record, [grown(each) for each in kept])

    return grown(root)


def render(node: Node) -> list[str]:
    """The tree as lines of text, one record a line."""
    lines = [_line(node.record)]
    for place, effect in enumerate(node.effects):
        last = place == len(node.effects) - 1
        first, *rest = render(effect)
        lines.append(("└─ " if last else "├─ ") + first)
        lines += [("   " if last else "│  ") + line for line in rest]
    return lines


def _line(record: Record) -> str:
    status = "" if record.status == "ok" else f" [{record.status}]"
    if record.kind == "log":
        return f"log {str(record.detail.get('line', ''))[:100]}"
    about = record.detail.get("detail")
    key = about.get("object", {}).get("key") if isinstance(about, dict) else None
    key = record.detail.get("resource") if record.kind == "call" else key
    reason = record.detail.get("message") or record.detail.get("ErrorMessage") or ""
    parts = [record.kind, record.name + status, str(key or ""), str(reason)[:100]]
    return " ".join(part for part in parts if part)
