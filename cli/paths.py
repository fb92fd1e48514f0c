"""The ways that files took, made short: files that went the same way are told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.journeys import Journey, Step

REJECTED = "rejected"
GOOD = "features"
EXPECTED = (GOOD, "withdrawn")
AT_MOST = 1_500  # files listed by name; a longer page would be slower to open than to search
FEW, FEW_BAD = 3, 12  # files listed openly; of those that ended well, fewer
CALM = ("", "ok", "started", "starting", "running", "succeeded")
DOOR = {"invocation": "door"}  # the journal's word -> the reader's


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
        steps = _without_echoes(_to_the_output(journey))
        shape = tuple(_shape(step, journey) for step in steps)
        groups.setdefault((journey.outcome, shape), []).append(journey)
    rank = {REJECTED: 0, GOOD: 2}
    ordered = sorted(groups.items(), key=lambda g: (rank.get(g[0][0], 1), -len(g[1]), g[1][0].key))
    ways, room = [], AT_MOST
    for (outcome, stations), files in ordered:
        listed = files[:room]
        room -= len(listed)
        ways.append(
            Way(
                outcome,
                outcome not in EXPECTED,
                stations,
                tuple(_row(journey) for journey in listed),
                len(files) - len(listed),
                len(files) > (FEW if outcome in EXPECTED else FEW_BAD),
            )
        )
    return ways


def rejected(journeys: Sequence[Journey]) -> list[FileRow]:
    """The rejected files with their reasons, at most 1,500."""
    bad = (j for j in sorted(journeys, key=lambda j: j.key) if j.outcome == REJECTED)
    return [_row(journey) for _, journey in zip(range(AT_MOST), bad, strict=False)]


def _to_the_output(journey: Journey) -> tuple[Step, ...]:
    """The stations, with what was written among them where none says so."""
    if not journey.output_key or any(step.kind == "output" for step in journey.steps):
        return journey.steps
    written = Step("output", journey.output_key, "ok")
    if journey.steps and journey.steps[-1].kind == "event":  # what was written is announced last
        return (*journey.steps[:-1], written, journey.steps[-1])
    return (*journey.steps, written)


def _without_echoes(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Leave out a delivery that went well straight into the door of the same name."""
    entered = {(k - 1, step.name) for k, step in enumerate(steps) if step.kind == "invocation"}
    return tuple(
        step
        for k, step in enumerate(steps)
        if not (step.kind == "delivery" and calm(step) and (k, step.name) in entered)
    )


def _shape(step: Step, journey: Journey) -> Step:
    """A station without the file's own name, so that equal ways look equal."""
    name = step.name
    for own in (journey.output_key, journey.key):
        if own and own in name:
            folder = own.partition("/")[0] if name == own and "/" in own else ""
            name = f"{folder}/…" if folder else name.replace(own, "…")
    return Step(DOOR.get(step.kind, step.kind), name, step.status)


def calm(step: Step) -> bool:
    """Whether nobody needs to look at this station."""
    return step.status.lower() in CALM


def _row(journey: Journey) -> FileRow:
    shown = ", ".join(journey.units[:4]) + (" …" if len(journey.units) > 4 else "")
    why = journey.message.removeprefix(f"{journey.key}: ")
    return FileRow(journey.key, shown, f"{journey.cycles:,}", journey.output_key, why)
