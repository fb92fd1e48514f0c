"""Handing something over to a target until it is taken, or buried in a dead-letter queue.

Shared by rules of event buses and by EventBridge Scheduler, which name the same policies. Citations:
"How EventBridge retries delivering events" and "Using dead-letter queues to process undelivered
events" of the EventBridge User Guide, "Managing a schedule" of the Scheduler's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeliveryError
from localcloud.world import World

_MOST_RETRIES = 185
_LONGEST_AGE_S = 24 * 3600
# the service says only "exponential back off and jitter, or randomized delay"; with these bounds
# its default of 185 retries just fits into its default of 24 hours
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 1.0, 480.0


@dataclass(frozen=True)
class DeadLetter:
    """What is left of a delivery that failed for good.

    Attributes:
        queue: ARN of the dead-letter queue, "" if there is none.
        check: raises DeliveryError if the queue does not take messages from this sender.
        body: the message.
        attributes: message attributes that say whose it is; those about the error are added.
    """

    queue: str
    check: Callable[[], None]
    body: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Delivery:
    """One thing on its way to one target.

    Attributes:
        target: the target's ARN.
        facts: for the journal.
        hand_over: tries once, given the number of the attempt (from 1); raises DeliveryError.
        policy: the target's RetryPolicy.
        dead_letter: where it ends if nobody takes it.
        cause: the record it comes from.
        since: when it was first due.
        resume: takes it up again in another cloud, given `since` and `retries`; its arguments are
            data. None where nobody can.
        retries: how often it was tried again.
    """

    target: str
    facts: Mapping[str, Any]
    hand_over: Callable[[int], None]
    policy: Mapping[str, int]
    dead_letter: DeadLetter
    cause: int | None
    since: datetime
    resume: partial[None] | None = None
    retries: int = 0


class Deliveries:
    """All deliveries under way.

    Args:
        world: the cloud.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def begin(self, delivery: Delivery) -> None:
        """Put a delivery on the agenda."""
        self._world.hand_over(partial(self.attempt, delivery))

    def attempt(self, delivery: Delivery) -> None:
        """Try now; again later where that may help."""
        name = delivery.target.rsplit(":", 1)[-1]
        with self._world.journal.entry("delivery", name, cause=delivery.cause) as entry:
            attempt = delivery.retries + 1
            entry.detail.update(target=delivery.target, attempt=attempt, **delivery.facts)
            self._count(delivery, "Invocations" if attempt == 1 else "RetryInvocationAttempts")
            try:
                delivery.hand_over(attempt)
            except DeliveryError as error:
                entry.status = "failed"
                entry.detail.update(error=error.code, message=str(error))
                self._failed(delivery, error)

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        policy = delivery.policy
        most = int(policy.get("MaximumRetryAttempts", _MOST_RETRIES))
        oldest = timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", _LONGEST_AGE_S)))
        backoff = min(_FIRST_BACKOFF_S * 2**delivery.retries, _LONGEST_BACKOFF_S)
        now = self._world.clock.now()
        if not error.retryable:
            self._bury(delivery, error, None)
        elif delivery.retries >= most:
            self._bury(delivery, error, "MaximumRetryAttempts")
        elif now + timedelta(seconds=backoff) - delivery.since > oldest:
            self._bury(delivery, error, "MaximumEventAgeInSeconds")
        else:
            again = replace(delivery, retries=delivery.retries + 1)
            self._world.clock.after(backoff, partial(self.attempt, again))

    def _bury(self, delivery: Delivery, error: DeliveryError, exhausted: str | None) -> None:
        dead = delivery.dead_letter
        name = dead.queue.rsplit(":", 1)[-1] or "none"
        self._count(delivery, "FailedInvocations")
        with self._world.journal.entry("dead-letter", name) as entry:
            entry.detail.update(queue=dead.queue, error=error.code, **delivery.facts)
            attributes = {
                **dead.attributes,
                "TARGET_ARN": delivery.target,
                "ERROR_CODE": error.code,
                "ERROR_MESSAGE": str(error),
                "RETRY_ATTEMPTS": str(delivery.retries),
            }
            if exhausted is not None:
                attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
            try:
                dead.check()
                self._world.send(dead.queue, dead.body, attributes)
            except (DeliveryError, ClientError) as lost:
                entry.status = "lost"
                entry.detail["message"] = str(lost)
                if dead.queue:
                    self._count(delivery, "InvocationsFailedToBeSentToDlq")
            else:
                self._count(delivery, "InvocationsSentToDlq")

    def _count(self, delivery: Delivery, metric: str) -> None:
        """A metric of AWS/Events ("Monitoring Amazon EventBridge" of the User Guide)."""
        if "rule" in delivery.facts:
            rule = {"RuleName": str(delivery.facts["rule"])}
            self._world.metrics.put("AWS/Events", metric, rule, 1, "Count")
