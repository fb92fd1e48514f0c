"""From readings of one signal to running cycles, so that a cut recording heals.

A recording is first read as *runs*: stretches of rows in one state. What a run finally means may
depend on its neighbours, and a file's first and last runs have neighbours in other files. So runs are
*reduced* as far as the rows at hand decide, and no further:

    ON OFF UNKNOWN   still open: a neighbour may change what they are
    CLOSED           a cycle, whatever comes before or after
    SEPARATOR        nothing joins across it: an off time of at least ``min_off``, or a gap

The same reduction runs inside a file and again over all files of a unit in time order, which is why
any way of cutting a recording gives the same cycles. Meaning of the rules, applied in this order within
stretches without a gap: an off time shorter than ``min_off`` between two on times is bridged (its rows
belong to the cycle); an on time then shorter than ``min_on`` is no cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.spec import CycleSpec, Running

Times = npt.NDArray[np.int64]
Signal = npt.NDArray[Any]  # readings, or a status in words
Codes = npt.NDArray[np.int8]
Part = tuple[int, int]


class State(IntEnum):
    """What a run is known to be."""

    OFF = 0
    ON = 1
    UNKNOWN = 2
    SEPARATOR = 3
    CLOSED = 4


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of rows: times of its first and last row (ns) and where its rows are, in order.

    ``parts`` are row ranges ``(i, j)`` inside one file, or ``(fragment, stretch)`` where runs of several
    files are put together; a separator has none.
    """

    state: State
    start: int
    end: int
    parts: tuple[Part, ...] = ()

    def joined(self, other: Run) -> Run:
        """This run continued by the next one, keeping this one's state."""
        return Run(self.state, self.start, other.end, self.parts + other.parts)

    def known_as(self, state: State) -> Run:
        """This run, judged anew."""
        return Run(state, self.start, self.end, self.parts)


def running_codes(signal: Signal, running: Running) -> Codes:
    """Judge each row by itself: 1 running, 0 not, -1 undecided.  # (rows,)"""
    if running.on:
        codes = np.full(signal.shape, -1, np.int8)
        present = ~_missing(signal)
        codes[present] = np.isin(signal[present], np.asarray(running.on, dtype=signal.dtype))
        return codes
    if running.above is not None:
        release = running.above if running.release is None else running.release
        on, off = signal > running.above, signal <= release
    else:
        level = running.below if running.below is not None else np.nan
        release = level if running.release is None else running.release
        on, off = signal < level, signal >= release
    undecided = ~(on | off)
    judged: Codes = on.view(np.int8) - undecided.view(np.int8)
    return judged


def _missing(signal: Signal) -> npt.NDArray[np.bool_]:
    if signal.dtype.kind == "f":
        return np.asarray(np.isnan(signal))
    if signal.dtype.kind == "O":
        return np.asarray([value is None for value in signal], dtype=bool)
    return np.zeros(signal.shape, dtype=bool)


def raw_runs(times: Times, codes: Codes, max_gap_ns: int) -> list[Run]:
    """Runs of one unit's rows, a separator wherever two rows lie further apart than ``max_gap_ns``.

    Undecided rows continue the state before them. After a gap nothing is known to run, so they are off;
    at the head of the recording they stay UNKNOWN, since the file before decides.
    """
    rows = len(times)
    gap = times[1:] - times[:-1] > max_gap_ns  # (rows - 1,)
    edges: Times = np.concatenate([[0], np.flatnonzero((codes[1:] != codes[:-1]) | gap) + 1])
    breaks = gap[edges[1:] - 1]  # (runs - 1,)
    states = _carried(codes[edges], breaks)
    kept = np.concatenate([[True], (states[1:] != states[:-1]) | breaks])
    edges, states = edges[kept], states[kept]
    after_gap = np.concatenate([[False], breaks])[kept].tolist()
    first, last = times[edges].tolist(), times[np.append(edges[1:], rows) - 1].tolist()
    runs: list[Run] = []
    for k, (i, j) in enumerate(pairwise([*edges.tolist(), rows])):
        if after_gap[k]:
            runs.append(Run(State.SEPARATOR, last[k - 1], first[k]))
        runs.append(Run(State(int(states[k])), first[k], last[k], ((i, j),)))
    return runs


