"""From a request to what it needs: actions, each on a resource, with the condition keys of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.iam.actions import fill, resource_types, variables
from localcloud.iam.errors import UnknownAction
from localcloud.iam.operations import (
    ARNS,
    DEFAULTS,
    FREE,
    KEY_USE,
    NAMES,
    OF_VERSION,
    PREFIXES,
    RENAMED,
    ROLES,
)
from localcloud.seams import Permissions
from localcloud.wiring import Call

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """One permission that a request needs; `context` holds its own condition keys, lower case."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def needs(call: Call, known: Permissions) -> list[Need]:
    """Everything a request must be allowed.

    Raises:
        UnknownAction: the permission of this operation is not known here.
    """
    prefix, operation = PREFIXES.get(call.service, call.service), call.operation()
    if (prefix, operation) in FREE:
        return []
    special = _SPECIAL.get((prefix, operation))
    if special is not None:
        own = list(special(call, call.params(), known))
    else:
        names = RENAMED.get((prefix, operation), (operation,))
        own = [_need(f"{prefix}:{name}", call, call.params(), known) for name in names]
    return [*own, *_passed(prefix, operation, call), *_keys(own, known)]


def _need(action: str, call: Call, params: Params, known: Permissions) -> Need:
    prefix, _, name = action.partition(":")
    context: dict[str, str] = {}
    if prefix == "s3":
        context = _s3_context(params)
        if params.get("VersionId") and name in OF_VERSION:
            action = f"s3:{OF_VERSION[name]}"
    return Need(action, _resource(action, call, params, known), context)


def _resource(action: str, call: Call, params: Params, known: Permissions) -> str:
    """The ARN a request is judged on; "*" where its action knows none, or it names none."""
    prefix = action.partition(":")[0]
    place = {"Partition": "aws", "Region": call.region, "Account": call.account}
    for _, template in resource_types(action):
        values = dict(place)
        for variable in variables(template):
            value = _value(prefix, variable, params)
            if value is None:
                break
            values[variable] = value
        else:
            last = values[variables(template)[-1]] if variables(template) else ""
            whole = last if last.startswith("arn:") else fill(template, values)
            return _exact(prefix, whole, call, params, known)
    return next((str(params[name]) for name in ARNS if params.get(name)), "*")


def _value(prefix: str, variable: str, params: Params) -> str | None:
    for name in NAMES.get(prefix, {}).get(variable, (variable,)):
        value = params.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value:
            if prefix == "sqs":
                return value.rsplit("/", 1)[-1]
            return value.removeprefix("/") if prefix == "ssm" else value
    return DEFAULTS.get((prefix, variable))


def _exact(prefix: str, arn: str, call: Call, params: Params, known: Permissions) -> str:
    """The ARN as the service itself writes it."""
    if prefix == "kms":
        return known.key_arn(str(params["KeyId"]), call.account, call.region)
    if prefix == "secretsmanager" and "SecretId" in params:
        return known.secret_arn(str(params["SecretId"]), call.account, call.region) or arn
    if prefix == "logs" and ":log-stream:" not in arn:
        return f"{arn}:log-stream:"
    return arn


def _s3_context(params: Params) -> dict[str, str]:
    return {key: str(params[name]) for key, name in _S3_KEYS.items() if params.get(name)}


_S3_KEYS = {
    "s3:delimiter": "Delimiter",
    "s3:max-keys": "MaxKeys",
    "s3:prefix": "Prefix",
    "s3:versionid": "VersionId",
    "s3:x-amz-acl": "ACL",
    "s3:x-amz-copy-source": "CopySource",
    "s3:x-amz-server-side-encryption": "ServerSideEncryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
}


