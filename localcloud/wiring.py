"""What crosses the seams: the hooks moto calls, and the shapes both sides speak in.

`localcloud.seams` is the other side; nothing here knows moto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True)
class Held:
    """A message that is in a queue: instants in seconds since the epoch."""

    sent: float
    visible_at: float
    delayed_until: float


@dataclass(frozen=True)
class Published:
    """A message published to a topic.

    Attributes:
        topic_arn: the topic.
        message: the body.
        subject: None if there is none.
        attributes: message attributes by name, each with Type and Value (text; Binary in base64).
        structured: whether the body is JSON with one text for each protocol.
    """

    topic_arn: str
    message: str
    subject: str | None = None
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    structured: bool = False


@dataclass(frozen=True)
class StoredSubscription:
    """A subscription as it stands now; `dead_letter_arn` is empty if there is none."""

    arn: str
    protocol: str
    endpoint: str
    raw: bool
    filter_policy: str | None
    filter_scope: str
    dead_letter_arn: str


@dataclass(frozen=True)
class StoredAlarm:
    """A metric alarm as it stands now, in the words of DescribeAlarms.

    Attributes:
        period: seconds; a multiple of 60.
        datapoints: DatapointsToAlarm (M), of `periods` EvaluationPeriods (N).
        statistic: Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99.
        missing: TreatMissingData: missing, ignore, breaching or notBreaching.
        actions: ARNs by the state whose beginning runs them; empty while actions are disabled.
    """

    name: str
    arn: str
    description: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    unit: str | None
    period: int
    periods: int
    datapoints: int
    comparison: str
    threshold: float
    missing: str
    actions_enabled: bool
    actions: Mapping[str, tuple[str, ...]]
    configured: datetime
    state: str
    reason: str
    reason_data: str
    since: datetime


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

    def published(self, message: Published) -> str:
        """A message was published to a topic: returns its id."""

    def metric_data(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """PutMetricData: MetricDatum structures."""

    def metrics_read(self) -> None:
        """Metrics are about to be read."""

    def alarm_changed(self, name: str) -> None:
        """An alarm was made, changed or given another state through the API."""

    def queue_used(self, queue_arn: str, metric: str | None = None, count: int = 1) -> None:
        """A queue was used: what it holds may be different. `metric` counts `count` messages."""

    def message_added(self, queue_arn: str, message_id: str) -> None:
        """A message arrived in a queue."""

    def invoke(self, call: Invoke) -> Invoked | None:
        """Lambda's Invoke; None where nothing is awaited."""

    def start_job_run(self, job: Job, request: Mapping[str, Any]) -> str:
        """Glue's StartJobRun: returns the run id."""
