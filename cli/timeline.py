"""A time axis on which milliseconds of work and hours of waiting are both readable.

Virtual time stands still while things happen, and real time hardly moves while the cloud waits. The story's
time is both: from one record to the next passes whichever passed more. Stretches in which nothing happens
become breaks of a small, equal width, told in words.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.causes import span
from localcloud.journal import Record

_BREAK = 0.15  # of all work: a longer silence is a break
_SHORTEST_BREAK_S = 0.25
_BREAKS_SHARE = 0.4  # of the axis at most
_BREAK_WIDTH = 0.09
_LABEL_ROOM = 9.0  # percent between two labels
_LETTER_ROOM = 1.2
_LAST_LABEL = 94.0
_LEAST_WORK_S = 0.001
_LONG = 0.05  # of the story: a stretch with labels inside


@dataclass(frozen=True, slots=True)
class Break:
    """A silence: where it stands on the axis (percent), and how many seconds it lasts."""

    left: float
    width: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on the axis: where (percent), and seconds since the first record."""

    left: float
    seconds: float


class Timeline:
    """Where records stand on the axis of one tree.

    Args:
        records: all of the tree.

    Attributes:
        breaks: the silences.
        length: seconds of the whole story.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        ordered = sorted(records, key=lambda each: each.id)
        self._start = _starts(ordered)
        self._end = _ends(ordered, self._start)
        self.length = max(self._end.values(), default=0.0)
        work = _work([(self._start[r.id], self._start[r.id] + r.took) for r in ordered])
        busy = sum(end - begin for begin, end in work) or _LEAST_WORK_S
        gap = max(busy * _BREAK, _SHORTEST_BREAK_S)
        parts = _joined(work, gap)
        share = min(_BREAK_WIDTH, _BREAKS_SHARE / max(1, len(parts) - 1))
        room = 100.0 * (1 - share * (len(parts) - 1))
        total = sum(end - begin for begin, end in parts) or 1.0
        least = min(room / len(parts), 4.0)  # percent that the shortest part is given
        widths = [
            (end - begin) / total * (room - least * len(parts)) + least for begin, end in parts
        ]
        self.breaks: list[Break] = []
        self._from: list[float] = []
        self._at: list[float] = []
        left = 0.0
        for place, ((begin, end), width) in enumerate(zip(parts, widths, strict=True)):
            if place:
                silence = begin - parts[place - 1][1]
                self.breaks.append(Break(left, 100 * share, silence))
                left += 100 * share
            self._from += [begin, end]
            self._at += [left, left + width]
            left += width

    def place(self, seconds: float) -> float:
        """Percent of the axis at which a moment stands."""
        k = bisect_right(self._from, seconds)
        if k == 0:
            return self._at[0]
        if k == len(self._from):
            return self._at[-1]
        begin, end = self._from[k - 1], self._from[k]
        left, right = self._at[k - 1], self._at[k]
        return left + (right - left) * ((seconds - begin) / (end - begin) if end > begin else 0.0)

    def bar(self, record: Record) -> tuple[float, float]:
        """Left edge and width of a record's bar, percent."""
        left = self.place(self._start[record.id])
        return left, self.place(self._end[record.id]) - left

    def start(self, record: Record) -> float:
        """Seconds from the first record to this one."""
        return self._start[record.id]

    def ticks(self) -> list[Tick]:
        """Labels: where each stretch of work begins, and round numbers within long ones."""
        found: list[Tick] = []
        for begin, end in zip(self._from[::2], self._from[1::2], strict=True):
            step = _round_step((end - begin) / 4)
            inner = [
                begin,
                *(k * step for k in range(math.ceil(begin / step), int(end / step) + 1)),
            ]
            for seconds in inner:
                left = self.place(seconds)
                apart = not found or left - found[-1].left >= _room(found[-1].seconds)
                if left <= min(_LAST_LABEL, 100 - _room(seconds)) and apart:
                    found.append(Tick(left, seconds))
        return found


def _room(seconds: float) -> float:
    """The room of a label, in percent of the axis: long ones, such as 17 min 50 s, need more."""
    return max(_LABEL_ROOM, _LETTER_ROOM * (len(span(seconds)) + 2))


def _starts(ordered: Sequence[Record]) -> dict[int, float]:
    starts: dict[int, float] = {}
    at = 0.0
    for k, record in enumerate(ordered):
        if k:
            before = ordered[k - 1]
            virtual = (record.at - before.at).total_seconds()
            at += max(virtual, record.began - before.began, 0.0)
        starts[record.id] = at
    return starts


def _ends(ordered: Sequence[Record], starts: Mapping[int, float]) -> dict[int, float]:
    """A job's state lasts until its next one; all else as long as it took."""
    ends = {record.id: starts[record.id] + record.took for record in ordered}
    last: dict[str, int] = {}
    for record in ordered:
        run = str(record.detail.get("run_id", ""))
        if record.kind == "job" and run:
            if run in last:
                ends[last[run]] = starts[record.id]
            last[run] = record.id
    return ends


def _work(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches during which something happens, in order."""
    return _joined(sorted(spans), 0.0)


def _joined(spans: Sequence[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """Stretches no further apart than a gap, as one."""
    joined: list[tuple[float, float]] = []
    for begin, end in spans:
        if joined and begin - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined or [(0.0, 0.0)]


def _round_step(about: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if about <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(about))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= about))
