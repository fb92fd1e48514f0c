"""One permission that a request needs: an action, the ARN it is judged on, its condition keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.iam.actions import fill, resource_types, variables
from localcloud.iam.operations import ARNS, DEFAULTS, NAMES, OF_VERSION
from localcloud.seams import Permissions
from localcloud.wiring import Call

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """One permission that a request needs; `context` holds its own condition keys, lower case."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def need_of(action: str, call: Call, params: Params, known: Permissions) -> Need:
    """An action on the resource that the parameters name; a version of an object has its own."""
    prefix, _, name = action.partition(":")
    context: dict[str, str] = {}
    if prefix == "s3":
        context = _s3_context(params)
        if params.get("VersionId") and name in OF_VERSION:
            action = f"s3:{OF_VERSION[name]}"
    return Need(action, resource_of(action, call, params, known), context)


def resource_of(action: str, call: Call, params: Params, known: Permissions) -> str:
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
