"""Dynamic references: values that CloudFormation looks up in other services while it deploys.

Citation: "Using dynamic references to specify template values" of the CloudFormation User Guide.
`ssm` and `secretsmanager` are resolved in the properties of resources. `ssm-secure` is allowed on
AWS in a few properties of types that are not supported here, so it is refused everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import DeployError

_REFERENCE = re.compile(r"\{\{resolve:([^:{}]+):([^{}]+)\}\}")
_SECRET_ARN_PARTS = 7


def resolved(value: Any, client: Callable[[str], Any]) -> Any:
    """A property with every dynamic reference in it replaced.

    Args:
        value: a property whose functions are computed already.
        client: boto3 client of a service.

    Raises:
        DeployError: one names what is not there, or is of a kind that is not allowed here. The
            message never holds a value.
    """
    if isinstance(value, Mapping):
        return {key: resolved(each, client) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, client) for each in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value
    return _REFERENCE.sub(lambda found: _looked_up(found[1], found[2], client), value)


def refuse(value: Any, place: str) -> None:
    """Refuse dynamic references where CloudFormation does not resolve them.

    Raises:
        DeployError: there is one.
    """
    if isinstance(value, str) and _REFERENCE.search(value):
        raise DeployError(f"dynamic references are not resolved in {place}")


def parameter(name: str, client: Callable[[str], Any]) -> str:
    """The value of a Parameter Store parameter, named as `name` or `name:version`.

    Raises:
        DeployError: there is none of this name and version, or it is a SecureString.
    """
    try:
        found = client("ssm").get_parameter(Name=name)["Parameter"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise DeployError(f"Parameter Store has no parameter {name!r} ({code})") from error
    if found["Type"] == "SecureString":
        raise DeployError(f"parameter {name!r} is a SecureString, which only ssm-secure may read")
    return str(found["Value"])


def _looked_up(service: str, key: str, client: Callable[[str], Any]) -> str:
    if service == "ssm":
        return parameter(key, client)
    if service == "secretsmanager":
        return _secret(key, client)
    if service == "ssm-secure":
        raise DeployError("ssm-secure is not allowed in this property")
    raise DeployError(f"dynamic references to {service!r} are not supported")


def _secret(key: str, client: Callable[[str], Any]) -> str:
    """`secret-id:SecretString:json-key:version-stage:version-id`, all but the first optional."""
    parts = key.split(":")
    width = _SECRET_ARN_PARTS if key.startswith("arn:") else 1
    secret_id, rest = ":".join(parts[:width]), parts[width:]
    kind, member, stage, version = (*rest, "", "", "", "")[:4]
    if kind not in {"", "SecretString"} or len(rest) > 4 or (stage and version):
        raise DeployError(f"{key!r} is no reference to a secret")
    asked = {"VersionStage": stage} if stage else {"VersionId": version} if version else {}
    try:
        answer = client("secretsmanager").get_secret_value(SecretId=secret_id, **asked)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise DeployError(f"Secrets Manager has no such value: {key!r} ({code})") from error
    if "SecretString" not in answer:
        raise DeployError(f"secret {secret_id!r} is no text")
    text = str(answer["SecretString"])
    return _member(text, member, secret_id) if member else text


def _member(text: str, member: str, secret_id: str) -> str:
    try:
        members = json.loads(text)
    except json.JSONDecodeError as error:
        # without the cause: it would carry the value
        raise DeployError(f"secret {secret_id!r} is not JSON (character {error.pos})") from None
    if not isinstance(members, Mapping) or member not in members:
        raise DeployError(f"secret {secret_id!r} has no key {member!r}")
    return str(members[member])
