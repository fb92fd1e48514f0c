"""The API of executions: started once a token, described, listed, stopped, retried, called back.

Citations: the operations' pages of the SageMaker API Reference, and botocore's model of them. How
long a token is remembered stands nowhere; here it is as long as the cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.bus import Bus
from localcloud.engines import constraints
from localcloud.engines.base import Outside, RunError
from localcloud.engines.paging import ordered, page, within
from localcloud.engines.pipelines import kinds
from localcloud.engines.pipelines.definition import Definition
from localcloud.engines.pipelines.execution import OVER, Execution, StepRun
from localcloud.engines.pipelines.kinds import Done
from localcloud.engines.pipelines.parameters import text_of, values
from localcloud.engines.pipelines.playing import Player
from localcloud.engines.pipelines.references import resolved
from localcloud.engines.pipelines.scope import scope_of
from localcloud.operations import Answers, Asked
from localcloud.wiring import Refused, RefusedError
from localcloud.world import World

_NAMES = {
    "PipelineExecutionDisplayName", "PipelineExecutionDescription", "ParallelismConfiguration",
}  # fmt: skip


class Executions:
    """Executions of every account.

    Args:
        world: the cloud.
        bus: where status changes go.
        outside: invokes functions of Lambda steps.

    Attributes:
        player: plays them.
    """

    def __init__(self, world: World, bus: Bus, outside: Outside) -> None:
        self._world = world
        self.player = Player(world, bus, outside)
        self._all: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, ...], str] = {}

    def answers(self) -> Mapping[str, Answers]:
        """Who answers which operation."""
        looks: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "DescribePipelineExecution": self._describe,
            "ListPipelineExecutions": self._list,
            "ListPipelineExecutionSteps": self._steps,
            "ListPipelineParametersForExecution": self._parameters,
            "DescribePipelineDefinitionForExecution": self._definition,
            "UpdatePipelineExecution": self._update,
        }

        def looking(look: Callable[[Asked], dict[str, Any]]) -> Answers:
            def answered(asked: Asked, cause: int | None) -> dict[str, Any]:
                del cause
                with self.player.lock:
                    return look(asked)

            return answered

        return {
            **{name: looking(look) for name, look in looks.items()},
            "StopPipelineExecution": self._stop,
            "RetryPipelineExecution": self._retry,
            "SendPipelineExecutionStepSuccess": self._call_back,
            "SendPipelineExecutionStepFailure": self._call_back,
        }

    def active(self, pipeline: str) -> bool:
        """Whether a pipeline has executions that are not over."""
        return any(e.pipeline == pipeline and e.status not in OVER for e in self._all.values())

    def start(
        self, pipeline: dict[str, Any], definition: Definition, asked: Asked, cause: int | None
    ) -> dict[str, Any]:
        """StartPipelineExecution; the same token and pipeline mean the same execution.

        Args:
            pipeline: its facts.
            definition: the pipeline's, as it is now.
            asked: the request, checked.
            cause: the record behind it.
        """
        params, arn = asked.params, str(pipeline["PipelineArn"])
        token = (arn, "start", str(params["ClientRequestToken"]))
        with self.player.lock:
            if token not in self._tokens:
                execution = self._made(pipeline, definition, params)
                self._tokens[token] = execution.arn
                pipeline["LastRunTime"] = self._world.clock.now()
                self.player.start(execution, cause)
            return {"PipelineExecutionArn": self._tokens[token]}

    def _made(
        self, pipeline: Mapping[str, Any], definition: Definition, params: Mapping[str, Any]
    ) -> Execution:
        now = self._world.clock.now()
        try:
            given = values(definition.parameters, params.get("PipelineParameters") or [])
        except RefusedError as error:
            raise Refused("ValidationException", str(error)) from error
        arn = f"{pipeline['PipelineArn']}/execution/{self._world.new_id().replace('-', '')[:12]}"
        parallel = params.get("ParallelismConfiguration") or pipeline.get(
            "ParallelismConfiguration"
        )
        facts = {
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionDisplayName": f"execution-{int(now.timestamp() * 1000)}",
            **{name: value for name, value in params.items() if name in _NAMES},
            "CreationTime": now,
            "LastModifiedTime": now,
            **({"ParallelismConfiguration": parallel} if parallel else {}),
        }
        execution = Execution(
            arn=arn,
            pipeline=str(pipeline["PipelineArn"]),
            role=str(params.get("RoleArn") or pipeline["RoleArn"]),
            definition=definition,
            parameters=given,
            facts=facts,
            steps={name: StepRun(step) for name, step in definition.steps.items()},
            most=parallel["MaxParallelExecutionSteps"] if parallel else None,
        )
        if definition.experiment:
            scope = scope_of(execution, now, self._world.client, {})
            facts["PipelineExperimentConfig"] = resolved(definition.experiment, scope)
        self._all[arn] = execution
        return execution

    def _found(self, asked: Asked) -> Execution:
        arn = str(asked.params.get("PipelineExecutionArn"))
        found = self._all.get(arn)
        if found is None or found.account != asked.account:
            raise Refused("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.", 404)
        return found

    def _describe(self, asked: Asked) -> dict[str, Any]:
        return dict(self._found(asked).facts)

    def _update(self, asked: Asked) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        execution = self._found(asked)
        given = {name: value for name, value in asked.params.items() if name in _NAMES}
        execution.facts.update(given)
        if "ParallelismConfiguration" in given:
            execution.most = given["ParallelismConfiguration"]["MaxParallelExecutionSteps"]
        return {"PipelineExecutionArn": execution.arn}

    def _list(self, asked: Asked) -> dict[str, Any]:
        params = asked.params
        constraints.check(asked.operation, params)
        name = str(params["PipelineName"]).rpartition("/")[2]
        known = asked.shelf("pipelines").find(name)
        if known is None:
            raise Refused("ResourceNotFound", f"Pipeline '{name}' does not exist.", 404)
        found = [
            each.facts
            for each in self._all.values()
            if each.pipeline == known["PipelineArn"]
            and within(each.facts, params, "CreatedAfter", "CreatedBefore")
        ]
        keys = {"CreationTime": "CreationTime", "PipelineExecutionArn": "PipelineExecutionArn"}
        return page("PipelineExecutionSummaries", ordered(found, params, keys), params, _summary)

    def _steps(self, asked: Asked) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        begun = [each for each in self._found(asked).steps.values() if each.status]
        shown = [_shown(each) for each in begun]
        return page(
            "PipelineExecutionSteps",
            ordered(shown, asked.params, {"CreatedTime": "StartTime"}),
            asked.params,
        )

    def _parameters(self, asked: Asked) -> dict[str, Any]:
        known = self._found(asked).parameters
        shown = [{"Name": name, "Value": text_of(value)} for name, value in known.items()]
        return page("PipelineParameters", shown, asked.params)

    def _definition(self, asked: Asked) -> dict[str, Any]:
        execution = self._found(asked)
        created = execution.facts["CreationTime"]
        return {"PipelineDefinition": execution.definition.text, "CreationTime": created}

    def _stop(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        with self.player.lock:
            execution = self._found(asked)
            if not self._repeated(execution, asked):
                if execution.status != "Executing":
                    raise _conflict(execution, "stopped")
                self._remember(execution, asked)
                self.player.stop(execution, cause)
        return {"PipelineExecutionArn": execution.arn}

    def _retry(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """Only executions that have Failed or were Stopped; what has succeeded is not run again."""
        constraints.check(asked.operation, asked.params)
        with self.player.lock:
            execution = self._found(asked)
            if not self._repeated(execution, asked):
                if execution.status not in {"Failed", "Stopped"}:
                    raise _conflict(execution, "retried")
                self._remember(execution, asked)
                for name, run in execution.steps.items():
                    if run.status != "Succeeded":
                        execution.steps[name] = StepRun(run.step)
                parallel = asked.params.get("ParallelismConfiguration")
                if parallel:
                    execution.facts["ParallelismConfiguration"] = parallel
                    execution.most = parallel["MaxParallelExecutionSteps"]
                self.player.start(execution, cause)
        return {"PipelineExecutionArn": execution.arn}

    def _repeated(self, execution: Execution, asked: Asked) -> bool:
        """Whether a request with this token was served before."""
        return _token(execution, asked) in self._tokens

    def _remember(self, execution: Execution, asked: Asked) -> None:
        self._tokens[_token(execution, asked)] = execution.arn

    def _call_back(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        constraints.check(asked.operation, asked.params)
        token = str(asked.params["CallbackToken"])
        with self.player.lock:
            waiting = self.player.waiting(token)
            if waiting is None or waiting[0].account != asked.account:
                raise Refused("ResourceNotFound", f"no callback step waits for {token!r}", 404)
            execution, run = waiting
            if asked.operation.endswith("Failure"):
                reason = str(asked.params.get("FailureReason") or "the callback reported a failure")
                done = Done("Failed", reason)
            else:
                try:
                    done = kinds.called_back(run, asked.params.get("OutputParameters") or [])
                except RunError as error:
                    raise Refused("ValidationException", str(error)) from error
            if execution.status == "Stopping":
                done = Done("Stopped", done.reason, metadata=done.metadata)
            self.player.answer(token, done)
        return {"PipelineExecutionArn": execution.arn}


def _token(execution: Execution, asked: Asked) -> tuple[str, ...]:
    return execution.arn, asked.operation, str(asked.params["ClientRequestToken"])


def _conflict(execution: Execution, what: str) -> Refused:
    message = f"An execution that is {execution.status} cannot be {what}: {execution.arn}"
    return Refused("ConflictException", message)


def _summary(facts: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "PipelineExecutionArn", "PipelineExecutionStatus", "PipelineExecutionDescription",
        "PipelineExecutionDisplayName",
    )  # fmt: skip
    shown = {name: facts[name] for name in names if name in facts}
    if "FailureReason" in facts:
        shown["PipelineExecutionFailureReason"] = facts["FailureReason"]
    return {**shown, "StartTime": facts["CreationTime"]}


def _shown(run: StepRun) -> dict[str, Any]:
    body = run.step.body
    found = {
        "StepName": run.step.name,
        "StepDisplayName": body.get("DisplayName"),
        "StepDescription": body.get("Description"),
        "StartTime": run.started,
        "EndTime": run.ended,
        "StepStatus": run.status,
        "AttemptCount": run.attempts,
        "FailureReason": run.reason or None,
        "Metadata": run.metadata or None,
    }
    return {name: value for name, value in found.items() if value is not None}
