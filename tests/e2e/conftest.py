"""A fresh local cloud for each test, deployed from the built artefact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from cli.chain import Bucket, running
from cli.journeys import Journey, journeys, object_key
from cli.workloads import load, spec_of
from localcloud import Cloud
from tests.least import Permissions
from tests.recordings import hvac_recording


def stop_schedules(cloud: Cloud) -> None:
    """Let days go by without what happens by the clock."""
    scheduler, events = cloud.client("scheduler"), cloud.client("events")
    for each in scheduler.list_schedules()["Schedules"]:
        scheduler.delete_schedule(Name=each["Name"], GroupName=each["GroupName"])
    for rule in events.list_rules()["Rules"]:
        if "ScheduleExpression" in rule:
            events.disable_rule(Name=rule["Name"])


@dataclass(frozen=True)
class Chain:
    """The cloud under test, and short ways to look at it."""

    cloud: Cloud
    bucket: Bucket

    def run(self) -> None:
        self.cloud.run_until_idle()

    def journey(self, key: str) -> Journey:
        return next(j for j in journeys(self.cloud.journal) if j.key == key)

    def deliver_again(self, key: str) -> None:
        """Send the queue the first S3 event of this key once more, as at-least-once delivery may."""
        record = next(r for r in self.cloud.journal if object_key(r) == key)
        envelope = {
            "version": "0",
            "id": record.detail["event_id"],
            "detail-type": record.name,
            "source": "aws.s3",
            "account": "123456789012",
            "time": record.at.isoformat(),
            "region": "eu-west-1",
            "resources": record.detail["resources"],
            "detail": record.detail["detail"],
        }
        queue = self.cloud.physical_id("RawFileQueue")
        self.cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(envelope))

    def events(self, name: str) -> list[dict]:
        return [
            r.detail["detail"]
            for r in self.cloud.journal
            if r.kind == "event" and r.name == name and r.detail["source"] == "signalbox"
        ]

    def stop_schedules(self) -> None:
        stop_schedules(self.cloud)

    def doors(self) -> list[str]:
        return [r.name.split("-")[-1] for r in self.cloud.journal if r.kind == "invocation"]

    def features(self, workload: str = "hvac") -> pa.Table:
        return self.bucket.features(workload, spec_of(load(workload))).table


@pytest.fixture(scope="session")
def permissions(pytestconfig: pytest.Config) -> Permissions:
    """What the clouds of this session were granted and used (`tests.least` judges it)."""
    return pytestconfig.pluginmanager.get_plugin("least-privilege").seen


@pytest.fixture
def chain(build: Path, executor: str, permissions: Permissions) -> Iterator[Chain]:
    with running(executor=executor) as cloud:
        yield Chain(cloud, Bucket(cloud.client("s3"), cloud.physical_id("DataBucket")))
        permissions.granted |= set(cloud.granted)
        permissions.used |= cloud.used


@pytest.fixture(scope="session")
def hvac_file() -> Callable[..., bytes]:
    """A short hvac recording of one unit: a cycle every 400 rows; ``shift`` moves all readings."""
    return hvac_recording
