"""The only module that touches moto's internals.

moto keeps state and speaks the APIs. What it does wrong or not at all (delivery, invocations, job
runs: see docs/localcloud.md) is cut out here and handed to `Hooks`. Each cut is one line of
`SEAMS`, pinned to the signature it replaces, so that another moto fails loudly and readably.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import moto
from moto import mock_aws
from moto.awslambda.models import lambda_backends
from moto.core.responses import ActionResult
from moto.events.models import events_backends
from moto.glue.exceptions import ConcurrentRunsExceededException
from moto.glue.models import FakeJob, FakeJobRun
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sns.models import sns_backends
from moto.sqs.models import Queue, sqs_backends

from localcloud.cuts import Seam, cut, misfit
from localcloud.wiring import Hooks, Invoke, Received, StoredObject, StoredRule

MOTO_VERSION = "5.2.5"


class LocalJobRun(FakeJobRun):  # type: ignore[misc]
    """A Glue job run that tells its true state; `facts` are merged into the API's answer."""

    def __init__(self, job_name: str, arguments: dict[str, str], facts: dict[str, Any]) -> None:
        super().__init__(job_name=job_name, arguments=arguments)
        self.facts = facts

    def advance(self) -> None:
        """Looking at a run does not move it (moto's does)."""

    def as_dict(self) -> dict[str, Any]:
        """The JobRun structure of GetJobRun."""
        run = {"Id": self.job_run_id, "JobName": self.job_name, "Arguments": self.arguments}
        return {**run, **self.facts}


class StoredJob:
    """A Glue job as moto keeps it (a `wiring.Job`)."""

    def __init__(self, fake: FakeJob) -> None:
        self._fake = fake

    @property
    def definition(self) -> dict[str, Any]:
        """The Job structure of GetJob."""
        definition: dict[str, Any] = self._fake.as_dict()
        return {**definition, "NonOverridableArguments": self._fake.non_overridable_arguments}

    def add_run(self, arguments: dict[str, str], facts: dict[str, Any]) -> str:
        """A new run, to be seen in GetJobRun(s) with these facts; returns its id."""
        run = LocalJobRun(self._fake.name, arguments, facts)
        self._fake.job_runs.append(run)
        return str(run.job_run_id)

    def tell(self, run_id: str, **facts: Any) -> None:
        """Change what GetJobRun says of a run, such as JobRunState."""
        next(run for run in self._fake.job_runs if run.job_run_id == run_id).facts.update(facts)

    def states(self) -> list[str]:
        """The JobRunState of every run."""
        return [str(run.facts["JobRunState"]) for run in self._fake.job_runs]

    def refuse_concurrent(self) -> None:
        """Answer StartJobRun as Glue does above MaxConcurrentRuns."""
        raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {self._fake.name}")


# -- what moto calls instead of its own ------------------------------------------------------------

