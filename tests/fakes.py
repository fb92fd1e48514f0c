"""One in-memory class for each Protocol; those with a real counterpart pass the same tests as it.

Every effect passes a fuse twice, before and after it happens, so that a test can let the power fail
at any point and deliver again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from signalbox.contracts.backfill import Manifest, RejectedFile, RunReport
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.own import OwnEvent
from signalbox.contracts.rejection import RejectedEvent, Rejection
from signalbox.contracts.scoring import CurrentModel, ScoringRequest, WindowsManifest
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import file_rejected
from signalbox.domain.backfill import Claim, claim_id
from signalbox.domain.due import Note
from signalbox.domain.fleet import Record, Row
from signalbox.domain.recording import Cut
from signalbox.domain.rejecting import rejection_of
from signalbox.domain.scoring import OpenRun
from signalbox.errors import Rejected, Transient

EVENTS = Path(__file__).resolve().parent.parent / "events"
BUCKET = "signalbox-databucket-example"
NOON = datetime(2026, 7, 2, 12, tzinfo=UTC)


class Crash(Exception):  # noqa: N818 - what happens, not an error of the house
    """The power failed."""


@dataclass
class Fuse:
    """Burns through at the given step; without one, never."""

    at: int | None = None
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise Crash(f"step {self.at}")

    @contextmanager
    def around(self) -> Iterator[None]:
        self.step()
        yield
        self.step()


@dataclass
class InMemoryObjects:
    """A versioned bucket; version ``vN`` is the N-th write of a key."""

    bucket: str = BUCKET
    fuse: Fuse = field(default_factory=Fuse)
    versions: dict[str, list[bytes | None]] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)

    def size(self, ref: ObjectRef) -> int | None:
        content = self._content(ref.key, ref.version_id)
        return None if content is None else len(content)

    def exists(self, key: str) -> bool:
        return self._content(key, None) is not None

    def children(self, prefix: str) -> list[str]:
        return [key for key in self.keys(prefix) if "/" not in key.removeprefix(prefix)]

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.versions if key.startswith(prefix) and self.exists(key))

    def present(self, keys: Iterable[str]) -> list[str]:
        return sorted(key for key in set(keys) if self.exists(key))

    def count(self, prefix: str) -> int:
        return sum(not key.endswith("/") for key in self.keys(prefix))

    def read(self, key: str, version_id: str | None = None) -> bytes:
        content = self._content(key, version_id)
        if content is None:
            raise Rejected("no-such-object", f"s3://{self.bucket}/{key} does not exist (any more)")
        return content

    def find(self, key: str) -> bytes | None:
        return self._content(key, None)

    def tagged(self, key: str) -> tuple[bytes, str] | None:
        content = self._content(key, None)
        return None if content is None else (content, f"v{len(self.versions[key])}")

    def swap(self, key: str, content: bytes, tag: str | None) -> None:
        found = self.tagged(key)
        if (found[1] if found else None) != tag:
            raise Transient(f"{key} was written by somebody else")
        self.put(key, content)

    @contextmanager
    def local(self, ref: ObjectRef) -> Iterator[Path]:
        self.downloads.append(ref.key)
        content = self.read(ref.key, ref.version_id)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file{''.join(PurePosixPath(ref.key).suffixes[-2:])}"
            path.write_bytes(content)
            yield path

    def put(self, key: str, content: bytes) -> None:
        with self.fuse.around():
            self.versions.setdefault(key, []).append(content)

    def delete(self, key: str) -> None:
        self.versions[key].append(None)

    def remove(self, key: str) -> None:
        with self.fuse.around():
            self.delete(key)

    def state(self) -> dict[str, bytes]:
        """What a reader of the bucket sees: current content by key."""
        return {key: self.read(key) for key in self.versions if self.exists(key)}

    def _content(self, key: str, version_id: str | None) -> bytes | None:
        written = self.versions.get(key, [])
        if version_id is None:
            return written[-1] if written else None
        number = int(version_id.removeprefix("v"))
        return written[number - 1] if number <= len(written) else None


@dataclass
class HeardBus:
    """Remembers what was said, in order."""

    fuse: Fuse = field(default_factory=Fuse)
    heard: list[OwnEvent] = field(default_factory=list)

    def emit(self, *events: OwnEvent) -> None:
        with self.fuse.around():
            self.heard.extend(events)

    def said(self) -> list[str]:
        """Every different thing that was said, as a consumer that drops repeats hears it."""
        return list(dict.fromkeys(f"{e.detail_type()} {e.model_dump_json()}" for e in self.heard))


class LineKernel:
    """Cuts text: a row a line, ``bad`` lines are refused; the fragment is the text behind a mark."""

    def __init__(self) -> None:
        self.cuts = 0

    def cut(self, path: Path, workload: Workload, name: str) -> Cut:
        self.cuts += 1
        content = path.read_bytes()
        for number, line in enumerate(content.splitlines(), start=1):
            if line == b"bad":
                raise Rejected("bad-line", f"{name}: line {number} is bad", line=number)
        return self.read(b"cut:" + content)

    def read(self, fragment: bytes) -> Cut:
        rows = len(fragment.removeprefix(b"cut:").splitlines())
        return Cut(("u1",), rows // 2, rows, NOON, NOON + timedelta(seconds=rows), fragment)


@dataclass
class InMemoryFleet:
    """The fleet table: records by workload, unit and time of the fault."""

    fuse: Fuse = field(default_factory=Fuse)
    items: dict[tuple[str, str, datetime | None], tuple[str, Record]] = field(default_factory=dict)

    def merge(self, workload: str, record: Record, order: str) -> bool:
        about = record.failed_at if isinstance(record, FaultRecord) else None
        key = (workload, record.unit, about)
        with self.fuse.around():
            if key in self.items and self.items[key][0] > order:
                return False
            self.items[key] = (order, record)
        return True

    def unit(self, workload: str, unit: str) -> UnitRecord | None:
        found = self.items.get((workload, unit, None))
        return found[1] if found and isinstance(found[1], UnitRecord) else None

    def faults(self, workload: str, unit: str) -> list[FaultRecord]:
        found = [
            record
            for (of, whose, _), (_, record) in self.items.items()
            if (of, whose) == (workload, unit) and isinstance(record, FaultRecord)
        ]
        return sorted((f for f in found if not f.withdrawn), key=lambda f: f.failed_at)


@dataclass
class InMemoryFleetFiles:
    """Files about a fleet, already read; each has as many bytes as rows, and one more."""

    content: dict[str, list[Row]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def size(self, ref: ObjectRef) -> int | None:
        found = self.content.get(ref.key)
        return None if found is None else self.sizes.get(ref.key, len(found) + 1)

    def rows(self, source: ObjectRef, columns: Iterable[str]) -> Iterable[Row]:
        return self.content[source.key]


@dataclass
class InMemoryClaims:
    """The table of claims."""

    fuse: Fuse = field(default_factory=Fuse)
    items: dict[str, Claim] = field(default_factory=dict)

    def claim(self, claim: Claim) -> Claim | None:
        with self.fuse.around():
            standing = self.items.get(claim_id(claim.source))
            if standing is None:
                self.items[claim_id(claim.source)] = claim
        return standing

    def get(self, claim_id: str) -> Claim | None:
        return self.items.get(claim_id)

    def renew(self, claim: Claim, now: datetime) -> Claim:
        known = self.items[claim_id(claim.source)]
        if known.claimed_at != claim.claimed_at or known.job_run_id is not None:
            raise Transient("was changed by somebody else")
        return self._write(replace(claim, claimed_at=now))

    def started(self, claim: Claim, job_run_id: str) -> Claim:
        return self._write(replace(claim, job_run_id=job_run_id))

    def announced(self, claim: Claim) -> None:
        self._write(replace(claim, announced=True))

    def reported(self, claim: Claim, job_run_id: str) -> None:
        self._write(replace(claim, reported=job_run_id))

    def _write(self, claim: Claim) -> Claim:
        with self.fuse.around():
            self.items[claim_id(claim.source)] = claim
        return claim


@dataclass
class InMemoryJob:
    """The Glue job: counts its runs."""

    fuse: Fuse = field(default_factory=Fuse)
    runs: list[dict[str, str]] = field(default_factory=list)

    def start(self, arguments: Mapping[str, str]) -> str:
        with self.fuse.around():
            self.runs.append(dict(arguments))
        return f"jr_{len(self.runs)}"

    def find(self, argument: str, value: str) -> str | None:
        for number, told in enumerate(self.runs, start=1):
            if told.get(argument) == value:
                return f"jr_{number}"
        return None


@dataclass
class InMemoryRuns:
    """Runs by identifier and their reports by run key."""

    told: dict[str, dict[str, str]] = field(default_factory=dict)
    reports: dict[str, RunReport] = field(default_factory=dict)

    def arguments(self, job_name: str, job_run_id: str) -> Mapping[str, str]:
        return self.told[job_run_id]

    def report(self, workload: str, run_key: str) -> RunReport | None:
        return self.reports.get(run_key)


@dataclass
class InMemoryManifests:
    """Manifests by key, and a history of so many files."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    files: int = 3

    def manifest(self, source: ObjectRef) -> Manifest:
        if source.key not in self.manifests:
            raise Rejected("bad-manifest", f"{source.key!r} is no manifest")
        return self.manifests[source.key]

    def count(self, prefix: str) -> int:
        return self.files


