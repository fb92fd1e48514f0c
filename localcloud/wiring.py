"""What crosses the seams: the hooks moto calls, and the shapes both sides speak in.

`localcloud.seams` is the other side; nothing here knows moto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from localcloud.hosting import Hosting
from localcloud.operations import Operations
from localcloud.sharing import Sharing


@dataclass
class Call:
    """One request to an AWS API.

    Attributes:
        access_key: whose; None if it carries none.
        account: the account it is made in.
        region: the region it is made in.
        service: botocore's name of the service.
        operation: reads botocore's name of the operation.
        params: reads the parameters, as botocore's model names them.
        status: HTTP status of the answer, once there is one.
    """

    access_key: str | None
    account: str
    region: str
    service: str
    operation: Callable[[], str]
    params: Callable[[], Mapping[str, Any]]
    status: int = 200


class Refused(Exception):  # noqa: N818 - an answer to a request, no trouble of ours
    """Raised in `Hooks.called`: the request is answered with this error instead of being served.

    Attributes:
        code: AWS's error code, such as AccessDenied or ThrottlingException.
        status: the HTTP status that goes with it.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status or _STATUS.get(code, 400)


_STATUS = {
    "AccessDenied": 403, "AuthorizationError": 403, "InternalError": 500,
    "InternalException": 500, "InternalFailure": 500, "InternalServerError": 500,
    "InternalServiceException": 500, "ServiceException": 500, "ServiceUnavailable": 503,
    "SlowDown": 503, "TooManyRequestsException": 429,
}  # fmt: skip


@dataclass(frozen=True)
class Session:
    """Temporary credentials of a role: `arn` is the assumed role's, `policy` the session's own."""

    role_arn: str
    arn: str
    account: str
    policy: str


@dataclass(frozen=True)
class RolePolicies:
    """Policies of a role as JSON: whom it trusts, and its own and managed ones by name."""

    name: str
    trust: str
    inline: tuple[tuple[str, str], ...]
    managed: tuple[tuple[str, str], ...]


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
    size: int


class PayloadTooLarge(Exception):  # noqa: N818 - the service calls it RequestTooLargeException
    """A payload of Invoke is above the quota of its invocation type."""


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
    schedule: str | None = None


@dataclass(frozen=True)
class StoredSchedule:
    """A schedule of EventBridge Scheduler as it stands now; `target` in API shape."""

    name: str
    group: str
    arn: str
    expression: str
    timezone: str
    enabled: bool
    start: float | None  # epoch seconds
    end: float | None
    delete_after: bool
    target: Mapping[str, Any]


class Archive(Protocol):
    """An archive of events; `pattern` is its JSON, or None for all events."""

    name: str
    pattern: str | None
    retention_days: int  # 0 keeps events for ever
    events: list[dict[str, Any]]


class Replay(Protocol):
    """A replay of archived events, as the API tells of it; instants are epoch seconds."""

    name: str
    event_start: float
    event_end: float
    bus: str
    filter_arns: tuple[str, ...]

    @property
    def state(self) -> str:
        """STARTING, RUNNING, CANCELLING, CANCELLED, COMPLETED or FAILED."""

    def tell(self, state: str, **facts: Any) -> None:
        """Change what DescribeReplay says, such as EventLastReplayedTime."""


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

    def add_run(
        self, arguments: dict[str, str], facts: dict[str, Any], run_id: str | None = None
    ) -> str:
        """A new run, to be seen in GetJobRun(s) with these facts; returns its id."""

    def tell(self, run_id: str, **facts: Any) -> None:
        """Change what GetJobRun says of a run, such as JobRunState."""

    def refuse_concurrent(self) -> None:
        """Answer StartJobRun as Glue does above MaxConcurrentRuns: raises."""


class Hooks(Hosting, Operations, Sharing, Protocol):
    """What the local cloud does instead of moto. All may be called from any thread."""

    def instant(self) -> float:
        """Seconds since the epoch, virtual."""

    def stamp(self) -> datetime:
        """The virtual instant (aware, UTC), later at each call."""

    def real_time(self) -> bool:
        """Whether virtual time follows real time, so that waiting for it makes sense."""

    def called(self, call: Call) -> AbstractContextManager[None]:
        """A request is served on this thread inside this context; entering may raise `Refused`."""

    def object_created(self, stored: StoredObject, reason: str) -> None:
        """An object was created in a bucket that tells EventBridge."""

    def object_deleted(self, stored: StoredObject, deletion_type: str) -> None:
        """An object was deleted from a bucket that tells EventBridge."""

    def put_events(self, entries: list[dict[str, Any]], account: str) -> list[dict[str, Any]]:
        """PutEvents to a bus of an account: entries in, result entries out."""

    def check_rule(self, pattern: str | None, schedule: str | None) -> None:
        """PutRule is about to be done: raises Refused if it cannot be."""

    def matches(self, pattern: str, event: str) -> bool:
        """TestEventPattern; raises Refused for what is no pattern or no event."""

    def check_targets(self, bus: str, rule: str, targets: list[Mapping[str, Any]]) -> None:
        """PutTargets is about to be done: raises Refused if it cannot be."""

    def rule_put(self, bus: str, rule: str) -> None:
        """A rule was made or changed."""

    def check_schedule(self, expression: str, timezone: str, target: Mapping[str, Any]) -> None:
        """A schedule is about to be made or changed: raises Refused if it cannot be."""

    def schedule_put(self, group: str, name: str) -> None:
        """A schedule of EventBridge Scheduler was made or changed."""

    def start_replay(self, replay: Replay, archive: Archive) -> None:
        """StartReplay, found to be in order."""

    def check_replay(self, bus: str, filter_arns: list[str]) -> None:
        """StartReplay is about to be done: raises Refused if it cannot be."""

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

    def stop_job_runs(self, job: Job, run_ids: list[str]) -> dict[str, Any]:
        """Glue's BatchStopJobRun: returns its answer."""

    def create_sagemaker_job(self, kind: str, facts: dict[str, Any]) -> None:
        """SageMaker's Create…Job for a kind: Processing, Training or Transform.

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
