"""The causal trace: who caused what, in virtual time.

A record names its cause by id; `localcloud.trace` turns records into trees. Ids are given when a
thing begins and records are written when it is over, so that what an invocation causes can name
the invocation; iterating yields finished records by id.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

Kind = Literal[
    "event", "rule", "schedule", "delivery", "invocation", "job", "dead-letter", "log",
    "call",
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One thing that happened.

    Attributes:
        id: number, growing in the order things began.
        cause: id of the record that caused this one; None for what came from outside.
        at: virtual instant (UTC) at which it began.
        kind: event, rule (one that matched), schedule (of EventBridge Scheduler, one that was due),
            delivery (to one target), invocation, job, dead-letter, log or call (a request to an
            API in the name of a role).
        name: detail-type, rule, schedule, target, function or job name; of a call its action
            (s3:GetObject).
        status: "ok", "failed", "denied" (calls), or the state's own name (jobs).
        detail: small facts, never payload bodies except an event's own detail.
    """

    id: int
    cause: int | None
    at: datetime
    kind: Kind
    name: str
    status: str
    detail: dict[str, Any]


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
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")

    def add(
        self, kind: Kind, name: str, status: str = "ok", *, cause: int | None = None, **detail: Any
    ) -> Record:
        """Write down something that happened at once; `cause` defaults to the current cause."""
        return self._write(self._next(), self._now(), cause, kind, name, status, detail)

    @contextmanager
    def entry(self, kind: Kind, name: str, *, cause: int | None = None) -> Iterator[Entry]:
        """Something that takes its course: what happens inside names it as its cause."""
        entry, at = Entry(self._next()), self._now()
        cause = self.cause if cause is None else cause
        token = self._cause.set((entry.id, kind))
        try:
            yield entry
        except BaseException:
            entry.status = "crashed"
            raise
        finally:
            self._cause.reset(token)
            self._write(entry.id, at, cause, kind, name, entry.status, entry.detail)

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

    def _write(
        self,
        number: int,
        at: datetime,
        cause: int | None,
        kind: Kind,
        name: str,
        status: str,
        detail: dict[str, Any],
    ) -> Record:
        cause = self.cause if cause is None else cause
        record = Record(number, cause, at, kind, name, status, detail)
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
