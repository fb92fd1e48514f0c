"""References in a pipeline definition: finding them, reading them, and what they stand for.

    {"Get": "Parameters.X"}  {"Get": "Execution.X"}  {"Get": "Steps.<name>.<response path>"}
    {"Std:Join": {"On": "/", "Values": [...]}}
    {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.<name>.PropertyFiles.<file>"}, "Path": "a.b"}}

Citation: "Amazon SageMaker Pipelines: pipeline definition JSON schema" (2020-12-01).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.engines.base import RunError
from localcloud.wiring import RefusedError

_PLACE = re.compile(r"\.?([A-Za-z0-9_\-]+)|\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]")
_FUNCTIONS = {"Get", "Std:Join", "Std:JsonGet"}
EXECUTION = (
    "CurrentDateTime", "PipelineArn", "PipelineExecutionArn", "PipelineExecutionId",
    "PipelineName", "ProcessingJobName", "StartDateTime", "TrainingJobName",
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """One `Get`.

    Attributes:
        room: Parameters, Execution or Steps.
        name: of the parameter, the variable or the step.
        path: what follows the step's name: members, names of list entries and places in lists.
        text: as it was written.
    """

    room: str
    name: str
    path: tuple[str | int, ...]
    text: str


@dataclass(frozen=True)
class Scope:
    """What references stand for in one execution, when a step begins.

    Attributes:
        parameters: the execution's parameters, typed.
        execution: its variables.
        properties: of a step that has succeeded, what Describe answers of its job.
        property_file: the content of a step's property file.
    """

    parameters: Mapping[str, Any]
    execution: Mapping[str, Any]
    properties: Callable[[str], Any]
    property_file: Callable[[str, str], Any]


def read(text: Any) -> Reference:
    """A `Get`'s text as a reference.

    Raises:
        RefusedError: it is none.
    """
    room, _, rest = str(text).partition(".")
    if room not in {"Parameters", "Execution", "Steps"} or not rest:
        raise RefusedError(
            f"{text!r} is no reference: it must begin with Parameters, Execution or Steps"
        )
    if room != "Steps":
        return Reference(room, rest, (), str(text))
    name, _, path = rest.partition(".")
    return Reference(room, name, steps_of(path, str(text)), str(text))


def steps_of(path: str, text: str) -> tuple[str | int, ...]:
    """A path such as `a.b[0].c['d']`, member by member.

    Raises:
        RefusedError: it is malformed; named by `text`.
    """
    found: list[str | int] = []
    place = 0
    while place < len(path):
        match = _PLACE.match(path, place)
        if match is None:
            raise RefusedError(f"{text!r} is malformed at {path[place:]!r}")
        plain, quoted, doubly, number = match.groups()
        found.append(int(number) if number is not None else plain or quoted or doubly)
        place = match.end()
    return tuple(found)


def function_of(value: Any) -> str:
    """Which function a value is: Get, Std:Join or Std:JsonGet; "" for plain data.

    Raises:
        RefusedError: one that is not known.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        return ""
    (name,) = value
    if str(name).startswith("Std:") and name not in _FUNCTIONS:
        raise RefusedError(f"function {name} is not known")
    return str(name) if name in _FUNCTIONS else ""


def references(value: Any) -> Iterator[Reference]:
    """Every `Get` inside a value.

    Raises:
        RefusedError: a function is malformed.
    """
    function = function_of(value)
    if function == "Get":
        yield read(value["Get"])
    elif function == "Std:Join":
        body = value[function]
        if not isinstance(body, Mapping) or not isinstance(body.get("Values"), list):
            raise RefusedError("Std:Join needs On and a list of Values")
        yield from references(body["Values"])
    elif function == "Std:JsonGet":
        body = value[function]
        source = body.get("PropertyFile") if isinstance(body, Mapping) else None
        if (
            not isinstance(source, Mapping)
            or function_of(source) != "Get"
            or not isinstance(body.get("Path"), str)
        ):
            raise RefusedError("Std:JsonGet needs a PropertyFile ({Get: ...}) and a Path")
        steps_of(body["Path"], body["Path"])
        yield read(source["Get"])
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolved(value: Any, scope: Scope) -> Any:
    """A value with every reference in it replaced.

    Raises:
        RunError: one leads nowhere.
    """
    function = function_of(value)
    if function == "Get":
        return _got(read(value["Get"]), scope)
    if function == "Std:Join":
        parts = [_text(resolved(each, scope)) for each in value[function]["Values"]]
        return str(value[function].get("On", "")).join(parts)
    if function == "Std:JsonGet":
        body = value[function]
        source = read(body["PropertyFile"]["Get"])
        content = scope.property_file(source.name, str(source.path[-1]))
        return walked(
            content, steps_of(body["Path"], body["Path"]), f"{source.text}: {body['Path']}"
        )
    if isinstance(value, Mapping):
        return {key: resolved(each, scope) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, scope) for each in value]
    return value


def _got(reference: Reference, scope: Scope) -> Any:
    if reference.room == "Parameters":
        return scope.parameters[reference.name]
    if reference.room == "Execution":
        if reference.name not in scope.execution:
            raise RunError(f"ClientError: {reference.text} has no value here")
        return scope.execution[reference.name]
    return walked(scope.properties(reference.name), reference.path, reference.text)


def walked(value: Any, path: tuple[str | int, ...], text: str) -> Any:
    """What a path leads to; an entry of a list by its place, or by the name it has.

    Raises:
        RunError: it leads nowhere.
    """
    for step in path:
        found = None
        if isinstance(value, Mapping):
            found = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int):
            found = value[step] if step < len(value) else None
        elif isinstance(value, list):
            found = next((each for each in value if _named(each, step)), None)
        if found is None:
            raise RunError(f"ClientError: {text} leads nowhere: there is no {step!r}")
        value = found
    return value


def _named(entry: Any, name: str | int) -> bool:
    """Whether an entry of a list has this name, such as OutputName or MetricName."""
    return isinstance(entry, Mapping) and any(
        key.endswith("Name") and value == name for key, value in entry.items()
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
