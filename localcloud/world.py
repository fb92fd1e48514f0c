"""What every part of a running cloud shares."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.chaos import Chaos, Disorder
from localcloud.clients import ADMIN_KEY, CONFIG, admin_client, session_with
from localcloud.clock import Clock, Task
from localcloud.deploy.stack import Stack
from localcloud.iam.guard import Guard
from localcloud.images import Image
from localcloud.journal import Journal
from localcloud.metrics import Metrics
from localcloud.seams import Monitoring, State
from localcloud.shares import Shares

ADMINISTRATOR = "Administrator"  # the role by which another account's administrator acts


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
        images: by image URI, with or without its tag, what is known of it.
        requests: how many requests the services were asked.
        uncounted: the thread whose requests are not counted, since it only looks.
        callers: by access key, the record that this key's requests are caused by.
        disorder: the faults of this run.
        guard: judges every request and delivery.
        faults: asked with a target's ARN before anything is handed over to it; one that raises
            DeliveryError makes the delivery fail as if the target had.
        administrators: access keys of the administrators of all accounts.
        metrics: what CloudWatch is told.
        shares: what AWS RAM keeps.
    """

    account: str
    region: str
    clock: Clock
    journal: Journal
    state: State
    stack: Stack
    endpoint: Callable[[], str]
    real_time: bool = False
    images: Mapping[str, Image] = field(default_factory=dict)
    requests: int = 0
    uncounted: int | None = None
    callers: dict[str, int | None] = field(default_factory=dict)
    disorder: Disorder = field(default_factory=lambda: Disorder(Chaos()))
    faults: list[Callable[[str], None]] = field(default_factory=list)
    administrators: set[str] = field(default_factory=lambda: {ADMIN_KEY})
    metrics: Metrics = field(init=False)
    shares: Shares = field(default_factory=Shares)
    _sessions: dict[str, Any] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)
    _random: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311

    def __post_init__(self) -> None:
        self.guard = Guard(self)
        self.metrics = Metrics(self.clock.now, Monitoring(self.account, self.region))

    def client(self, service: str, account: str | None = None) -> Any:
        """The boto3 client of an account's administrator; of this account's if none is named.

        Another account is there as soon as it is asked for: its administrator is a role of it that
        is assumed, so that whatever the client does is of that account.
        """
        if account is None or account == self.account:
            return admin_client(service, self.region)
        with self._making:
            found = self._clients.get((service, account))
            if found is None:
                found = self._clients[service, account] = self._session(account).client(
                    service, config=CONFIG
                )
            return found

    def _session(self, account: str) -> Any:
        if account not in self._sessions:
            given = self.client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/{ADMINISTRATOR}",
                RoleSessionName="local-cloud",
            )["Credentials"]
            self.administrators.add(given["AccessKeyId"])
            self._sessions[account] = session_with(
                self.region, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
            )
        return self._sessions[account]

    def hand_over(self, delivery: Task) -> None:
        """Put a delivery on the agenda: now and once, unless chaos has it late or twice."""
        for _ in range(self.disorder.copies()):
            self.clock.after(self.disorder.lateness(), delivery)

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
        """Send a message to a queue, as the service would."""
        account, name = queue_arn.split(":")[4:6]
        typed = {
            key: {"DataType": "String", "StringValue": value}
            for key, value in (attributes or {}).items()
        }
        url = f"https://sqs.{self.region}.amazonaws.com/{account}/{name}"
        self.client("sqs", account).send_message(
            QueueUrl=url, MessageBody=body, MessageAttributes=typed
        )


def iso_seconds(instant: datetime) -> str:
    """An instant as EventBridge writes it: 2021-11-12T00:00:00Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
