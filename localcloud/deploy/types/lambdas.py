"""AWS Lambda: functions, layers, permissions and event source mappings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud import limits
from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource
from localcloud.pattern import InvalidPattern
from localcloud.pattern import compile as compile_pattern

_NAME = re.compile(r"[a-zA-Z0-9_-]+")


@resource(
    "AWS::Lambda::Function", "Architectures", "Code", "DeadLetterConfig", "Description",
    "Environment", "EphemeralStorage", "FunctionName", "Handler", "Layers", "LoggingConfig",
    "MemorySize", "PackageType", "ReservedConcurrentExecutions", "Role", "Runtime", "Tags",
    "Timeout", "TracingConfig",
    kept=("Architectures", "EphemeralStorage", "LoggingConfig", "MemorySize",
          "ReservedConcurrentExecutions", "TracingConfig"),
)  # fmt: skip
def function(props: Props, maker: Maker) -> Made:
    """A function from a zip; limits of the "Lambda quotas" page are enforced."""
    client = maker.client("lambda")
    name = _function_name(props, maker)
    props.choice("PackageType", "Zip", default="Zip")
    layers = _layers(props, maker)
    request: dict[str, Any] = {
        "FunctionName": name,
        "Code": _code(props, "Code"),
        "Handler": str(props.need("Handler")),
        "Runtime": props.choice("Runtime", "python3.11"),
        "Role": str(props.need("Role")),
        "Description": props.text("Description"),
        "Timeout": props.bounded("Timeout", limits.TIMEOUT, 3),
        "MemorySize": props.bounded("MemorySize", limits.MEMORY, 128),
        "Environment": {"Variables": _environment(props)},
        "Layers": list(layers),
        "Architectures": props.take("Architectures", ["x86_64"]),
        "Tags": props.tags(),
    }
    if (storage := props.group("EphemeralStorage")) is not None:
        request["EphemeralStorage"] = {"Size": storage.bounded("Size", limits.STORAGE, 512)}
    if (tracing := props.group("TracingConfig")) is not None:
        request["TracingConfig"] = {"Mode": tracing.text("Mode")}
    dead = _dead_letter(props)
    facts = {
        "request": request,
        "code": maker.artefacts[_uri(request["Code"])].folder,
        "layers": list(layers.values()),
        "logging": _logging(props, name),
        "dead_letter_arn": dead,
    }
    _check_size(props, maker, request)
    arn = client.create_function(**request)["FunctionArn"]
    if (reserved := props.integer("ReservedConcurrentExecutions")) is not None:
        if reserved == 0:
            message = "0 stops the function on AWS, which is not emulated"
            raise props.error("ReservedConcurrentExecutions", message)
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    return Made(name, {"Arn": arn}, facts)


def _function_name(props: Props, maker: Maker) -> str:
    longest = limits.FUNCTION_NAME.most
    name = props.text("FunctionName") or maker.name(longest)
    if not _NAME.fullmatch(name) or len(name) > longest:
        message = f"{name!r} must be up to {longest} letters, digits, hyphens and underscores"
        raise props.error("FunctionName", message)
    return name


def _check_size(props: Props, maker: Maker, request: Mapping[str, Any]) -> None:
    """What the function unpacks to, layers included."""
    size = maker.artefacts[_uri(request["Code"])].size
    for layer in maker.stack.of_type("AWS::Lambda::LayerVersion"):
        size += layer.facts["size"] if layer.physical_id in request["Layers"] else 0
    if not limits.UNZIPPED.allows(size):
        message = f"code and layers unpack to {size:,} bytes, {limits.UNZIPPED.most:,} are allowed"
        raise props.error("Code", message)


def _dead_letter(props: Props) -> str | None:
    """Where events go that failed to the end: a standard queue or topic."""
    group = props.group("DeadLetterConfig")
    if group is None:
        return None
    arn = str(group.need("TargetArn"))
    if arn.split(":")[2:3] not in (["sqs"], ["sns"]) or arn.endswith(".fifo"):
        raise group.error("TargetArn", f"{arn} is no standard queue or topic")
    return arn


def _code(props: Props, prop: str) -> dict[str, str]:
    code = props.group(prop)
    if code is None:
        raise props.error(prop, "is required")
    return {"S3Bucket": str(code.need("S3Bucket")), "S3Key": str(code.need("S3Key"))}


def _uri(code: dict[str, str]) -> str:
    return f"s3://{code['S3Bucket']}/{code['S3Key']}"


def _environment(props: Props) -> dict[str, str]:
    group = props.group("Environment")
    variables = (
        {str(k): str(v) for k, v in (group.take("Variables") or {}).items()} if group else {}
    )
    size = sum(len((key + value).encode()) for key, value in variables.items())
    if not limits.ENVIRONMENT.allows(size):
        most = limits.ENVIRONMENT.most
        raise props.error("Environment", f"has {size} bytes, {most} are allowed")
    return variables


def _layers(props: Props, maker: Maker) -> dict[str, Path]:
    """The function's layers by ARN, and the folder each was built into."""
    layers = [str(arn) for arn in props.take("Layers") or []]
    if not limits.LAYERS.allows(len(layers)):
        raise props.error("Layers", f"a function has at most {limits.LAYERS.most} layers")
    folders = {}
    for arn in layers:
        layer = maker.stack.find("AWS::Lambda::LayerVersion", arn)
        if layer is None:
            message = f"{arn} is not in the template; other accounts' layers cannot be fetched"
            raise props.error("Layers", message)
        folders[arn] = layer.facts["folder"]
    return folders


