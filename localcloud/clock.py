"""Virtual time: a heap of tasks ordered by (due, sequence).

Everything the local cloud does later, it puts here. Time moves only when the next task is taken
(or when real time is followed, see `follow`), so a retry after two minutes costs nothing and
equal inputs give equal orders. Adding is safe from any thread: S3 puts arrive on the server's.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

Task = Callable[[], None]


class Clock:
    """The cloud's time and its agenda.

    Args:
        start: the first instant (aware, UTC).
        rank: gives each task its place among those due at the same instant, lowest first; in
            sequence if not given.
    """

    def __init__(self, start: datetime, rank: Callable[[], float] = lambda: 0.0) -> None:
        self._now = start
        self._rank = rank
        self._heap: list[tuple[datetime, float, int, Task, bool]] = []
        self._sequence = 0
        self._foreground = 0
        self._changed = threading.Condition()
        self._stamped = start

    def now(self) -> datetime:
        """The current virtual instant."""
        return self._now

    def stamp(self) -> datetime:
        """Now, but later than every stamp before: what is written while time stands still keeps
        its order, at a microsecond's cost each."""
        with self._changed:
            self._stamped = max(self._now, self._stamped + timedelta(microseconds=1))
            return self._stamped

    def at(self, due: datetime, task: Task, *, background: bool = False) -> None:
        """Put a task on the agenda; one that is overdue runs now, never in the past.

        A background task runs when time gets there, but is no reason for time to go there.
        """
        with self._changed:
            self._sequence += 1
            self._foreground += not background
            entry = (max(due, self._now), self._rank(), self._sequence, task, background)
            heapq.heappush(self._heap, entry)
            self._changed.notify_all()

    def after(self, seconds: float, task: Task, *, background: bool = False) -> None:
        """Put a task on the agenda `seconds` from now."""
        self.at(self._now + timedelta(seconds=seconds), task, background=background)

    def take(self, until: datetime | None = None) -> Task | None:
        """The next task, moving time to when it is due; None if there is none up to `until`, or,
        without `until`, none but background tasks.
        """
        with self._changed:
            if not self._heap or (until is None and not self._foreground):
                return None
            if until is not None and self._heap[0][0] > until:
                return None
            due, _, _, task, background = heapq.heappop(self._heap)
            self._foreground -= not background
            self._now = max(self._now, due)
            return task

    def follow(self, instant: datetime) -> None:
        """Move time forward to `instant` without running anything (real-time serving)."""
        with self._changed:
            self._now = max(self._now, instant)

    def wait(self, longest: float) -> None:
        """Sleep until the next task is due in real seconds, one is added, or `longest` is over."""
        with self._changed:
            if self._heap:
                longest = min(longest, (self._heap[0][0] - self._now).total_seconds())
            if longest > 0:
                self._changed.wait(longest)

    def agenda(self) -> list[tuple[datetime, Task]]:
        """Everything that waits for its time and is not background, the next first."""
        with self._changed:
            waiting = sorted(self._heap, key=lambda each: each[:3])
            return [(due, task) for due, _, _, task, background in waiting if not background]

    def __len__(self) -> int:
        return self._foreground
