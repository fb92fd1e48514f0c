"""An execution of a pipeline and its steps, as they stand; `playing` changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localcloud.engines.pipelines.definition import Definition, Step

OVER = frozenset({"Succeeded", "Failed", "Stopped"})


@dataclass(eq=False)
class StepRun:
    """One step of one execution.

    Attributes:
        step: what is run.
        status: Starting, Executing, Stopping, Stopped, Failed or Succeeded; "" before it began.
        started: when it began.
        ended: when it was over.
        attempts: how often it was tried.
        reason: why it failed.
        metadata: its Metadata, as ListPipelineExecutionSteps has it.
        record: journal record of its first status, which causes the others and what it does.
        properties: what references to it lead into, once it has succeeded.
        waits: what its end will be told by: the ARN of a job, or a callback's token.
    """

    step: Step
    status: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    attempts: int = 0
    reason: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    record: int = 0
    properties: Any = None
    waits: str = ""

    @property
    def busy(self) -> bool:
        """Whether it has begun and is not over."""
        return self.status not in OVER and self.status != ""


@dataclass(eq=False)
class Execution:
    """One execution.

    Attributes:
        arn: its ARN.
        pipeline: the pipeline's ARN.
        role: ARN of the role that everything is done as.
        definition: what was started; a later update of the pipeline changes nothing.
        parameters: typed.
        facts: what DescribePipelineExecution answers.
        steps: by name, in written order.
        most: steps that may be busy at once; None for any number.
        record: journal record of its first status.
    """

    arn: str
    pipeline: str
    role: str
    definition: Definition
    parameters: Mapping[str, Any]
    facts: dict[str, Any]
    steps: dict[str, StepRun]
    most: int | None = None
    record: int = 0

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.pipeline.rpartition("/")[2]

    @property
    def account(self) -> str:
        """The account it runs in."""
        return self.arn.split(":")[4]

    @property
    def status(self) -> str:
        """PipelineExecutionStatus."""
        return str(self.facts["PipelineExecutionStatus"])

    @property
    def busy(self) -> list[StepRun]:
        """The steps that are under way."""
        return [each for each in self.steps.values() if each.busy]

    @property
    def failed(self) -> bool:
        """Whether a step has failed."""
        return any(each.status == "Failed" for each in self.steps.values())

    def ready(self) -> list[StepRun]:
        """Steps that may begin now, in written order; no more than may be busy at once."""
        found = [each for each in self.steps.values() if not each.status and self._may(each.step)]
        room = len(found) if self.most is None else max(self.most - len(self.busy), 0)
        return found[:room]

    def _may(self, step: Step) -> bool:
        if any(self.steps[name].status != "Succeeded" for name in step.needs):
            return False
        if step.branch is None:
            return True
        condition, outcome = step.branch
        return bool(self.steps[condition].properties["Outcome"] == outcome)