def _logging(props: Props, name: str) -> dict[str, str]:
    group = props.group("LoggingConfig")
    answer = {"group": f"/aws/lambda/{name}", "format": "Text", "level": ""}
    if group is None:
        return answer
    group.text("SystemLogLevel")  # START, END and REPORT lines are in the journal instead
    answer["group"] = group.text("LogGroup", answer["group"])
    answer["format"] = group.choice("LogFormat", "Text", "JSON", default="Text")
    answer["level"] = group.text("ApplicationLogLevel")
    return answer


@resource(
    "AWS::Lambda::LayerVersion", "CompatibleArchitectures", "CompatibleRuntimes", "Content",
    "Description", "LayerName", "LicenseInfo", kept=("Content",),
)  # fmt: skip
def layer_version(props: Props, maker: Maker) -> Made:
    """A layer from a zip."""
    content = _code(props, "Content")
    arn = maker.client("lambda").publish_layer_version(
        LayerName=props.text("LayerName") or maker.name(64),
        Description=props.text("Description"),
        Content=content,
        CompatibleRuntimes=props.take("CompatibleRuntimes", []),
        CompatibleArchitectures=props.take("CompatibleArchitectures", []),
        LicenseInfo=props.text("LicenseInfo"),
    )["LayerVersionArn"]
    artefact = maker.artefacts[_uri(content)]
    facts = {"folder": artefact.folder, "size": artefact.size}
    return Made(arn, {"LayerVersionArn": arn}, facts)


@resource(
    "AWS::Lambda::Permission", "Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"
)
def permission(props: Props, maker: Maker) -> Made:
    """A statement in a function's resource policy."""
    optional = ("SourceAccount", "SourceArn")
    maker.client("lambda").add_permission(
        StatementId=maker.logical_id,
        FunctionName=str(props.need("FunctionName")),
        Action=str(props.need("Action")),
        Principal=str(props.need("Principal")),
        **{name: props.text(name) for name in optional if name in props},
    )
    return Made(maker.name(100), {"Id": maker.logical_id})


