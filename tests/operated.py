"""Fakes and samples of operated models: pipelines, their runs, what was told and retuned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from localcloud import Cloud
from signalbox.adapters.dataset_table import DatasetTable
from signalbox.contracts.datasets import Consumed, Trained
from signalbox.contracts.pipelines import PipelineChange, StepChange
from signalbox.contracts.workload import Workload
from signalbox.domain.retune_guard import Decision
from signalbox.domain.telling import LEASE, Claim
from signalbox.errors import NotDeployed
from tests.fakes import NOON, Fuse, sample, workload

OWNER = "owner@example.com"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/"
TRAIN = "signalbox-example-train"
TRAINED = Consumed(
    run="a" * 32, inputs="s3://data/operations/hvac/a/inputs.json", at=NOON, execution="arn:train/a"
)
STEP_EVENT = "aws.sagemaker/pipeline-execution-step-status-change.quality.json"
RUN_EVENT = "aws.sagemaker/pipeline-execution-status-change.failed.json"


REASON = "rmse is 3.1, at most 2.5 is asked: not good enough"
_CHECK = {"Name": "ModelQuality", "Type": "Fail", "Arguments": {"ErrorMessage": REASON}}
_NOTHING = {
    "Name": "Nothing", "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": [], "ElseSteps": [],
    },
}  # fmt: skip


def own(cloud: Cloud, **operations: Any) -> None:
    """Ship workloads in which hvac has an owner; doors that have read the others keep those."""
    configuration = cloud.client("lambda").get_function_configuration(
        FunctionName=cloud.physical_id("OnPipelineChange")
    )
    told = configuration["Environment"]["Variables"]
    place = {"Bucket": told["ARTIFACT_BUCKET"], "Key": told["WORKLOADS_KEY"]}
    s3 = cloud.client("s3")
    workloads = json.loads(s3.get_object(**place)["Body"].read())
    workloads["hvac"]["operations"] = {"owner": OWNER, "card": {"purpose": "a test"}} | operations
    s3.put_object(**place, Body=json.dumps(workloads).encode())


def shorten(cloud: Cloud) -> None:
    """Put short pipelines in the place of the cloud's own: a check that fails, and nothing to tune."""
    for name, step, parameters in (
        ("BatchPipeline", _CHECK, ("Workload", "Run")),
        ("TunePipeline", _NOTHING, ("Workload", "Run", "Inputs")),
    ):
        asked = [{"Name": each, "Type": "String"} for each in parameters]
        definition = {"Version": "2020-12-01", "Parameters": asked, "Steps": [step]}
        cloud.client("sagemaker").update_pipeline(
            PipelineName=cloud.physical_id(name), PipelineDefinition=json.dumps(definition)
        )


def note_trained(cloud: Cloud) -> None:
    """A training run succeeded, as on_pipeline_change notes it."""
    table = DatasetTable(cloud.physical_id("OperationsTable"), cloud.client("dynamodb"))
    consumed = Consumed(
        run="a" * 32, inputs="s3://x/inputs.json", at=cloud.now(), execution="arn:train/a"
    )
    table.remember("trained", "hvac", consumed)


def predict(cloud: Cloud, run: str, workload: str = "hvac") -> str:
    """Start a batch run; return its ARN."""
    told = {"Workload": workload, "Run": run}
    started = cloud.client("sagemaker").start_pipeline_execution(
        PipelineName=cloud.physical_id("BatchPipeline"), ClientRequestToken=run,
        PipelineParameters=[{"Name": name, "Value": value} for name, value in told.items()],
    )  # fmt: skip
    return str(started["PipelineExecutionArn"])


@dataclass
class InMemoryLedger:
    """What was told, and who is at it."""

    fuse: Fuse = field(default_factory=Fuse)
    items: dict[str, datetime | None] = field(default_factory=dict)

    def claim(self, thing: str, now: datetime) -> Claim:
        standing = self.items.get(thing, now - LEASE)
        if standing is None:
            return "told"
        if standing > now - LEASE:
            return "held"
        with self.fuse.around():
            self.items[thing] = now
        return "claimed"

    def note(self, thing: str) -> None:
        with self.fuse.around():
            self.items[thing] = None


