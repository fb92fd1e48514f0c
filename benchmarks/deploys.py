"""A fresh local cloud, deployed, against moto answering the same API calls and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import xform_name
from moto import mock_aws
from moto.moto_api._internal import mock_random

from benchmarks.figures import Figure, Ratio
from benchmarks.rounds import WARM_UP
from cli.build import BUILD
from cli.chain import LOCAL
from cli.ship import ship
from localcloud import Cloud
from localcloud.clients import admin_client

TARGET = 1.5
REGION = "eu-west-1"
SERVICES = (
    "cloudwatch", "dynamodb", "events", "glue", "iam", "kms", "lambda", "logs", "s3", "scheduler",
    "secretsmanager", "sns", "sqs", "ssm", "sts",
)  # fmt: skip
Call = tuple[str, str, dict[str, Any]]
_CONFIG: Any = {"core": {"mock_credentials": False, "reset_boto3_session": False}}


def deploys(folder: Path, rounds: int) -> list[Figure]:
    """Deploying a fresh cloud, and the same API calls on moto alone."""
    del folder
    with Cloud(BUILD) as cloud:
        shipped = ship(cloud.client("s3"), cloud.packages)
        parameters = {"ArtifactBucket": cloud.packages, **LOCAL, **shipped}
    calls: list[Call] = []
    with recorded(calls):
        _deploy(parameters)
    ratios, spent = [], []
    for k in range(WARM_UP + rounds):
        ours, theirs = _cpu_s(lambda: _deploy(parameters)), _cpu_s(lambda: _replay(calls))
        if k >= WARM_UP:
            ratios.append(ours / theirs)
            spent.append(ours)
    note = f"{len(calls)} calls, {Ratio.of(spent).median * 1e3:.0f} ms a deploy"
    name = "deploy of a fresh cloud / the same calls on moto"
    return [Figure(name, Ratio.of(ratios), "at most", TARGET, note=note)]


def _deploy(parameters: dict[str, Any]) -> None:
    with Cloud(BUILD) as cloud:
        cloud.deploy(parameters)


@contextmanager
def recorded(calls: list[Call]) -> Iterator[None]:
    """Note every call that the administrator makes."""
    services = {
        admin_client(name, REGION).meta.service_model.service_id.hyphenize(): name
        for name in SERVICES
    }

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = services[model.service_model.service_id.hyphenize()]
        calls.append((service, xform_name(model.name), dict(params)))

    clients = [admin_client(name, REGION) for name in SERVICES]
    for client in clients:
        client.meta.events.register("provide-client-params.*.*", note, unique_id="bench")
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("provide-client-params.*.*", unique_id="bench")


def _replay(calls: list[Call]) -> None:
    with mock_aws(config=_CONFIG):
        mock_random.seed(20)  # as the local cloud does: ids that calls name are the same ones
        for service, operation, params in calls:
            getattr(admin_client(service, REGION), operation)(**params)


def _cpu_s(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
