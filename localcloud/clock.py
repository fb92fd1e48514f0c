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
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._heap: list[tuple[datetime, int, Task]] = []
        self._sequence = 0
        self._changed = threading.Condition()

    def now(self) -> datetime:
        """The current virtual instant."""
        return self._now

    def at(self, due: datetime, task: Task) -> None:
        """Put a task on the agenda; one that is overdue runs now, never in the past."""
        with self._changed:
            self._sequence += 1
            heapq.heappush(self._heap, (max(due, self._now), self._sequence, task))
            self._changed.notify_all()

    def after(self, seconds: float, task: Task) -> None:
        """Put a task on the agenda `seconds` from now."""
        self.at(self._now + timedelta(seconds=seconds), task)

    def take(self, until: datetime | None = None) -> Task | None:
        """The next task, moving time to when it is due; None if there is none up to `until`."""
        with self._changed:
            if not self._heap or (until is not None and self._heap[0][0] > until):
                return None
            due, _, task = heapq.heappop(self._heap)
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
        """Everything that waits for its time, the next first."""
        with self._changed:
            return [(due, task) for due, _, task in sorted(self._heap, key=lambda each: each[:2])]

    def __len__(self) -> int:
        return len(self._heap)
