"""AWS Systems Manager: parameters. CloudFormation makes no SecureString, so neither is one here."""

from __future__ import annotations

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource

# "AWS Systems Manager endpoints and quotas": bytes of a parameter's value by its tier
_LARGEST = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}


@resource("AWS::SSM::Parameter", "Description", "Name", "Tags", "Tier", "Type", "Value")
def parameter(props: Props, maker: Maker) -> Made:
    """A String or StringList parameter."""
    name = props.text("Name") or maker.name(1011)
    kind = props.choice("Type", "String", "StringList")
    tier = props.choice("Tier", *_LARGEST, default="Standard")
    value = str(props.need("Value"))
    if not 1 <= len(value.encode()) <= _LARGEST[tier]:
        message = f"has {len(value.encode())} bytes, a {tier} parameter 1 to {_LARGEST[tier]}"
        raise props.error("Value", message)
    maker.client("ssm").put_parameter(
        Name=name,
        Description=props.text("Description"),
        Type=kind,
        Value=value,
        Tier=tier,
        Tags=[{"Key": key, "Value": each} for key, each in props.tags().items()],
    )
    return Made(name, {"Type": kind, "Value": value})
