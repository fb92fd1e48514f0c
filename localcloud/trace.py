"""Cause and effect as a tree: what one record led to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from localcloud.journal import Record
from localcloud.lineage import links


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


Keep = Callable[[Record, Record], bool]


class Trace:
    """All records of a journal, and what each led to, lineage (`localcloud.lineage`) included.

    Args:
        records: in any order.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.by_id = {record.id: record for record in sorted(records, key=lambda each: each.id)}
        self._links = links(self.by_id.values())
        self._effects: dict[int, list[Record]] = defaultdict(list)
        for record in self.by_id.values():
            for cause in self._known_causes(record):
                self._effects[cause].append(record)

    def roots(self) -> list[Record]:
        """Records that came from outside, and those whose causes are not known here."""
        return [each for each in self.by_id.values() if not self._known_causes(each)]

    def roots_of(self, record: Record) -> list[Record]:
        """What a record goes back to: one root, or several for a batch of messages."""
        found: dict[int, Record] = {}
        waiting, seen = [record], {record.id}
        while waiting:
            each = waiting.pop()
            causes = self._known_causes(each)
            if not causes:
                found[each.id] = each
            waiting += [self.by_id[cause] for cause in causes if cause not in seen]
            seen.update(causes)
        return [found[number] for number in sorted(found)]

    def below(self, root: Record, keep: Keep | None = None) -> list[Record]:
        """The root and everything it led to, each once, in the order of ids."""
        found = {root.id: root}
        waiting = [root]
        while waiting:
            for each in self._effects.get(waiting.pop().id, ()):
                if each.id not in found and (keep is None or keep(root, each)):
                    found[each.id] = each
                    waiting.append(each)
        return [found[number] for number in sorted(found)]

    def tree(self, root_id: int, keep: Keep | None = None) -> Node:
        """What a record led to, each effect at its first cause.

        Args:
            root_id: where to begin.
            keep: asked with (root, effect) whether an effect belongs to this root; effects of one
                batch belong to several messages, and only the reader knows whose each is.

        Raises:
            KeyError: there is no such record.
        """
        root = self.by_id[root_id]
        whole = Node(root)
        waiting, seen = [whole], {root.id}
        while waiting:
            node = waiting.pop()
            for each in self._effects.get(node.record.id, ()):
                if each.id not in seen and (keep is None or keep(root, each)):
                    seen.add(each.id)
                    node.effects.append(Node(each))
            waiting += reversed(node.effects)
        return whole

    def _known_causes(self, record: Record) -> list[int]:
        causes = [*causes_of(record), *self._links.get(record.id, ())]
        return [cause for cause in causes if cause in self.by_id]


def tree(records: Iterable[Record], root_id: int, keep: Keep | None = None) -> Node:
    """What a record led to: see `Trace.tree`."""
    return Trace(records).tree(root_id, keep)


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
