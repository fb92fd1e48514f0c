"""Something is rejected: what is written down about it."""

from __future__ import annotations

from datetime import datetime

from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.rejection import Rejection
from signalbox.errors import Rejected


def rejection_of(problem: Rejected, source: ObjectRef, at: datetime) -> Rejection:
    """Return what is kept about a file that can never be processed."""
    return Rejection(
        reason=problem.reason,
        message=problem.message,
        source=source,
        column=problem.column,
        row=problem.row,
        line=problem.line,
        row_group=problem.row_group,
        at=at,
    )


def replaces(new: Rejection, known: Rejection | None) -> bool:
    """Whether a new rejection of a file takes the place of the one that is kept.

    One reason is kept per key, the one of the newest version: an older one arriving late is
    announced but not kept.
    """
    return known is None or new.source.sequencer >= known.source.sequencer
