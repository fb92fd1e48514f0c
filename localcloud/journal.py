"""The causal trace: who caused what, in virtual time.

A record names its cause by id; `localcloud.trace` turns records into trees. Ids are given when a
thing begins and records are written when it is over, so that what an invocation causes can name
the invocation; iterating yields finished records by id.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

Kind = Literal[
    "event", "rule", "schedule", "delivery", "invocation", "job", "dead-letter", "log",
    "call", "redrive",
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One thing that happened.

    Attributes:
        id: number, growing in the order things began.
        cause: id of the record that caused this one; None for what came from outside.
        at: virtual instant (UTC) at which it began.
        kind: event, rule (one that matched), schedule (of EventBridge Scheduler, one that was due),
            delivery (to one target), invocation, job, dead-letter, redrive (of a dead letter), log or
            call (a request to an API in the name of a role).
        name: detail-type, rule, schedule, target, function or job name; of a call its action
            (s3:GetObject).
        status: "ok", "failed", "denied" (calls), or the state's own name (jobs).
        detail: small facts, never payload bodies except an event's own detail.
        began: real seconds from the journal's first moment until it began; virtual time stands
            still while things happen, so only this orders and measures them.
        took: real seconds it lasted; 0 for what happens at once.
    """

    id: int
    cause: int | None
    at: datetime
    kind: Kind
    name: str
    status: str
    detail: dict[str, Any]
    began: float = field(default=0.0, compare=False)
    took: float = field(default=0.0, compare=False)


@dataclass
class Entry:
    """A record that is still being lived; its status and detail may be set until it closes."""

    id: int
    status: str = "ok"
    detail: dict[str, Any] = field(default_factory=dict)


class Journal:
    """All records of one cloud; a sequence ordered by id.

    Args:
        now: the virtual clock.
        path: if given, every record is also appended there as one line of JSON, so that another
            process can print the trace while the cloud runs.
    """

    def __init__(self, now: Callable[[], datetime], path: Path | None = None) -> None:
        self._now = now
        self._records: dict[int, Record] = {}
        self._sorted = True
        self._last = 0
        self._lock = threading.Lock()
        self._cause: ContextVar[tuple[int, str] | None] = ContextVar("cause", default=None)
        self._fresh: list[Record] = []
        self._listener: Callable[[Record], None] | None = None
        self._listening: int | None = None
        self._held = 0
        self._file: IO[str] | None = None
        self._first_moment = time.perf_counter()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")

    def add(
        self, kind: Kind, name: str, status: str = "ok", *, cause: int | None = None, **detail: Any
    ) -> Record:
        """Write down something that happened at once; `cause` defaults to the current cause."""
        cause = self.cause if cause is None else cause
        record = Record(self._next(), cause, self._now(), kind, name, status, detail, self._real())
        return self._keep(record)

    @contextmanager
    def entry(self, kind: Kind, name: str, *, cause: int | None = None) -> Iterator[Entry]:
        """Something that takes its course: what happens inside names it as its cause."""
        entry, at, began = Entry(self._next()), self._now(), self._real()
        cause = self.cause if cause is None else cause
        token = self._cause.set((entry.id, kind))
        try:
            yield entry
        except BaseException:
            entry.status = "crashed"
            raise
        finally:
            self._cause.reset(token)
            took = self._real() - began
            self._keep(
                Record(
                    entry.id, at=at, cause=cause, kind=kind, name=name, status=entry.status,
                    detail=entry.detail, began=began, took=took,
                )
            )  # fmt: skip

    @contextmanager
    def because(self, record: int, kind: Kind) -> Iterator[None]:
        """What happens inside on this thread names a record that is written already as its cause."""
        token = self._cause.set((record, kind))
        try:
            yield
        finally:
            self._cause.reset(token)

    @property
    def cause(self) -> int | None:
        """The current cause on this thread, if there is one."""
        current = self._cause.get()
        return current[0] if current else None

    def inside(self, *kinds: Kind) -> bool:
        """Whether this thread is inside an entry of one of these kinds."""
        current = self._cause.get()
        return current is not None and current[1] in kinds

    @contextmanager
    def heard_by(self, listener: Callable[[Record], None] | None) -> Iterator[None]:
        """Hand finished records to a listener, always on the thread that asks for it here."""
        self._listener, self._listening = listener, threading.get_ident()
        try:
            yield
            self.flush()
        finally:
            self._listener, self._listening = None, None
            self._fresh.clear()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep records from the listener for a while: a function is inside the process, and what
        the listener prints would be taken for the function's own words.
        """
        if threading.get_ident() != self._listening:
            yield
            return
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self.flush()

    def flush(self) -> None:
        """Hand over what is not handed over yet, if this is the thread to do so and none is held."""
        if self._listener is None or threading.get_ident() != self._listening or self._held:
            return
        with self._lock:
            fresh, self._fresh = self._fresh, []
        for record in fresh:
            self._listener(record)

    def close(self) -> None:
        """Close the file, if one was asked for. Records stay readable."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last

    def _real(self) -> float:
        return round(time.perf_counter() - self._first_moment, 6)

    def take_over(self, records: Iterable[Record]) -> None:
        """Begin with the records of an earlier cloud; ids go on after theirs."""
        for record in sorted(records, key=lambda each: each.id):
            self._last = max(self._last, record.id)
            self._keep(record)
        self._fresh.clear()

    def _keep(self, record: Record) -> Record:
        number = record.id
        with self._lock:
            self._sorted = self._sorted and (not self._records or number > max_key(self._records))
            self._records[number] = record
            if self._listener is not None:
                self._fresh.append(record)
            if self._file is not None:
                self._file.write(to_line(record) + "\n")
                self._file.flush()
        self.flush()
        return record

    def __iter__(self) -> Iterator[Record]:
        with self._lock:
            if not self._sorted:
                self._records = dict(sorted(self._records.items()))
                self._sorted = True
            return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, number: int) -> Record:
        """The record with this id."""
        return self._records[number]


def max_key(records: dict[int, Record]) -> int:
    """The id written last; while ids arrive in order that is also the largest."""
    return next(reversed(records))


def to_line(record: Record) -> str:
    """One record as one line of JSON."""
    return json.dumps({**asdict(record), "at": record.at.isoformat()}, default=str)


def from_line(line: str) -> Record:
    """The record that `to_line` wrote."""
    values = json.loads(line)
    return Record(**{**values, "at": datetime.fromisoformat(values["at"])})
