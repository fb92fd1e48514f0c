"""Pipeline definitions, schema 2020-12-01: read strictly, and turned into a graph of steps.

Citations: "Amazon SageMaker Pipelines: pipeline definition JSON schema"; "Pipeline steps", "Retry
policy for pipeline steps" and "Property files" of the SageMaker Developer Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from localcloud.engines.pipelines import conditions
from localcloud.engines.pipelines.parameters import Parameter, declared
from localcloud.engines.pipelines.references import EXECUTION, Reference, references
from localcloud.engines.pipelines.shapes import check_arguments, check_path
from localcloud.engines.pipelines.types import OWN_KEYS, TYPES
from localcloud.wiring import RefusedError

VERSION = "2020-12-01"
_MOST_STEPS = 50  # "Amazon SageMaker AI endpoints and quotas"
_KEYS = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}
_STEP_KEYS = {
    "Arguments", "CacheConfig", "DependsOn", "Description", "DisplayName", "Name", "RetryPolicies",
    "Type",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
RETRIED = (
    "Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: unique in the pipeline.
        type: such as Processing.
        body: the step as it was written.
        needs: names of the steps that must have succeeded before it.
        branch: the condition step it hangs on and the outcome that leads to it; None at the top.
        files: by property file, the output it is in and its path there.
        outputs: by output parameter of a Lambda or Callback step, its type.
    """

    name: str
    type: str
    body: Mapping[str, Any]
    needs: frozenset[str]
    branch: tuple[str, str] | None
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it asks of its service."""
        found: Mapping[str, Any] = self.body.get("Arguments") or {}
        return found


@dataclass(frozen=True)
class Definition:
    """A definition that can be played: its text, parameters, and steps in their written order."""

    text: str
    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any]


def parsed(text: str) -> Definition:
    """Read a definition.

    Raises:
        RefusedError: it is malformed, or asks for what is not played; names it.
    """
    try:
        body = json.loads(text)
    except ValueError as error:
        raise RefusedError(f"the pipeline definition is no JSON: {error}") from error
    if not isinstance(body, Mapping):
        raise RefusedError("the pipeline definition is no JSON object")
    if body.get("Version") != VERSION:
        raise RefusedError(f"Version {body.get('Version')!r} is not {VERSION}")
    if odd := sorted(set(body) - _KEYS):
        raise RefusedError(f"{odd[0]} is not supported in a pipeline definition")
    found: dict[str, Step] = {}
    for step in _steps(body.get("Steps"), None, "Steps"):
        if step.name in found:
            raise RefusedError(f"step {step.name} is there twice")
        found[step.name] = step
    if len(found) > _MOST_STEPS:
        raise RefusedError(f"{len(found)} steps are more than {_MOST_STEPS}")
    experiment = body.get("PipelineExperimentConfig") or {}
    definition = Definition(text, declared(body.get("Parameters")), found, experiment)
    for reference in references(experiment):
        _known(reference, definition, "PipelineExperimentConfig")
    for step in found.values():
        _check(step, definition)
    _acyclic(found)
    return definition


def own(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step without the steps inside it."""
    inner = step.get("Arguments")
    if step.get("Type") != "Condition" or not isinstance(inner, Mapping):
        return dict(step)
    return {**step, "Arguments": {"Conditions": inner.get("Conditions")}}


def _steps(given: Any, branch: tuple[str, str] | None, place: str) -> Iterator[Step]:
    if not isinstance(given, list) or (branch is None and not given):
        raise RefusedError(f"{place} must be a list of steps")
    for body in given:
        if not isinstance(body, Mapping) or not _NAME.fullmatch(str(body.get("Name"))):
            name = body.get("Name") if isinstance(body, Mapping) else body
            raise RefusedError(f"{name!r} is no name of a step: 1 to 64 of A-Z a-z 0-9 - _")
        step = _step(body, branch)
        yield step
        if step.type == "Condition":
            if branch is not None:  # Developer Guide, "Add a step", Condition step: limitations
                raise RefusedError(
                    f"step {step.name}: a Condition step inside another is not supported"
                )
            for key, outcome in (("IfSteps", "True"), ("ElseSteps", "False")):
                inside = step.arguments.get(key) or []
                yield from _steps(inside, (step.name, outcome), f"{key} of {step.name}")


