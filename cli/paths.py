"""The ways that files took, made short: files that went the same way are told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.journeys import Journey, Step

REJECTED = "rejected"
GOOD = "features"
AT_MOST = 1_500  # files listed by name; a longer page would be slower to open than to search
FEW = 6


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file at the end of its way."""

    key: str
    units: str
    cycles: str
    output: str
    message: str


@dataclass(frozen=True, slots=True)
class Way:
    """Files that passed the same stations and came to the same end.

    Attributes:
        outcome: how it ended.
        bad: whether a person should look.
        steps: the stations; what differs from file to file is left out of their names.
        files: at most 1,500 over all ways.
        more: how many files are not listed.
        folded: whether the list is long enough to be folded away.
    """

    outcome: str
    bad: bool
    steps: tuple[Step, ...]
    files: tuple[FileRow, ...]
    more: int
    folded: bool

    @property
    def count(self) -> int:
        """All files that went this way."""
        return len(self.files) + self.more


def told(journeys: Sequence[Journey]) -> list[Way]:
    """All ways: rejected files first, then what else ended otherwise, then features."""
    groups: dict[tuple[str, tuple[Step, ...]], list[Journey]] = {}
    for journey in sorted(journeys, key=lambda j: j.key):
        shape = tuple(_shape(step, journey) for step in journey.steps)
        groups.setdefault((journey.outcome, shape), []).append(journey)
    rank = {REJECTED: 0, GOOD: 2}
    ordered = sorted(groups.items(), key=lambda g: (rank.get(g[0][0], 1), -len(g[1]), g[1][0].key))
    ways, room = [], AT_MOST
    for (outcome, steps), files in ordered:
        listed = files[:room]
        room -= len(listed)
        ways.append(
            Way(
                outcome,
                outcome != GOOD,
                steps,
                tuple(_row(journey) for journey in listed),
                len(files) - len(listed),
                len(files) > FEW,
            )
        )
    return ways


def rejected(journeys: Sequence[Journey]) -> list[FileRow]:
    """The rejected files with their reasons, at most 1,500."""
    bad = (j for j in sorted(journeys, key=lambda j: j.key) if j.outcome == REJECTED)
    return [_row(journey) for _, journey in zip(range(AT_MOST), bad, strict=False)]


def _shape(step: Step, journey: Journey) -> Step:
    """A station without the file's own name, so that equal ways look equal."""
    name = step.name
    for own in (journey.output_key, journey.key):
        if own and own in name:
            folder = own.partition("/")[0] if name == own and "/" in own else ""
            name = f"{folder}/…" if folder else name.replace(own, "…")
    return Step(step.kind, name, step.status)


def _row(journey: Journey) -> FileRow:
    shown = ", ".join(journey.units[:4]) + (" …" if len(journey.units) > 4 else "")
    why = journey.message.removeprefix(f"{journey.key}: ")
    return FileRow(journey.key, shown, f"{journey.cycles:,}", journey.output_key, why)
