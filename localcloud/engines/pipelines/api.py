"""The API of pipelines and their executions.

Citations: the operations' pages of the SageMaker API Reference, and botocore's model of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.bus import Bus
from localcloud.engines import constraints
from localcloud.engines.base import Outside
from localcloud.engines.paging import ordered, page, within
from localcloud.engines.pipelines.definition import Definition, parsed
from localcloud.engines.pipelines.executing import Executions
from localcloud.engines.runs import Runs
from localcloud.operations import Answers, Asked
from localcloud.wiring import Refused, RefusedError
from localcloud.world import World

_SHELF = "pipelines"
_SUMMARY = (
    "PipelineArn", "PipelineName", "PipelineDisplayName", "PipelineDescription", "RoleArn",
    "CreationTime", "LastModifiedTime",
)  # fmt: skip
_KEPT = (
    "PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration",
)  # fmt: skip


class Pipelines:
    """Pipelines of every account.

    Args:
        world: the cloud.
        bus: where status changes go.
        runs: tells when jobs end.
        outside: invokes functions of Lambda steps.
    """

    def __init__(self, world: World, bus: Bus, runs: Runs, outside: Outside) -> None:
        self._world = world
        self._executions = Executions(world, bus, outside)
        runs.listeners.append(self._executions.player.ended)

    def answers(self) -> Mapping[str, Answers]:
        """Who answers which operation."""
        own: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "CreatePipeline": self._create,
            "UpdatePipeline": self._update,
            "DescribePipeline": self._describe,
            "DeletePipeline": self._delete,
            "ListPipelines": self._list,
        }
        return {
            "StartPipelineExecution": self._start,
            **{name: _without_cause(answer) for name, answer in own.items()},
            **self._executions.answers(),
        }

    def _create(self, asked: Asked) -> dict[str, Any]:
        params, shelf = asked.params, asked.shelf(_SHELF)
        constraints.check(asked.operation, params)
        _refuse(params, "PipelineVersionAliases")
        name = str(params["PipelineName"])
        if shelf.find(name) is not None:
            raise invalid(
                "Pipeline names must be unique within an AWS account and region. Pipeline with name "
                f"({name}) already exists."
            )
        text = self._text(asked)
        if text is None:
            raise invalid("Either PipelineDefinition or PipelineDefinitionS3Location is needed")
        definition = _read(text)
        now = self._world.clock.now()
        arn = f"arn:aws:sagemaker:{self._world.region}:{asked.account}:pipeline/{name}"
        facts = {
            "PipelineArn": arn,
            "PipelineName": name,
            "PipelineDisplayName": name,
            **_given(params, *_KEPT),
            "PipelineDefinition": definition.text,
            "PipelineStatus": "Active",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        shelf.put(name, arn, facts, params.get("Tags") or [])
        return {"PipelineArn": arn}

    def _update(self, asked: Asked) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        _refuse(asked.params, "PipelineVersionAliases")
        facts = _found(asked)
        text = self._text(asked)
        if text is not None:
            facts["PipelineDefinition"] = _read(text).text
        facts.update(_given(asked.params, *_KEPT), LastModifiedTime=self._world.clock.now())
        return {"PipelineArn": facts["PipelineArn"]}

    def _describe(self, asked: Asked) -> dict[str, Any]:
        _refuse(asked.params, "PipelineVersionId", "PipelineVersionAlias")
        return dict(_found(asked))

    def _delete(self, asked: Asked) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        facts = _found(asked)
        if self._executions.active(facts["PipelineArn"]):
            raise Refused(
                "ConflictException", f"{facts['PipelineArn']} has executions that are not over"
            )
        asked.shelf(_SHELF).drop(facts["PipelineName"])
        return {"PipelineArn": facts["PipelineArn"]}

    def _list(self, asked: Asked) -> dict[str, Any]:
        params = asked.params
        constraints.check(asked.operation, params)
        prefix = str(params.get("PipelineNamePrefix") or "")
        found = [
            each
            for each in asked.shelf(_SHELF).all()
            if each["PipelineName"].startswith(prefix)
            and within(each, params, "CreatedAfter", "CreatedBefore")
        ]
        keys = {"CreationTime": "CreationTime", "Name": "PipelineName"}

        def summary(facts: Mapping[str, Any]) -> dict[str, Any]:
            last = {"LastExecutionTime": facts["LastRunTime"]} if "LastRunTime" in facts else {}
            return _given(facts, *_SUMMARY) | last

        return page("PipelineSummaries", ordered(found, params, keys), params, summary)

    def _start(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        _refuse(
            asked.params, "SelectiveExecutionConfig", "PipelineVersionId", "PipelineVersionAlias",
            "MlflowExperimentName",
        )  # fmt: skip
        facts = _found(asked)
        return self._executions.start(facts, _read(facts["PipelineDefinition"]), asked, cause)

    def _text(self, asked: Asked) -> str | None:
        """The definition that a request brings; the guard has seen to it that it may be read."""
        params = asked.params
        place, text = params.get("PipelineDefinitionS3Location"), params.get("PipelineDefinition")
        if place and text:
            raise invalid("PipelineDefinition and PipelineDefinitionS3Location exclude each other")
        if not place:
            return text
        version = {"VersionId": place["VersionId"]} if place.get("VersionId") else {}
        s3 = self._world.client("s3", asked.account)
        try:
            found = s3.get_object(Bucket=place["Bucket"], Key=place["ObjectKey"], **version)
        except s3.exceptions.ClientError as error:
            where = f"s3://{place['Bucket']}/{place['ObjectKey']}"
            raise invalid(f"the pipeline definition at {where} cannot be read: {error}") from error
        return str(found["Body"].read().decode("utf-8", "replace"))


def invalid(message: str) -> Refused:
    """The error of a request that cannot be served."""
    return Refused("ValidationException", message)


def _read(text: str) -> Definition:
    try:
        return parsed(text)
    except RefusedError as error:
        raise invalid(f"Invalid pipeline definition: {error}") from error


def _found(asked: Asked) -> dict[str, Any]:
    given = str(asked.params["PipelineName"])
    facts = asked.shelf(_SHELF).find(given.rpartition("/")[2])
    if facts is None or (given.startswith("arn:") and given != facts["PipelineArn"]):
        raise Refused("ResourceNotFound", f"Pipeline '{given}' does not exist.", 404)
    return facts


def _given(params: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: params[name] for name in names if name in params}


def _refuse(params: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if params.get(name):
            raise invalid(f"{name} is not supported by the local cloud")


def _without_cause(answer: Callable[[Asked], dict[str, Any]]) -> Answers:
    def answered(asked: Asked, cause: int | None) -> dict[str, Any]:
        del cause
        return answer(asked)

    return answered