@dataclass
class KeptRejections:
    """Remembers what was parked."""

    bus: HeardBus = field(default_factory=HeardBus)
    fuse: Fuse = field(default_factory=Fuse)
    files: dict[str, Rejection] = field(default_factory=dict)
    events: dict[str, RejectedEvent] = field(default_factory=dict)

    def park(self, file: RejectedFile, at: datetime) -> None:
        self.keep(Rejection(**file.model_dump(), at=at))

    def keep(self, rejection: Rejection) -> None:
        with self.fuse.around():
            self.files[rejection.source.key] = rejection
        self.bus.emit(file_rejected(rejection))

    def keep_event(self, event_id: str, event: RejectedEvent) -> None:
        self.events[event_id] = event


@dataclass
class InMemoryModels:
    """Models in service by workload; one whose pointer is broken is an error."""

    models: dict[str, CurrentModel | Exception] = field(default_factory=dict)

    def current(self, workload: str) -> CurrentModel | None:
        found = self.models.get(workload)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class InMemoryRunTable:
    """Notes and runs; each transaction is one step."""

    fuse: Fuse = field(default_factory=Fuse)
    seen: set[tuple[str, str]] = field(default_factory=set)
    waiting: dict[tuple[str, str], Note] = field(default_factory=dict)
    opened: dict[str, OpenRun] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    given: dict[tuple[str, str], Note] = field(default_factory=dict)

    def note(self, workload: str, note: Note) -> bool:
        with self.fuse.around():
            new = (workload, note.id) not in self.seen
            if new:
                self.seen.add((workload, note.id))
                self.waiting[workload, note.slot] = note
        return new

    def due(self, workload: str, most: int) -> list[Note]:
        own = sorted(key for key in self.waiting if key[0] == workload)
        return [self.waiting[key] for key in own[:most]]

    def open_run(self, workload: str) -> OpenRun | None:
        return self.opened.get(workload)

    def begin(self, run: OpenRun) -> OpenRun:
        with self.fuse.around():
            if run.workload not in self.opened:
                self.opened[run.workload] = run
                self.runs[run.run] = run.workload
        return self.opened[run.workload]

    def take(self, run: OpenRun, slot: str) -> bool:
        with self.fuse.around():
            note = self.waiting.pop((run.workload, slot), None)
            if note is not None:
                self.given[run.run, slot] = note
        return (run.run, slot) in self.given

    def close(self, run: OpenRun) -> None:
        with self.fuse.around():
            if self.opened.get(run.workload) == run:
                del self.opened[run.workload]

    def workload_of(self, run: str) -> str | None:
        return self.runs.get(run)

    def taken(self, run: str) -> list[Note]:
        return [self.given[key] for key in sorted(self.given) if key[0] == run]


