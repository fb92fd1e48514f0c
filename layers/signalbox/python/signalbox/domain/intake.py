"""A sensor file arrives: what is to be done about it, and doing it.

Everything known about a file is the listing of its fragments prefix, so a delivery that comes
twice, late or out of order needs no memory: the newest sequencer counts, an older one changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from signalbox.contracts.keys import (
    fragment_key,
    fragments_prefix,
    newest,
    tombstone_key,
    workload_of,
)
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.s3 import ObjectDeleted
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus, features_ready, features_withdrawn
from signalbox.domain.recording import Kernel
from signalbox.errors import Rejected

Outcome = Literal["cut", "announced-again", "withdrawn", "ignored"]
"""What became of a delivery, in the words of the metrics."""


@dataclass(frozen=True, slots=True)
class CutFile:
    """Nothing is known of this version: cut it."""

    workload: Workload
    output_key: str


@dataclass(frozen=True, slots=True)
class AnnounceAgain:
    """This version is done, but whether anybody heard of it is not known: only announce it."""

    workload: Workload
    output_key: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing to do, and why."""

    why: str


class Store(Protocol):
    """The data bucket, as far as intake needs it."""

    def size(self, ref: ObjectRef) -> int | None:
        """Return the bytes of this version by its head, or None if there is no such version."""

    def exists(self, key: str) -> bool:
        """Whether the key has a current version."""

    def children(self, prefix: str) -> list[str]:
        """Return the keys directly under ``prefix``."""

    def read(self, key: str) -> bytes:
        """Return the content of the current version of ``key``."""

    def local(self, ref: ObjectRef) -> AbstractContextManager[Path]:
        """Lend a local copy of this version of an object."""

    def put(self, key: str, content: bytes) -> None:
        """Write ``content`` under ``key``; the same bytes again change nothing."""


def decide(
    source: ObjectRef, workloads: Mapping[str, Workload], listing: Iterable[str]
) -> CutFile | AnnounceAgain | Ignore:
    """Decide what a version of a sensor file asks for, given the keys of its fragments.

    Raises:
        Rejected: the key names no workload, or one that is not shipped, or is too long.
    """
    if source.key.endswith("/"):
        return Ignore("a folder marker of the console, no file")
    try:
        name = workload_of(source.key)
        output_key = fragment_key(source.key, source.sequencer)
    except ValueError as problem:
        raise Rejected("bad-key", str(problem)) from problem
    measured = sorted(each for each, told in workloads.items() if told.recording is not None)
    if name not in measured:
        raise Rejected(
            "unknown-workload",
            f"{source.key!r} names workload {name!r}; sensor files are of: {', '.join(measured)}",
        )
    known = newest(source.key, listing)
    if known is None or known.sequencer < source.sequencer:
        return CutFile(workloads[name], output_key)
    if known.sequencer == source.sequencer and known.kind == "parquet":
        return AnnounceAgain(workloads[name], output_key)
    return Ignore(f"superseded by {known.kind} {known.sequencer}")


def admit(source: ObjectRef, size: int, workload: Workload) -> None:
    """Judge a file by its head, before a byte of it is downloaded.

    Raises:
        Rejected: empty, or larger than the workload allows.
    """
    limit = workload.max_bytes
    if size == 0:
        raise Rejected("empty", f"{source.key!r} has no bytes; send it again, complete")
    if size > limit:
        raise Rejected(
            "too-large",
            f"{source.key!r} has {size} bytes, workload {workload.name!r} allows {limit}; "
            "split the recording or raise recording.max_bytes",
        )


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything a sensor file meets on its way in."""

    workloads: Mapping[str, Workload]
    store: Store
    kernel: Kernel
    bus: Bus

    def take_in(self, source: ObjectRef) -> Outcome:
        """Cut a version of a sensor file, once, and announce what it holds.

        Raises:
            Rejected: the file can never become cycles.
        """
        decision = decide(source, self.workloads, self.store.children(fragments_prefix(source.key)))
        if isinstance(decision, Ignore):
            return "ignored"
        if isinstance(decision, AnnounceAgain):
            cut = self.kernel.read(self.store.read(decision.output_key))
            outcome: Outcome = "announced-again"
        else:
            size = self.store.size(source)
            if size is None:
                return "ignored"  # deleted since; the deletion has an event of its own
            admit(source, size, decision.workload)
            with self.store.local(source) as path:
                cut = self.kernel.cut(path, decision.workload, source.key)
            self.store.put(decision.output_key, cut.fragment)
            outcome = "cut"
        self.bus.emit(features_ready(decision.workload.name, source, cut, decision.output_key))
        return outcome


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Everything the deletion of a sensor file meets."""

    store: Store
    bus: Bus

    def withdraw(self, event: ObjectDeleted) -> Outcome:
        """Note that a sensor file is gone, and say so.

        Removing one version leaves the file standing if another is current: then nothing is
        withdrawn. A file whose key names no workload never had fragments.
        """
        source = event.ref
        try:
            workload, key = workload_of(source.key), tombstone_key(source.key, source.sequencer)
        except ValueError:
            return "ignored"
        if event.one_version_only and self.store.exists(source.key):
            return "ignored"
        self.store.put(key, b"{}")
        self.bus.emit(features_withdrawn(workload, source, key))
        return "withdrawn"
