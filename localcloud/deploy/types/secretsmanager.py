"""AWS Secrets Manager: secrets, given or generated. Values are in no record and no message."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource

_FLAGS = (
    "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase", "IncludeSpace",
    "RequireEachIncludedType",
)  # fmt: skip
_DEFAULT_LENGTH = 32


@resource(
    "AWS::SecretsManager::Secret", "Description", "GenerateSecretString", "KmsKeyId", "Name",
    "SecretString", "Tags", kept=("KmsKeyId",),
)  # fmt: skip
def secret(props: Props, maker: Maker) -> Made:
    """A secret; one that is neither given nor generated has no value until somebody puts one."""
    client = maker.client("secretsmanager")
    request: dict[str, Any] = {"Name": props.text("Name") or maker.name(512)}
    for name in ("Description", "KmsKeyId"):
        if name in props:
            request[name] = props.text(name)
    generated = props.group("GenerateSecretString")
    if generated is not None and "SecretString" in props:
        raise props.error("SecretString", "cannot stand beside GenerateSecretString")
    if "SecretString" in props:
        request["SecretString"] = props.text("SecretString")
    elif generated is not None:
        request["SecretString"] = _generated(generated, client)
    request["Tags"] = [{"Key": key, "Value": value} for key, value in props.tags().items()]
    arn = client.create_secret(**request)["ARN"]
    return Made(arn, {"Id": arn})


def _generated(props: Props, client: Any) -> str:
    request: dict[str, Any] = {flag: props.boolean(flag) for flag in _FLAGS if flag in props}
    request["PasswordLength"] = props.integer("PasswordLength", _DEFAULT_LENGTH)
    if "ExcludeCharacters" in props:
        request["ExcludeCharacters"] = props.text("ExcludeCharacters")
    password = str(client.get_random_password(**request)["RandomPassword"])
    if ("GenerateStringKey" in props) != ("SecretStringTemplate" in props):
        message = "GenerateStringKey and SecretStringTemplate need each other"
        raise props.error("GenerateStringKey", message)
    if "GenerateStringKey" not in props:
        return password
    key = props.text("GenerateStringKey")
    try:
        members = json.loads(props.text("SecretStringTemplate"))
    except json.JSONDecodeError:
        members = None
    if not isinstance(members, dict):
        raise props.error("SecretStringTemplate", "must be a JSON object")
    return json.dumps({**members, key: password})
