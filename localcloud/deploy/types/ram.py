"""AWS RAM: resource shares of model cards and customer managed permissions."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource


@resource("AWS::RAM::Permission", "Name", "PolicyTemplate", "ResourceType", "Tags")
def permission(props: Props, maker: Maker) -> Made:
    """A customer managed permission, where the cloud's RAM makes them (`SharingRules`)."""
    template = props.need("PolicyTemplate")
    made = maker.client("ram").create_permission(
        name=str(props.need("Name")),
        resourceType=str(props.need("ResourceType")),
        policyTemplate=template if isinstance(template, str) else json.dumps(template),
        tags=_tags(props),
    )["permission"]
    attributes = {
        "Arn": made["arn"],
        "IsResourceTypeDefault": "false",
        "PermissionType": made["permissionType"],
        "Version": made["version"],
    }
    return Made(made["arn"], attributes)


@resource(
    "AWS::RAM::ResourceShare", "AllowExternalPrincipals", "Name", "PermissionArns", "Principals",
    "ResourceArns", "Tags",
)  # fmt: skip
def share(props: Props, maker: Maker) -> Made:
    """A resource share; accounts outside an organization are invited while it is made."""
    made = maker.client("ram").create_resource_share(
        name=str(props.need("Name")),
        allowExternalPrincipals=props.boolean("AllowExternalPrincipals", default=True),
        tags=_tags(props),
        **{
            member: [str(each) for each in props.take(name) or []]
            for name, member in (
                ("PermissionArns", "permissionArns"),
                ("Principals", "principals"),
                ("ResourceArns", "resourceArns"),
            )
        },
    )["resourceShare"]
    attributes: dict[str, Any] = {
        "Arn": made["resourceShareArn"],
        "OwningAccountId": made["owningAccountId"],
        "Status": made["status"],
    }
    return Made(made["resourceShareArn"], attributes)


def _tags(props: Props) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in props.tags().items()]