@dataclass
class InMemoryRequests:
    """Requests by run."""

    fuse: Fuse = field(default_factory=Fuse)
    written: dict[str, ScoringRequest] = field(default_factory=dict)

    def write(self, request: ScoringRequest) -> None:
        with self.fuse.around():
            self.written[request.run] = request


@dataclass
class InMemoryWindowsJobs:
    """Jobs by run; a second of the same run finds the first."""

    fuse: Fuse = field(default_factory=Fuse)
    jobs: dict[str, str] = field(default_factory=dict)

    def start(self, workload: str, run: str) -> None:
        with self.fuse.around():
            self.jobs.setdefault(run, workload)


@dataclass
class InMemoryWindows:
    """Manifests by run."""

    manifests: dict[str, WindowsManifest] = field(default_factory=dict)

    def manifest(self, workload: str, run: str) -> WindowsManifest | None:
        return self.manifests.get(run)


@dataclass
class InMemoryInference:
    """Models by name, and the run each job scores."""

    fuse: Fuse = field(default_factory=Fuse)
    models: set[str] = field(default_factory=set)
    jobs: dict[str, str] = field(default_factory=dict)

    def serve(self, model: CurrentModel) -> str:
        with self.fuse.around():
            self.models.add(model.schema_.version)
        return model.schema_.version

    def start(self, model_name: str, windows: WindowsManifest) -> None:
        assert model_name in self.models
        with self.fuse.around():
            self.jobs.setdefault(windows.run, model_name)