def _read_object(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """S3 says "not found" only to those who may list the bucket, to others "denied"."""
    yield _need("s3:GetObject", call, params, known)
    bucket, key = str(params["Bucket"]), str(params["Key"])
    if not known.has_object(bucket, key, params.get("VersionId")):
        yield Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")


def _put_object(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    yield _need("s3:PutObject", call, params, known)
    if params.get("Tagging"):
        yield _need("s3:PutObjectTagging", call, params, known)
    if params.get("ACL"):
        yield _need("s3:PutObjectAcl", call, params, known)


def _copy_object(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    source = params["CopySource"]
    if isinstance(source, str):
        path, _, version = source.lstrip("/").partition("?versionId=")
        bucket, _, key = path.partition("/")
        source = {"Bucket": bucket, "Key": key, "VersionId": version or None}
    yield _need("s3:GetObject", call, source, known)
    yield from _put_object(call, {**params, "VersionId": None}, known)


def _delete_objects(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    for each in params["Delete"]["Objects"]:
        yield _need("s3:DeleteObject", call, {"Bucket": params["Bucket"], **each}, known)


def _put_events(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    seen = set()
    for entry in params["Entries"]:
        bus = str(entry.get("EventBusName") or "default")
        need = (bus, str(entry.get("Source", "")), str(entry.get("DetailType", "")))
        if need not in seen:
            seen.add(need)
            context = {"events:source": need[1], "events:detail-type": need[2]}
            arn = _resource("events:PutEvents", call, {"EventBusName": bus}, known)
            yield Need("events:PutEvents", arn, context)


def _rule(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """Rules of the default bus have a shorter ARN."""
    del known
    bus = str(params.get("EventBusName") or "default").rsplit("/", 1)[-1]
    name = str(params.get("Rule") or params["Name"])
    path = name if bus == "default" else f"{bus}/{name}"
    arn = f"arn:aws:events:{call.region}:{call.account}:rule/{path}"
    yield Need(f"events:{call.operation()}", arn)


def _table(call: Call, name: str) -> str:
    return (
        name
        if name.startswith("arn:")
        else f"arn:aws:dynamodb:{call.region}:{call.account}:table/{name}"
    )


def _items(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    del known
    for name in params["RequestItems"]:
        yield Need(f"dynamodb:{call.operation()}", _table(call, name))


def _indexed(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    del known
    table = _table(call, str(params["TableName"]))
    index = f"{table}/index/{params['IndexName']}" if params.get("IndexName") else table
    yield Need(f"dynamodb:{call.operation()}", index)


def _transaction(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """ "IAM permissions for transactions": each item needs the permission of its own kind."""
    del known
    kinds = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem",
             "ConditionCheck": "ConditionCheckItem"}  # fmt: skip
    for item in params["TransactItems"]:
        for kind, body in item.items():
            yield Need(f"dynamodb:{kinds[kind]}", _table(call, body["TableName"]))


def _endpoint(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    del known
    name = str(params["EndpointName"]).lower()
    arn = f"arn:aws:sagemaker:{call.region}:{call.account}:endpoint/{name}"
    yield Need(f"sagemaker:{call.operation()}", arn)


def _model(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """ "Actions, resources, and condition keys for Amazon Bedrock": Converse is InvokeModel."""
    del known
    model, streams = str(params["modelId"]), call.operation().endswith("Stream")
    arn = f"arn:aws:bedrock:{call.region}::foundation-model/{model}"
    action = "InvokeModelWithResponseStream" if streams else "InvokeModel"
    yield Need(f"bedrock:{action}", model if model.startswith("arn:") else arn)


def _parameters(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    for name in params["Names"]:
        yield _need(f"ssm:{call.operation()}", call, {"Name": name}, known)


Special = Callable[[Call, Params, Permissions], Iterator[Need]]
_SPECIAL: dict[tuple[str, str], Special] = {
    ("bedrock", "Converse"): _model,
    ("bedrock", "ConverseStream"): _model,
    ("bedrock", "InvokeModel"): _model,
    ("bedrock", "InvokeModelWithResponseStream"): _model,
    ("dynamodb", "BatchGetItem"): _items,
    ("dynamodb", "BatchWriteItem"): _items,
    ("dynamodb", "Query"): _indexed,
    ("dynamodb", "Scan"): _indexed,
    ("dynamodb", "TransactGetItems"): _transaction,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("events", "DeleteRule"): _rule,
    ("events", "DescribeRule"): _rule,
    ("events", "DisableRule"): _rule,
    ("events", "EnableRule"): _rule,
    ("events", "ListTargetsByRule"): _rule,
    ("events", "PutEvents"): _put_events,
    ("events", "PutRule"): _rule,
    ("events", "PutTargets"): _rule,
    ("events", "RemoveTargets"): _rule,
    ("s3", "CopyObject"): _copy_object,
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "GetObject"): _read_object,
    ("s3", "HeadObject"): _read_object,
    ("s3", "PutObject"): _put_object,
    ("s3", "UploadPartCopy"): _copy_object,
    ("sagemaker", "InvokeEndpoint"): _endpoint,
    ("sagemaker", "InvokeEndpointAsync"): _endpoint,
    ("ssm", "DeleteParameters"): _parameters,
    ("ssm", "GetParameters"): _parameters,
}


def _passed(prefix: str, operation: str, call: Call) -> Iterator[Need]:
    """iam:PassRole for every role that a request hands to a service."""
    for path, service in ROLES.get((prefix, operation), ()):
        for role in _at(call.params(), path.split(".")):
            arn = role if role.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{role}"
            yield Need("iam:PassRole", arn, {"iam:passedtoservice": service})


def _at(value: Any, path: list[str]) -> Iterator[str]:
    if not path:
        if value:
            yield str(value)
        return
    name = path[0].removesuffix("[]")
    found = value.get(name) if isinstance(value, Mapping) else None
    for each in (found or []) if path[0].endswith("[]") else [found]:
        if each is not None:
            yield from _at(each, path[1:])


def _keys(own: list[Need], known: Permissions) -> Iterator[Need]:
    """What the use of customers' keys needs beside."""
    for need in own:
        uses = KEY_USE.get(need.action)
        key = uses and known.key_of(need.resource)
        if key:
            for action in uses or ():
                yield Need(action, key, through(need.action, key))


def through(action: str, key: str) -> dict[str, str]:
    """Condition keys of the use that a service makes of a key for its caller ("kms:ViaService")."""
    service, region = action.partition(":")[0], key.split(":")[3]
    return {"kms:viaservice": f"{service}.{region}.amazonaws.com"}


def known_action(action: str) -> bool:
    """Whether an action is in the frozen data."""
    try:
        resource_types(action)
    except UnknownAction:
        return False
    return True