def _carried(codes: Codes, breaks: npt.NDArray[np.bool_]) -> Codes:
    """States of the runs of equal codes, undecided ones continuing the run before.  # (runs,)"""
    index = np.arange(len(codes))
    decider = np.maximum.accumulate(np.where(codes >= 0, index, -1))
    segment: Times = np.zeros(len(codes), np.int64)
    segment[1:][breaks] = index[1:][breaks]
    segment = np.maximum.accumulate(segment)
    states = np.where(decider >= segment, codes[decider], np.int8(State.OFF))
    states[(decider < 0) & (segment == 0)] = State.UNKNOWN
    return states.astype(np.int8)


def reduce(runs: Iterable[Run], spec: CycleSpec, *, final: bool) -> list[Run]:
    """Decide all that these runs decide; with ``final`` nothing comes before or after them.

    Returns runs in time order: open ones only at the two ends (nowhere when final), CLOSED cycles and
    the separators between them in the middle.
    """
    settled = _bridged(_merged(runs, final=final), spec.min_off_ns, final=final)
    return _closed(settled, spec.min_on_ns, final=final)


def _merged(runs: Iterable[Run], *, final: bool) -> list[Run]:
    """Give UNKNOWN the state before it, where there is one, and join equal neighbours."""
    out: list[Run] = []
    for run in runs:
        current = run
        if run.state is State.UNKNOWN and (out or final):
            before = out[-1].state if out else State.OFF
            carried = before if before in (State.ON, State.UNKNOWN) else State.OFF
            current = run.known_as(carried)
        if out and out[-1].state is current.state is not State.CLOSED:
            out[-1] = out[-1].joined(current)
        else:
            out.append(current)
    return out


def _bridged(runs: Sequence[Run], min_off_ns: int, *, final: bool) -> list[Run]:
    """Turn each off run into a separator or part of a cycle, or leave it open where rows are wanting."""
    out: list[Run] = []
    for k, run in enumerate(runs):
        before = out[-1] if out else None
        after = runs[k + 1] if k + 1 < len(runs) else None
        if run.state is State.OFF:
            if _separates(run, before, after, min_off_ns, final=final):
                _append_separator(out, run)
                continue
            if before and after and before.state is after.state is State.ON:
                out[-1] = before.joined(run)
                continue
        if before and before.state is run.state is State.ON:
            out[-1] = before.joined(run)
        elif run.state is State.SEPARATOR:
            _append_separator(out, run)
        else:
            out.append(run)
    return out


def _separates(
    run: Run, before: Run | None, after: Run | None, min_off_ns: int, *, final: bool
) -> bool:
    """Whether nothing can join across this off run, however the missing neighbours turn out."""
    if any(side and side.state is State.SEPARATOR for side in (before, after)):
        return True
    if final and (before is None or after is None):
        return True
    # An off time lasts from the last row that ran, or may have run, to the next one that runs.
    since = before.end if before and before.state in (State.ON, State.UNKNOWN) else run.start
    until = after.start if after and after.state is State.ON else run.end
    return until - since >= min_off_ns


def _append_separator(out: list[Run], run: Run) -> None:
    if out and out[-1].state is State.SEPARATOR:
        out[-1] = Run(State.SEPARATOR, out[-1].start, run.end)
    else:
        out.append(Run(State.SEPARATOR, run.start, run.end))


def _closed(runs: Sequence[Run], min_on_ns: int, *, final: bool) -> list[Run]:
    """Close every on run with a separator on both sides; one that is too short is no cycle."""
    out: list[Run] = []
    for k, run in enumerate(runs):
        left = k > 0 and runs[k - 1].state is State.SEPARATOR
        right = k + 1 < len(runs) and runs[k + 1].state is State.SEPARATOR
        left, right = left or (final and k == 0), right or (final and k + 1 == len(runs))
        if run.state is State.SEPARATOR:
            _append_separator(out, run)
        elif run.state is State.ON and left and right:
            if run.end - run.start >= min_on_ns:
                out.append(run.known_as(State.CLOSED))
            else:
                _append_separator(out, run)
        else:
            out.append(run)
    return out
