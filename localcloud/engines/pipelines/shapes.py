"""What a step's arguments and properties look like, after botocore's model of its operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, StructureShape

from localcloud.engines.constraints import input_shape, model
from localcloud.engines.pipelines.references import function_of
from localcloud.engines.pipelines.types import CALLS
from localcloud.wiring import RefusedError


def check_arguments(step: str, kind: str, body: Mapping[str, Any]) -> None:
    """See that a step's arguments are a request of its operation, as far as they are known now.

    Raises:
        RefusedError: a member is missing or unknown.
    """
    arguments = body.get("Arguments") or {}
    if kind in CALLS:
        call = CALLS[kind]
        if call.name in arguments:
            raise RefusedError(f"step {step}: {call.name} comes from the pipeline")
        given = {**arguments, call.name: step} if kind != "RegisterModel" else arguments
        _member(input_shape(call.create), given, f"step {step}: Arguments")
    elif kind == "Fail" and "ErrorMessage" not in arguments:
        raise RefusedError(f"step {step}: a Fail step needs Arguments.ErrorMessage")
    needed = {"Lambda": "FunctionArn", "Callback": "SqsQueueUrl"}.get(kind)
    if needed and not body.get(needed):
        raise RefusedError(f"step {step}: a {kind} step needs {needed}")


def _member(shape: Any, value: Any, path: str) -> None:
    if function_of(value) or value is None:
        return
    if isinstance(shape, StructureShape):
        if not isinstance(value, Mapping):
            raise RefusedError(f"{path} must be an object")
        for name, each in value.items():
            if name not in shape.members:
                raise RefusedError(f"{path}.{name} is not known")
            _member(shape.members[name], each, f"{path}.{name}")
        for name in shape.required_members:
            if name not in value and "idempotency" not in str(shape.members[name].metadata):
                raise RefusedError(f"{path}.{name} is missing")
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise RefusedError(f"{path} must be a list")
        for place, each in enumerate(value):
            _member(shape.member, each, f"{path}[{place}]")


def check_path(kind: str, path: tuple[str | int, ...], text: str) -> None:
    """See that a reference to a step's properties can lead somewhere.

    Raises:
        RefusedError: its type of step has no such property.
    """
    if not path:
        raise RefusedError(f"{text} names no property")
    if kind == "Condition" and path == ("Outcome",):
        return
    if kind not in CALLS:
        raise RefusedError(f"{text}: a {kind} step has no such property")
    operation = CALLS[kind].describe
    if kind == "Tuning" and path[0] == "TrainingJobSummaries":
        operation = "ListTrainingJobsForHyperParameterTuningJob"
    shape = model().operation_model(operation).output_shape
    for step in path:
        if isinstance(shape, StructureShape):
            shape = shape.members.get(step)
        elif shape is not None and shape.type_name == "list":
            shape = shape.member
        elif shape is not None and shape.type_name == "map":
            shape = shape.value
        else:
            shape = None
        if shape is None:
            raise RefusedError(f"{text}: {operation} answers no {step!r} there")