@dataclass
class InMemoryRetunes:
    """What was decided and started; ``meanwhile`` happens once, between looking and deciding."""

    fuse: Fuse = field(default_factory=Fuse)
    decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)
    meanwhile: list[Decision] = field(default_factory=list)

    def decided(self, workload: str, token: str) -> Decision | None:
        return self.decisions.get((workload, token))

    def standing(self, workload: str, most: int) -> tuple[str | None, Sequence[datetime]]:
        found = self._starts(workload)
        return (found[0].token if found else None), [each.at for each in found[:most]]

    def decide(self, decision: Decision, newest: str | None) -> bool:
        while self.meanwhile:
            other = self.meanwhile.pop()
            self.decisions[other.workload, other.token] = other
        key = (decision.workload, decision.token)
        with self.fuse.around():
            found = self._starts(decision.workload)
            stands = found[0].token if found else None
            if key in self.decisions or (decision.starts and stands != newest):
                return False
            self.decisions[key] = decision
        return True

    def started(self, decision: Decision, tune_execution: str) -> Decision:
        changed = replace(decision, tune_execution=tune_execution)
        with self.fuse.around():
            self.decisions[decision.workload, decision.token] = changed
        return changed

    def _starts(self, workload: str) -> list[Decision]:
        mine = [d for (of, _), d in self.decisions.items() if of == workload and d.starts]
        return sorted(mine, key=lambda each: each.at, reverse=True)


@dataclass
class InMemoryHistory:
    """What was trained on last and made a model, by workload."""

    models: dict[str, Consumed] = field(default_factory=dict)

    def latest(self, kind: Trained, workload: str) -> Consumed | None:
        assert kind == "trained"
        return self.models.get(workload)

    def remember(self, kind: Trained, workload: str, consumed: Consumed) -> None:
        assert kind == "trained"
        standing = self.models.get(workload)
        if standing is None or standing.at <= consumed.at:
            self.models[workload] = consumed


@dataclass
class InMemoryPipelines:
    """Runs by ARN and their parameters; what was started, once a token."""

    fuse: Fuse = field(default_factory=Fuse)
    told: dict[str, Mapping[str, str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    problem: NotDeployed | None = None
    asked: frozenset[str] = frozenset({"Workload", "Run", "Inputs", "Program", "Group"})
    started: dict[str, tuple[str, Mapping[str, str], str]] = field(default_factory=dict)

    def parameters(self, execution: str) -> Mapping[str, str]:
        return self.told.get(execution, {})

    def why_failed(self, execution: str) -> str:
        return self.reasons.get(execution, "")

    def said(self, job: str) -> str:
        return self.words.get(job, "")

    def asks_for(self, pipeline: str) -> frozenset[str]:
        if self.problem is not None:
            raise self.problem
        return self.asked

    def start(
        self, pipeline: str, parameters: Mapping[str, str], token: str, display_name: str
    ) -> str:
        with self.fuse.around():
            self.started.setdefault(token, (pipeline, dict(parameters), display_name))
        return f"{ARN}{pipeline}/execution/{token[:12]}"


def operated(name: str = "hvac", **changes: Any) -> Workload:
    """Return a small workload whose models have an owner."""
    told = {"owner": OWNER, "card": {"purpose": "to test"}}
    return workload(name, operations=told | changes)


def run_change(
    status: str = "Failed", execution: str = "p4jn9xou8a8s", **detail: Any
) -> PipelineChange:
    """Return a real event about another run."""
    event = sample(RUN_EVENT)
    event["detail"] |= {"currentPipelineExecutionStatus": status, **_of(event, execution), **detail}
    return PipelineChange.model_validate(event)


def step_change(
    step: str = "ModelQuality",
    status: str = "Failed",
    execution: str = "p4jn9xou8a8s",
    **detail: Any,
) -> StepChange:
    """Return a real event about another step."""
    event = sample(STEP_EVENT)
    told = {"stepName": step, "currentStepStatus": status, **_of(event, execution), **detail}
    event["detail"] |= told
    return StepChange.model_validate(event)


def _of(event: dict[str, Any], execution: str) -> dict[str, str]:
    return {"pipelineExecutionArn": f"{event['detail']['pipelineArn']}/execution/{execution}"}
