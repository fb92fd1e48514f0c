"""The cycles kernel, in words of the house."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from cycles import BadRecording, BadSpec, CycleSpec, Fragment, cut
from signalbox.contracts.workload import Workload
from signalbox.domain.recording import Cut
from signalbox.errors import Misconfigured, Rejected

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CyclesKernel:
    """Cuts files with the kernel that ships beside this package."""

    def cut(self, path: Path, workload: Workload, name: str) -> Cut:
        """Cut the file at ``path``, known as ``name``.

        Raises:
            Rejected: the file can never become cycles.
            Misconfigured: the workload contradicts itself.
        """
        try:
            return _told(cut(path, CycleSpec.from_mapping(workload.mapping()), name))
        except BadRecording as problem:
            raise Rejected(
                problem.reason,
                problem.message,
                column=problem.column,
                row=problem.row,
                line=problem.line,
                row_group=problem.row_group,
            ) from problem
        except BadSpec as problem:
            raise Misconfigured(
                f"workload {workload.name!r}: {problem}; mend it, make package, deploy"
            ) from problem

    def read(self, fragment: bytes) -> Cut:
        """Read back what was cut before.

        Raises:
            Misconfigured: it was written by a kernel of another format.
        """
        try:
            return _told(Fragment.read(BytesIO(fragment)), fragment)
        except BadRecording as problem:
            raise Misconfigured(
                f"{problem}; delete the stored fragment to have its file cut again"
            ) from problem


def _told(fragment: Fragment, stored: bytes | None = None) -> Cut:
    if stored is None:
        target = BytesIO()
        fragment.write(target)
        stored = target.getvalue()
    return Cut(
        units=tuple(fragment.units),
        cycles=fragment.closed,
        rows=fragment.rows,
        start=_time(fragment.start_ns),
        end=_time(fragment.end_ns),
        fragment=stored,
    )


def _time(ns: int) -> datetime:
    """Return epoch nanoseconds as a time, to the microsecond below: events carry no more."""
    return EPOCH + timedelta(microseconds=ns // 1000)
