"""New features arrive: which units wait to be scored is noted, nothing is started yet.

A note is written once for each thing that made units due, whether it waits or was taken by a run
since: its name is known for a month. So an event may come as often as it likes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from signalbox.contracts.own import CycleFeaturesReady
from signalbox.contracts.scoring import CurrentModel
from signalbox.contracts.workload import Workload
from signalbox.domain.aside import Troubles

MAX_NAMED = 1000
"""Units that a note names; where more are due, all are: the table's items have an end."""

Noted = Literal["noted", "repeated", "no-model", "ignored"]


@dataclass(frozen=True, slots=True)
class Note:
    """That units are due: those named, or all where ``units`` is None.

    ``name`` is the digest of what made them due, ``at`` when that was; ``attempt`` counts the runs
    that were to score them.
    """

    name: str
    at: datetime
    units: tuple[str, ...] | None
    attempt: int = 1

    @property
    def id(self) -> str:
        """What tells this note from all others, whenever it was said."""
        return f"{self.name}-{self.attempt}"

    @property
    def slot(self) -> str:
        """Where it waits; the oldest sorts first."""
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{self.id}"


def note_of(what: str, units: tuple[str, ...] | None, at: datetime) -> Note:
    """Return the note that ``what`` makes these units due."""
    named = units if units is not None and len(units) <= MAX_NAMED else None
    return Note(hashlib.sha256(what.encode()).hexdigest()[:32], at, named)


class Models(Protocol):
    """The models in service."""

    def current(self, workload: str) -> CurrentModel | None:
        """Return the model that scores a workload now, or None if there is none.

        Raises:
            Misconfigured: what stands there is none, or one of another workload.
        """


class Notes(Protocol):
    """Where notes are kept."""

    def note(self, workload: str, note: Note) -> bool:
        """Write a note unless it was written before; return whether it is new."""


@dataclass(frozen=True, slots=True)
class Due:
    """Everything that makes units due."""

    workloads: Mapping[str, Workload]
    models: Models
    notes: Notes

    def features_ready(self, event: CycleFeaturesReady, at: datetime) -> Noted:
        """Note the units of an event, once; ``at`` is the time of the event."""
        workload = self.workloads.get(event.workload)
        if workload is None or not workload.scored or not event.units:
            return "ignored"
        if self.models.current(event.workload) is None:
            return "no-model"
        units = tuple(sorted(set(event.units)))
        new = self.notes.note(event.workload, note_of(event.output_key, units, at))
        return "noted" if new else "repeated"

    def all_units(self, at: datetime) -> Noted:
        """Note all units of every workload that is scored, once a day.

        Raises:
            SignalboxError: the first trouble, after every workload had its turn.
        """
        outcome: Noted = "no-model"
        troubles = Troubles()
        for name, workload in sorted(self.workloads.items()):
            if not workload.scored:
                continue
            with troubles.aside():
                if self.models.current(name) is None:
                    continue
                day = f"{at.astimezone(UTC):%Y-%m-%d}"
                midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
                new = self.notes.note(name, note_of(f"all units {day}", None, midnight))
                outcome = "noted" if new or outcome == "noted" else "repeated"
        troubles.tell()
        return outcome
