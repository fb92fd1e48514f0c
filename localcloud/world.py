"""What every part of a running cloud shares."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.clients import admin_client
from localcloud.clock import Clock
from localcloud.deploy.stack import Stack
from localcloud.journal import Journal
from localcloud.seams import State


@dataclass
class World:
    """One account and region with its time, trace and state.

    Attributes:
        account: account id.
        region: region.
        clock: virtual time and agenda.
        journal: causal trace.
        state: moto's state.
        stack: what was deployed.
        endpoint: gives the URL for other processes, starting the server when first asked.
        real_time: whether virtual time follows real time.
        requests: how many requests the services were asked.
        uncounted: the thread whose requests are not counted, since it only looks.
        callers: by access key, the record that this key's requests are caused by.
    """

    account: str
    region: str
    clock: Clock
    journal: Journal
    state: State
    stack: Stack
    endpoint: Callable[[], str]
    real_time: bool = False
    requests: int = 0
    uncounted: int | None = None
    callers: dict[str, int | None] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311

    def client(self, service: str) -> Any:
        """The administrator's boto3 client."""
        return admin_client(service, self.region)

    def new_id(self) -> str:
        """A UUID, the same from run to run."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def reseed(self, source: random.Random) -> None:
        """Make other ids from now on than a cloud that begins does."""
        self._random = source

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def send(self, queue_arn: str, body: str, attributes: dict[str, str] | None = None) -> None:
        """Send a message to a queue of this account, as the service would."""
        name = queue_arn.rsplit(":", 1)[-1]
        typed = {
            key: {"DataType": "String", "StringValue": value}
            for key, value in (attributes or {}).items()
        }
        url = f"https://sqs.{self.region}.amazonaws.com/{self.account}/{name}"
        self.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)


def iso_seconds(instant: datetime) -> str:
    """An instant as EventBridge writes it: 2021-11-12T00:00:00Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
