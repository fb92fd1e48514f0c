"""What crosses the seams: the hooks moto calls, and the shapes both sides speak in.

`localcloud.seams` is the other side; nothing here knows moto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class StoredObject:
    """What an S3 event says about an object; `size` is None for deletions."""

    bucket: str
    key: str
    etag: str
    size: int | None
    version_id: str | None


@dataclass(frozen=True)
class HeldMessage:
    """A message lying in a queue: everything moto keeps of it, times in milliseconds."""

    message_id: str
    body: str
    sent_ms: int
    first_received_ms: int | None
    received: int
    visible_at_ms: float
    delayed_until_ms: float
    message_attributes: Mapping[str, Mapping[str, Any]]
    system_attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Invoke:
    """One call of Lambda's Invoke API: `kind` is RequestResponse, Event or DryRun."""

    function_name: str
    payload: Any
    kind: str


@dataclass(frozen=True)
class Invoked:
    """The answer to a synchronous Invoke; `error` is the X-Amz-Function-Error header, `log` what
    the function printed, of which X-Amz-Log-Result is the last 4 KB.
    """

    payload: str
    error: str | None
    log: str = ""


@dataclass(frozen=True)
class StoredRule:
    """An EventBridge rule as it stands now: `pattern` is its JSON, `targets` in API shape."""

    name: str
    arn: str
    enabled: bool
    pattern: str | None
    targets: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Received:
    """A message taken from a queue; `attributes` are SQS's system attributes, as text."""

    message_id: str
    receipt_handle: str
    body: str
    md5: str
    attributes: Mapping[str, str]
    message_attributes: Mapping[str, Mapping[str, Any]]


class Job(Protocol):
    """A Glue job and its runs, as the API tells of them."""

    @property
    def definition(self) -> dict[str, Any]:
        """The Job structure of GetJob."""

    def add_run(self, arguments: dict[str, str], facts: dict[str, Any]) -> str:
        """A new run, to be seen in GetJobRun(s) with these facts; returns its id."""

    def tell(self, run_id: str, **facts: Any) -> None:
        """Change what GetJobRun says of a run, such as JobRunState."""

    def states(self) -> list[str]:
        """The JobRunState of every run."""

    def refuse_concurrent(self) -> None:
        """Answer StartJobRun as Glue does above MaxConcurrentRuns: raises."""


class Hooks(Protocol):
    """What the local cloud does instead of moto. All may be called from any thread."""

    def instant(self) -> float:
        """Seconds since the epoch, virtual."""

    def real_time(self) -> bool:
        """Whether virtual time follows real time, so that waiting for it makes sense."""

    def called(self, access_key: str | None) -> None:
        """A request with this access key is about to be served on this thread."""

    def object_created(self, stored: StoredObject, reason: str) -> None:
        """An object was created in a bucket that tells EventBridge."""

    def object_deleted(self, stored: StoredObject, deletion_type: str) -> None:
        """An object was deleted from a bucket that tells EventBridge."""

    def put_events(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """PutEvents: entries in, result entries out."""

    def message_added(self, queue_arn: str, message_id: str) -> None:
        """A message arrived in a queue."""

    def invoke(self, call: Invoke) -> Invoked | None:
        """Lambda's Invoke; None where nothing is awaited."""

    def start_job_run(self, job: Job, request: Mapping[str, Any]) -> str:
        """Glue's StartJobRun: returns the run id."""