_REASONS = {
    "s3:ObjectCreated:Put": "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}


def _stored(bucket: Any, key: Any) -> StoredObject:
    version = key.version_id if bucket.is_versioned else None
    return StoredObject(bucket.name, key.name, key.etag.strip('"'), key.size, version)


def _tells_eventbridge(bucket: Any) -> bool:
    configured = bucket.notification_configuration
    return configured is not None and configured.event_bridge is not None


def _send_event(hooks: Hooks, account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
    del account_id
    reason = _REASONS.get(str(event_name.value))
    # moto completes a multipart upload through put_object and then tells it a second time; it
    # also tells of tags on every put. Removals come through delete_object, which knows more.
    repeated = reason == "PutObject" and key.multipart is not None
    if reason is not None and not repeated and _tells_eventbridge(bucket):
        hooks.object_created(_stored(bucket, key), reason)


EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def _delete_object(
    hooks: Hooks,
    original: Callable[..., tuple[bool, dict[str, Any]]],
    self: Any,
    bucket_name: str,
    key_name: str,
    version_id: str | None = None,
    bypass: bool = False,
) -> tuple[bool, dict[str, Any]]:
    bucket = self.get_bucket(bucket_name)
    before = {str(key.version_id): key for key in bucket.keys.getlist(key_name, [])}
    done, meta = original(self, bucket_name, key_name, version_id, bypass)
    if not done or not _tells_eventbridge(bucket):
        return done, meta
    if bucket.is_versioned and version_id is None:
        marker = StoredObject(bucket_name, key_name, EMPTY_MD5, None, str(meta["version-id"]))
        hooks.object_deleted(marker, "Delete Marker Created")
        return done, meta
    gone = before.get(str(version_id)) if bucket.is_versioned else next(iter(before.values()), None)
    if gone is not None:
        etag = getattr(gone, "etag", EMPTY_MD5).strip('"')
        stored = StoredObject(bucket_name, key_name, etag, None, version_id)
        hooks.object_deleted(stored, "Permanently Deleted")
    return done, meta


def _put_events(hooks: Hooks, original: Any, self: Any, events: list[dict[str, Any]]) -> Any:
    if len(events) > 10:
        return original(self, events)  # moto words AWS's refusal
    return hooks.put_events(events)


def _add_message(hooks: Hooks, original: Any, self: Any, message: Any) -> None:
    self.lambda_event_source_mappings.clear()  # moto would invoke inside send_message
    original(self, message)
    hooks.message_added(str(self.queue_arn), str(message.id))


def _seconds(hooks: Hooks) -> float:
    return hooks.instant()


def _milliseconds(hooks: Hooks) -> float:
    return hooks.instant() * 1000.0


def _receive_message(
    hooks: Hooks, original: Any, self: Any, queue_name: str, count: int, wait_seconds_timeout: int,
    *rest: Any, **named: Any,
) -> Any:  # fmt: skip
    wait = wait_seconds_timeout if hooks.real_time() else 0  # virtual time stands still meanwhile
    return original(self, queue_name, count, wait, *rest, **named)


def _invoke(
    hooks: Hooks, original: Any, self: Any, function_name: str, qualifier: str | None, body: Any,
    headers: Any, response_headers: Any,
) -> bytes:  # fmt: skip
    del original
    function = self.get_function(function_name, qualifier)
    kind = headers.get("x-amz-invocation-type") or "RequestResponse"
    payload = json.loads(body) if body else {}
    answer = hooks.invoke(Invoke(str(function.function_name), payload, str(kind)))
    if answer is None:
        response_headers["Content-Length"] = "0"
        return b""
    if answer.error:
        response_headers["x-amz-function-error"] = answer.error
    response_headers["Content-Length"] = str(len(answer.payload.encode()))
    return answer.payload.encode()


def _start_job_run(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    job = StoredJob(self.glue_backend.get_job(self._get_param("JobName")))
    return ActionResult({"JobRunId": hooks.start_job_run(job, dict(self.parameters))})


def _authorize(
    hooks: Hooks, original: Any, self: Any, iam_request_cls: type, resource: str = "*"
) -> None:
    del original, iam_request_cls, resource
    hooks.called(self.access_key)


# -- the cuts --------------------------------------------------------------------------------------


SEAMS = (
    Seam("moto.s3.notifications", "send_event", "(account_id, event_name, bucket, key)",
         _send_event, plain=True),
    Seam("moto.s3.models:S3Backend", "delete_object",
         "(self, bucket_name, key_name, version_id=None, bypass=False)", _delete_object),
    Seam("moto.events.models:EventsBackend", "put_events", "(self, events)", _put_events),
    Seam("moto.sqs.models:Queue", "add_message", "(self, message)", _add_message),
    Seam("moto.sqs.models:SQSBackend", "receive_message",
         "(self, queue_name, count, wait_seconds_timeout, visibility_timeout, "
         "message_attribute_names=None)", _receive_message),
    Seam("moto.sqs.models", "unix_time", "(dt=None)", _seconds, plain=True),
    Seam("moto.sqs.models", "unix_time_millis", "(dt=None)", _milliseconds, plain=True),
    Seam("moto.awslambda.models:LambdaBackend", "invoke",
         "(self, function_name, qualifier, body, headers, response_headers)", _invoke),
    Seam("moto.glue.responses:GlueResponse", "start_job_run", "(self)", _start_job_run),
    Seam("moto.core.authorization:ActionAuthenticatorMixin", "_authenticate_and_authorize_action",
         "(self, iam_request_cls, resource='*')", _authorize),
)  # fmt: skip


_CONFIG: Any = {"core": {"mock_credentials": False, "reset_boto3_session": False}}
_running = threading.Lock()


@contextmanager
def moto_running(hooks: Hooks) -> Iterator[None]:
    """moto in this process with our seams cut: empty state before and after.

    Raises:
        RuntimeError: moto is not the version the seams were cut for, or another cloud runs in
            this process (moto's state is one per process).
    """
    if not _running.acquire(blocking=False):
        raise RuntimeError("another local cloud runs in this process: close it first")
    try:
        misfits = [reason for seam in SEAMS if (reason := misfit(seam, moto.__version__))]
        if moto.__version__ != MOTO_VERSION or misfits:
            message = f"the seams fit moto {MOTO_VERSION}, not {moto.__version__}: {misfits}"
            raise RuntimeError(message)
        with cut(SEAMS, hooks), mock_aws(config=_CONFIG):
            mock_random.seed(20)  # ids equal from run to run
            yield
    finally:
        _running.release()


class QuietHandler(MotoRequestHandler):  # type: ignore[misc]
    """Answers for the endpoint; what matters is in the journal, so nothing goes to stderr."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def application() -> Any:
    """moto's WSGI application: every service behind one address."""
    return DomainDispatcherApplication(create_backend_app)


# -- reading and writing state that the APIs do not show -------------------------------------------


class State:
    """moto's state of one account and region, where boto3 is too slow or too blind."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def rules(self, bus: str) -> list[StoredRule]:
        """The rules of a bus, disabled ones too; empty if there is no such bus."""
        found = events_backends[self._account][self._region].event_buses.get(bus)
        return [
            StoredRule(
                rule.name,
                rule.arn,
                rule.state == "ENABLED",
                rule.event_pattern.dump(),
                tuple(rule.targets),
            )
            for rule in (list(found.rules.values()) if found else [])
        ]

    def has_bus(self, bus: str) -> bool:
        """Whether there is a bus of this name."""
        return bus in events_backends[self._account][self._region].event_buses

    def function_policy(self, name: str) -> list[dict[str, Any]] | None:
        """The statements of a function's resource policy; None if there is no such function."""
        functions = lambda_backends[self._account][self._region].list_functions()
        found = next((each for each in functions if each.function_name == name), None)
        return None if found is None else list(found.policy.statements)

    def topic_policy(self, arn: str) -> list[dict[str, Any]] | None:
        """The statements of a topic's policy; None if there is no such topic."""
        topic = sns_backends[self._account][self._region].topics.get(arn)
        return None if topic is None else list(json.loads(topic.policy)["Statement"])

    def queue_policy(self, arn: str) -> list[dict[str, Any]] | None:
        """The statements of a queue's policy; None if there is no such queue."""
        queue = self._queue(arn)
        if queue is None:
            return None
        return list(json.loads(queue.policy)["Statement"]) if queue.policy else []

    def _queue(self, arn: str) -> Queue | None:
        queues = sqs_backends[self._account][self._region].queues
        return queues.get(arn.rsplit(":", 1)[-1])

    def receive(
        self, arn: str, count: int, visibility_s: int, most_bytes: int
    ) -> tuple[list[Received], list[tuple[str, str]]]:
        """Take up to `count` visible messages of together `most_bytes`; move those taken too often.

        Returns:
            The messages, and (message id, dead-letter queue ARN) of each one moved.
        """
        queue = self._queue(arn)
        taken: list[Received] = []
        moved: list[tuple[str, str]] = []
        size = 0
        if queue is None:
            return taken, moved
        for message in queue.messages:
            dead, redrive = queue.dead_letter_queue, queue.redrive_policy
            if dead is not None and message.approximate_receive_count >= redrive["maxReceiveCount"]:
                with vars(queue)["_messages_lock"]:
                    _held(queue).remove(message)
                dead.add_message(message)
                moved.append((message.id, dead.queue_arn))
            elif len(taken) < count and (size := size + len(message.body)) <= most_bytes:
                queue.pending_messages.add(message)
                message.mark_received(visibility_timeout=visibility_s)
                taken.append(_received(message))
        return taken, moved

    def delete(self, arn: str, receipt_handle: str) -> None:
        """Delete a message that was received; deleting one that is gone does nothing."""
        queue = self._queue(arn)
        if queue is None:
            return
        with vars(queue)["_messages_lock"]:  # moto's own delete would lose what arrives meanwhile
            if any(message.had_receipt_handle(receipt_handle) for message in _held(queue)):
                queue.delete_message(receipt_handle)

    def waiting(self, arn: str) -> list[float]:
        """For each message in the queue, the instant (epoch seconds) from which it can be taken."""
        queue = self._queue(arn)
        messages = _held(queue) if queue is not None else []
        return [max(m.visible_at, m.delayed_until) / 1000.0 for m in messages]

    def know_managed_policy(self, arn: str) -> bool:
        """Make one of AWS's managed policies attachable; False if AWS has none of this ARN."""
        backend = iam_backends[self._account]["aws"]
        name = arn.rsplit("/", 1)[-1]
        data = _managed_policies().get(name)
        if data is None:
            return False
        policy = AWSManagedPolicy.from_data(name, self._account, self._region, data)
        backend.managed_policies.setdefault(policy.arn, policy)
        return bool(policy.arn == arn)


def _held(queue: Queue) -> list[Any]:
    """All messages of a queue, visible or not: moto's own list."""
    messages: list[Any] = vars(queue)["_messages"]
    return messages


@cache
def _managed_policies() -> dict[str, Any]:
    return dict(json.loads(aws_managed_policies_data))


def _received(message: Any) -> Received:
    return Received(
        message_id=message.id,
        receipt_handle=message.receipt_handle,
        body=message.body,
        md5=message.body_md5,
        attributes={
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        message_attributes=dict(message.message_attributes),
    )
