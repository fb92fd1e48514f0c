"""AWS Glue: jobs, run by localcloud.engines.glue."""

from __future__ import annotations

from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource

# Glue 5.0 and newer; before it was 2,880
_DEFAULT_TIMEOUT_MIN = 480
_LONGEST_TIMEOUT_MIN = 10_080  # seven days


@resource(
    "AWS::Glue::Job", "Command", "DefaultArguments", "Description", "ExecutionClass",
    "ExecutionProperty", "GlueVersion", "JobRunQueuingEnabled", "MaxRetries", "Name",
    "NonOverridableArguments", "NotificationProperty", "NumberOfWorkers", "Role", "Tags",
    "Timeout", "WorkerType",
    kept=("ExecutionClass", "GlueVersion", "NumberOfWorkers", "WorkerType"),
)  # fmt: skip
def job(props: Props, maker: Maker) -> Made:
    """A Python job; it must name its Glue version, since the default changes under it."""
    name = props.text("Name") or maker.name(255)
    role = str(props.need("Role"))
    role = role if role.startswith("arn:") else f"arn:aws:iam::{maker.account}:role/{role}"
    command = props.group("Command")
    if command is None:
        raise props.error("Command", "is required")
    retries = props.integer("MaxRetries", 0) or 0
    if not 0 <= retries <= 10:
        raise props.error("MaxRetries", f"must be 0 to 10, not {retries}")
    timeout = props.integer("Timeout", _DEFAULT_TIMEOUT_MIN) or 0
    if not 1 <= timeout < _LONGEST_TIMEOUT_MIN:
        raise props.error("Timeout", f"must be 1 to {_LONGEST_TIMEOUT_MIN - 1}, not {timeout}")
    request: dict[str, Any] = {
        "Name": name,
        "Role": role,
        "Description": props.text("Description"),
        "Command": {
            "Name": command.choice("Name", "glueetl", "pythonshell"),
            "PythonVersion": command.text("PythonVersion", "3"),
            "ScriptLocation": command.need("ScriptLocation"),
        },
        "DefaultArguments": _texts(props.take("DefaultArguments")),
        "NonOverridableArguments": _texts(props.take("NonOverridableArguments")),
        "GlueVersion": str(props.need("GlueVersion")),
        "Timeout": timeout,
        "MaxRetries": retries,
        "ExecutionClass": props.choice("ExecutionClass", "STANDARD", "FLEX", default="STANDARD"),
        "Tags": props.tags(),
    }
    if "WorkerType" in props:
        request["WorkerType"] = props.text("WorkerType")
        request["NumberOfWorkers"] = props.integer("NumberOfWorkers")
    if (notify := props.group("NotificationProperty")) is not None:
        delay = notify.integer("NotifyDelayAfter")
        request["NotificationProperty"] = {"NotifyDelayAfter": delay}
    concurrency = props.group("ExecutionProperty")
    runs = concurrency.integer("MaxConcurrentRuns", 1) if concurrency else 1
    request["ExecutionProperty"] = {"MaxConcurrentRuns": runs}
    maker.client("glue").create_job(**request)
    # moto forgets this one
    return Made(name, facts={"queuing": props.boolean("JobRunQueuingEnabled"), "role": role})


def _texts(arguments: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (arguments or {}).items()}
