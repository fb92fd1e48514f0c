"""What crosses the seams: the hooks moto calls, and the shapes both sides speak in.

`localcloud.seams` is the other side; nothing here knows moto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class StoredObject:
    """What an S3 event says about an object; `size` is None for deletions, `account` its owner."""

    bucket: str
    key: str
    etag: str
    size: int | None
    version_id: str | None
    account: str


@dataclass(frozen=True)
class Invoke:
    """One call of Lambda's Invoke API: `kind` is RequestResponse, Event or DryRun."""

    function_name: str
    payload: Any
    kind: str


@dataclass(frozen=True)
class Invoked:
    """The answer to a synchronous Invoke; `error` is the X-Amz-Function-Error header."""

    payload: str
    error: str | None


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


class RefusedError(Exception):
    """A request that cannot be served; the text is the message of the service's error."""


class Job(Protocol):
    """A Glue job and its runs, as the API tells of them."""

    @property
    def definition(self) -> dict[str, Any]:
        """The Job structure of GetJob."""

    def add_run(
        self, arguments: dict[str, str], facts: dict[str, Any], run_id: str | None = None
    ) -> str:
        """A new run, to be seen in GetJobRun(s) with these facts; returns its id."""

    def tell(self, run_id: str, **facts: Any) -> None:
        """Change what GetJobRun says of a run, such as JobRunState."""

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

    def put_events(self, entries: list[dict[str, Any]], account: str) -> list[dict[str, Any]]:
        """PutEvents to a bus of an account: entries in, result entries out."""

    def message_added(self, queue_arn: str, message_id: str) -> None:
        """A message arrived in a queue."""

    def invoke(self, call: Invoke) -> Invoked | None:
        """Lambda's Invoke; None where nothing is awaited."""

    def start_job_run(self, job: Job, request: Mapping[str, Any]) -> str:
        """Glue's StartJobRun: returns the run id."""

    def stop_job_runs(self, job: Job, run_ids: list[str]) -> dict[str, Any]:
        """Glue's BatchStopJobRun: returns its answer."""

    def create_sagemaker_job(self, kind: str, facts: dict[str, Any]) -> None:
        """SageMaker's Create…Job for a kind, Processing or Training.

        Args:
            kind: how the API's names begin.
            facts: what Describe answers, from the request; changed as the job goes on.

        Raises:
            RefusedError: it is not begun.
        """

    def stop_sagemaker_job(self, kind: str, facts: Mapping[str, Any]) -> None:
        """SageMaker's Stop…Job.

        Raises:
            RefusedError: it is over.
        """