class UnguardedOnce:
    """Remembers nothing: what a door does when its table has forgotten."""

    def expect(self, context: Any) -> None:
        assert context.get_remaining_time_in_millis() > 0

    def run(self, key: str, work: Any) -> str:
        return str(work())


@dataclass
class LambdaContext:
    """What Lambda tells a handler about its invocation."""

    aws_request_id: str = "8c5e2f0a-1111-4222-8333-944445555666"
    function_name: str = "signalbox-door"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:signalbox-door"
    remaining_ms: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def sample(path: str) -> dict[str, Any]:
    """Return one of the events under ``events/``."""
    found: dict[str, Any] = json.loads((EVENTS / path).read_text())
    return found


def object_event(
    key: str,
    sequencer: str = "617f08299329d189",
    version: str | None = "v1",
    event: str = "aws.s3/object-created.json",
) -> dict[str, Any]:
    """Return a real event about another object."""
    found = sample(event)
    found["detail"]["object"] |= {"key": key, "sequencer": sequencer, "version-id": version}
    if version is None:
        del found["detail"]["object"]["version-id"]
    return found


def batch(*events: dict[str, Any] | str) -> dict[str, Any]:
    """Return an SQS batch around events, as Lambda hands it over (Developer Guide, SQS example)."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": event if isinstance(event, str) else json.dumps(event),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:RawFileQueue",
                "awsRegion": "eu-west-1",
            }
            for number, event in enumerate(events, start=1)
        ]
    }


def workload(name: str = "hvac", **changes: Any) -> Workload:
    """Return a small workload."""
    told: dict[str, Any] = {
        "name": name,
        "description": "A fleet under test",
        "owner": "fleet-engineering",
        "recording": {
            "timestamp": {"column": "ts", "unit": "ms"},
            "unit": {"column": "unit"},
            "max_bytes": 1000,
        },
        "cycles": {"running": {"signal": "power", "above": 0.8}, "max_gap_s": 300},
        "sensors": [{"name": "pressure"}],
    }
    return Workload.model_validate(told | changes)


def ref(key: str, sequencer: str = "617f08299329d189", version: str | None = "v1") -> ObjectRef:
    return ObjectRef(bucket=BUCKET, key=key, version_id=version, sequencer=sequencer)


def rejection(problem: Rejected, source: ObjectRef, at: datetime = NOON) -> Rejection:
    return rejection_of(problem, source, at)


def model_in_service(workload: str = "hvac", version: str = "v1") -> CurrentModel:
    """Return the pointer to a small model."""
    schema = ModelSchema.model_validate(
        {
            "workload": workload, "version": version, "columns": ["a__mean"],
            "features": ["a__mean", "a__mean__shift"], "window": 4, "time": "days", "horizon": 60,
            "grace": 30, "threshold": 0.9, "reference": 20, "smooth": 10, "dataset": "d" * 16,
        }
    )  # fmt: skip
    data = f"s3://{BUCKET}/models/{workload}/{version}/model.tar.gz"
    return CurrentModel(model_data=data, schema=schema)


def windows_manifest(run: str = "0" * 32, units: int = 2, **changes: Any) -> WindowsManifest:
    """Return what the windows program notes of a run that skipped one unit."""
    told: dict[str, Any] = {
        "workload": "hvac", "run": run, "model": model_in_service(),
        "parts": [f"windows/hvac/{run}/parts/part-00000.parquet"] if units else [],
        "units": units, "skipped": [{"unit": "C3", "reason": "no-cycles", "message": "none"}],
        "at": NOON,
    }  # fmt: skip
    return WindowsManifest.model_validate(told | changes)
