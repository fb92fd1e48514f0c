"""Virtual time: a heap of tasks ordered by (due, sequence).

Everything the local cloud does later, it puts here. Time moves only when the next task is taken
(or when real time is followed, see `follow`), so a retry after two minutes costs nothing and
equal inputs give equal orders. Adding is safe from any thread: S3 puts arrive on the server's.

What recurs (schedules) is `background`: it happens when its time comes, but nobody moves time just
for its sake. Without that, a cloud with one schedule would never be idle.
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
        self._heap: list[tuple[datetime, float, int, bool, Task]] = []
        self._sequence = 0
        self._work = 0  # tasks that are not background
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

        Args:
            due: when.
            task: what.
            background: it recurs, so waiting for it is not work to be done.
        """
        with self._changed:
            self._sequence += 1
            self._work += not background
            entry = (max(due, self._now), self._rank(), self._sequence, background, task)
            heapq.heappush(self._heap, entry)
            self._changed.notify_all()

    def after(self, seconds: float, task: Task) -> None:
        """Put a task on the agenda `seconds` from now."""
        self.at(self._now + timedelta(seconds=seconds), task)

    def take(self, until: datetime | None = None) -> Task | None:
        """The next task, moving time to when it is due.

        Args:
            until: how far time may go; if not given, as far as there is work, background tasks
                being done on the way.

        Returns:
            None if there is nothing up to then.
        """
        with self._changed:
            if not self._heap or (until is None and not self._work):
                return None
            if until is not None and self._heap[0][0] > until:
                return None
            due, _, _, background, task = heapq.heappop(self._heap)
            self._work -= not background
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

    def __len__(self) -> int:
        return self._work
