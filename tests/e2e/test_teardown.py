"""A deployment with everything in it is taken down: what goes, what stays, and what ended half way."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from cli.chain import running
from cli.teardown import LEFT, Teardown, paused_by, planned, run
from localcloud import Cloud
from tests.carded import ACCOUNTS
from tests.least import Permissions
from tests.places import Here
from tests.registered import Models
from tests.services import serving


class Deployed:
    """A cloud with a model that serves, its card and shares, and a run that goes on."""

    def __init__(self, cloud: Cloud, host: str, folder: Path) -> None:
        self.cloud, self.place = cloud, Here(cloud)
        self.models = Models(cloud, host, folder)
        self.models.operate(endpoint=True)
        for version in (1, 2):
            self.models.approve(self.models.register(version))

    def plan(self, *, data: bool = False) -> Teardown:
        def pause() -> None:
            self.cloud.run_for(timedelta(minutes=1))

        return paused_by(planned(self.place, data=data), pause)

    def tear_down(self, *, data: bool = False, yes: bool = True, answer: bool = False) -> Any:
        stream = io.StringIO()
        plan = self.plan(data=data)
        console = Console(file=stream, width=200)
        code = run(console, plan, "the local cloud", yes=yes, agreed=lambda: answer)
        return code, stream.getvalue()

    def begin(self) -> None:
        """Start a run of the batch pipeline, which has not come far."""
        sagemaker = self.cloud.client("sagemaker")
        told = sagemaker.describe_pipeline(PipelineName="signalbox-batch")
        asked = json.loads(told["PipelineDefinition"])["Parameters"]
        sagemaker.start_pipeline_execution(
            PipelineName="signalbox-batch", ClientRequestToken="0" * 32,
            PipelineParameters=[{"Name": each["Name"], "Value": "x"} for each in asked],
        )  # fmt: skip

    def there(self) -> dict[str, int]:
        return {each.title: len(each.named()) for each in self.plan(data=True).phases}

    def held(self) -> dict[str, int]:
        return {kind: count for kind, count in self.there().items() if count}


@pytest.fixture
def deployed(
    build: Path, executor: str, permissions: Permissions, tmp_path: Path,
) -> Iterator[Deployed]:  # fmt: skip
    with serving(201) as service, running(executor=executor, parameters=ACCOUNTS) as cloud:
        yield Deployed(cloud, service.host, tmp_path)
        permissions.granted |= set(cloud.granted)
        permissions.used |= cloud.used


FULL = {
    "run of a pipeline", "share of a model card", "permission to read cards", "model card", "endpoint",
    "alarm of an endpoint", "endpoint configuration", "model", "model package",
    "group of model packages", "content of a bucket",
}  # fmt: skip


def test_who_says_no_has_only_looked(deployed: Deployed):
    before = deployed.held()
    code, said = deployed.tear_down(yes=False, answer=False)
    assert code == LEFT
    assert "in this order" in said
    assert "Nothing was removed." in said
    assert "stays: the stack of the local cloud, which ends with `signalbox up`" in said
    assert f"stays: {deployed.models.bucket}, your data, which --data takes away" in said
    assert deployed.held() == before


def test_all_of_it_goes_and_nothing_comes_back(deployed: Deployed):
    deployed.begin()
    assert set(deployed.held()) == FULL
    code, said = deployed.tear_down()
    assert code == 0, said
    assert deployed.held() == {"content of a bucket": 1}
    deployed.cloud.run_for(timedelta(hours=2))  # mend_shares has looked meanwhile
    assert deployed.held() == {"content of a bucket": 1}
    code, said = deployed.tear_down(yes=False)
    assert (code, "Nothing is left to remove" in said) == (0, True)
    code, said = deployed.tear_down(data=True)
    assert code == 0, said
    deployed.cloud.run_for(timedelta(minutes=1))
    assert deployed.held() == {}


def test_what_ended_half_way_is_taken_up(deployed: Deployed):
    @contextmanager
    def forbidden(plan: Teardown, title: str) -> Iterator[Teardown]:
        """The same plan for somebody who may not remove one kind."""
        (phase,) = (each for each in plan.phases if each.title == title)
        refusal = {"Error": {"Code": "AccessDeniedException", "Message": "not you"}}

        def refuse(name: str) -> None:
            raise ClientError(refusal, "DeleteEndpoint")

        barred = type(phase)(phase.title, phase.named, refuse)
        phases = tuple(barred if each is phase else each for each in plan.phases)
        yield Teardown(phases, plan.kept, plan.pause)

    stream = io.StringIO()
    with forbidden(deployed.plan(), "endpoint") as plan:
        code = run(Console(file=stream, width=200), plan, "here", yes=True, agreed=lambda: False)
    assert code == LEFT
    assert "not removed: endpoint signalbox-hvac: not you" in stream.getvalue()
    assert "removed: 2 × model card" in stream.getvalue()
    assert deployed.held()["model"] == 2
    code, said = deployed.tear_down()
    assert code == 0, said
    assert "model card" not in said