@resource(
    "AWS::Lambda::EventSourceMapping", "BatchSize", "Enabled", "EventSourceArn", "FilterCriteria",
    "FunctionName", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "ScalingConfig",
    "Tags", kept=("ScalingConfig",),
)  # fmt: skip
def event_source_mapping(props: Props, maker: Maker) -> Made:
    """A standard SQS queue feeding a function; run by localcloud.pollers."""
    source, name = str(props.need("EventSourceArn")), str(props.need("FunctionName"))
    name = name.rsplit(":", 1)[-1]
    if ":sqs:" not in source or source.endswith(".fifo"):
        raise props.error("EventSourceArn", f"{source} is not a standard SQS queue")
    size = props.bounded("BatchSize", limits.BATCH_SIZE, 10)
    window = props.bounded("MaximumBatchingWindowInSeconds", limits.BATCH_WINDOW, 0)
    if size > 10 and window < 1:
        message = f"above 10 needs a MaximumBatchingWindowInSeconds of at least 1, not {window}"
        raise props.error("BatchSize", message)
    _visible_long_enough(props, maker, source, name)
    request: dict[str, Any] = {"EventSourceArn": source, "FunctionName": name, "BatchSize": size}
    request["MaximumBatchingWindowInSeconds"] = window
    request["Enabled"] = props.boolean("Enabled", default=True)
    request["FunctionResponseTypes"] = props.take("FunctionResponseTypes", [])
    if odd := set(request["FunctionResponseTypes"]) - {"ReportBatchItemFailures"}:
        raise props.error("FunctionResponseTypes", f"there is no {sorted(odd)[0]!r}")
    if (scaling := props.group("ScalingConfig")) is not None:
        most = scaling.bounded("MaximumConcurrency", limits.CONCURRENCY, 2)
        request["ScalingConfig"] = {"MaximumConcurrency": most}
    filters = _filters(props)
    if filters:
        request["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in filters]}
    props.tags()
    made = maker.client("lambda").create_event_source_mapping(**request)
    return Made(made["UUID"], {"Id": made["UUID"]}, {"request": request, "filters": filters})


def _visible_long_enough(props: Props, maker: Maker, source: str, name: str) -> None:
    """CreateEventSourceMapping refuses a queue that shows messages again before the timeout."""
    function = maker.stack.find("AWS::Lambda::Function", name)
    queues = maker.stack.of_type("AWS::SQS::Queue")
    queue = next((each for each in queues if each.attributes["Arn"] == source), None)
    if function is None or queue is None:
        missing = name if function is None else source
        raise props.error("EventSourceArn", f"{missing} is not in the template")
    visible, timeout = queue.facts["visibility_s"], function.facts["request"]["Timeout"]
    if visible < timeout:
        message = f"queue visibility timeout {visible} s is less than function timeout {timeout} s"
        raise props.error("EventSourceArn", message)


def _filters(props: Props) -> list[str]:
    criteria = props.group("FilterCriteria")
    filters = [str(each.need("Pattern")) for each in criteria.groups("Filters")] if criteria else []
    if not limits.FILTERS.allows(len(filters)):
        raise props.error("FilterCriteria", f"a mapping has at most {limits.FILTERS.most} filters")
    for pattern in filters:
        try:
            compile_pattern(pattern)
        except InvalidPattern as error:
            raise props.error("FilterCriteria", str(error)) from error
    return filters


@resource(
    "AWS::Lambda::EventInvokeConfig", "DestinationConfig", "FunctionName",
    "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier",
)  # fmt: skip
def event_invoke_config(props: Props, maker: Maker) -> Made:
    """How asynchronous invocations are repeated and where they end; see localcloud.invocations."""
    name = str(props.need("FunctionName"))
    props.choice("Qualifier", "$LATEST")
    retries = props.bounded("MaximumRetryAttempts", limits.ASYNC_RETRIES, 2)
    age = props.bounded("MaximumEventAgeInSeconds", limits.ASYNC_AGE, 6 * 3600)
    destinations: dict[str, dict[str, str]] = {}
    if (config := props.group("DestinationConfig")) is not None:
        for outcome in ("OnFailure", "OnSuccess"):
            if (destination := config.group(outcome)) is not None:
                arn = str(destination.need("Destination"))
                known = arn.split(":")[2:3] in (["sqs"], ["sns"], ["events"], ["lambda"])
                if not known or arn.endswith(".fifo"):
                    raise destination.error("Destination", f"{arn} is not a supported destination")
                destinations[outcome] = {"Destination": arn}
    maker.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=retries,
        MaximumEventAgeInSeconds=age,
        DestinationConfig=destinations,
    )
    facts = {"function": name, "retries": retries, "age_s": age, "destinations": destinations}
    return Made(maker.name(), facts=facts)