def _step(body: Mapping[str, Any], branch: tuple[str, str] | None) -> Step:
    name, kind = str(body["Name"]), str(body.get("Type"))
    if kind not in TYPES:
        known = ", ".join(TYPES)
        raise RefusedError(f"step {name}: type {kind!r} is not supported, only {known}")
    if odd := sorted(set(body) - _STEP_KEYS - OWN_KEYS.get(kind, set())):
        raise RefusedError(f"step {name}: {odd[0]} is not supported for a {kind} step")
    for key, shape in (("Arguments", Mapping), ("DependsOn", list)):
        if key in body and not isinstance(body[key], shape):
            raise RefusedError(f"step {name}: {key} is malformed")
    if kind == "Condition":
        conditions.check(name, body.get("Arguments") or {})
    _retries(name, body.get("RetryPolicies"))
    needs = {str(each) for each in body.get("DependsOn") or []}
    try:
        needs |= {each.name for each in references(own(body)) if each.room == "Steps"}
    except RefusedError as error:
        raise RefusedError(f"step {name}: {error}") from error
    needs |= {branch[0]} if branch else set()
    return Step(
        name, kind, body, frozenset(needs), branch, _files(name, body), _outputs(name, body)
    )


def _files(step: str, body: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    found = {}
    for each in body.get("PropertyFiles") or []:
        try:
            found[str(each["PropertyFileName"])] = str(each["OutputName"]), str(each["FilePath"])
        except (KeyError, TypeError) as error:
            message = "needs PropertyFileName, OutputName and FilePath"
            raise RefusedError(f"step {step}: a property file {message}") from error
    return found


def _outputs(step: str, body: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for each in body.get("OutputParameters") or []:
        kind = each.get("OutputType") if isinstance(each, Mapping) else None
        if kind not in {"String", "Integer", "Float", "Boolean"} or not each.get("OutputName"):
            raise RefusedError(f"step {step}: output parameter {each!r} is malformed")
        found[str(each["OutputName"])] = str(kind)
    return found


def _retries(step: str, given: Any) -> None:
    for each in given or []:
        for word in each.get("ExceptionType") or ["none"]:
            if word not in RETRIED:
                known = ", ".join(RETRIED)
                raise RefusedError(f"step {step}: retry of {word!r}: it must be one of {known}")
        if odd := sorted(set(each) - {"BackoffRate", "ExceptionType", "IntervalSeconds",
                                      "MaxAttempts"}):  # fmt: skip
            raise RefusedError(f"step {step}: {odd[0]} of a retry policy is not supported")


def _check(step: Step, definition: Definition) -> None:
    place = f"step {step.name}"
    for name in step.body.get("DependsOn") or []:
        if name not in definition.steps:
            raise RefusedError(f"{place}: DependsOn names {name!r}, which is no step")
    for reference in references(own(step.body)):
        _known(reference, definition, place)
    outputs = _output_names(step)
    for file, (output, _) in step.files.items():
        if output not in outputs:
            raise RefusedError(
                f"{place}: property file {file} is in output {output!r}, which is none"
            )
    check_arguments(step.name, step.type, step.body)


def _output_names(step: Step) -> set[Any]:
    outputs = (step.arguments.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    return {each.get("OutputName") for each in outputs if isinstance(each, Mapping)}


def _known(reference: Reference, definition: Definition, place: str) -> None:
    text = f"{place}: {reference.text!r}"
    if reference.room == "Parameters" and reference.name not in definition.parameters:
        raise RefusedError(f"{text} is no parameter of the pipeline")
    if reference.room == "Execution" and reference.name not in EXECUTION:
        raise RefusedError(f"{text} is no variable of an execution: {', '.join(EXECUTION)}")
    if reference.room != "Steps":
        return
    step = definition.steps.get(reference.name)
    if step is None:
        raise RefusedError(f"{text} names a step that is not there")
    first = reference.path[0] if reference.path else ""
    if first == "PropertyFiles":
        if len(reference.path) != 2 or reference.path[1] not in step.files:
            raise RefusedError(f"{text} names a property file that step {step.name} lacks")
    elif first == "OutputParameters" and step.type in {"Lambda", "Callback"}:
        if len(reference.path) != 2 or reference.path[1] not in step.outputs:
            raise RefusedError(f"{text} names an output that step {step.name} lacks")
    else:
        check_path(step.type, reference.path, text)


def _acyclic(steps: Mapping[str, Step]) -> None:
    try:
        TopologicalSorter({each.name: each.needs for each in steps.values()}).prepare()
    except CycleError as error:
        raise RefusedError(f"steps wait for each other: {' → '.join(error.args[1])}") from error
