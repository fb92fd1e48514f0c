"""Amazon CloudWatch Logs: log groups and the account's resource policies."""

from __future__ import annotations

import json

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource


@resource(
    "AWS::Logs::LogGroup",
    "LogGroupName",
    "RetentionInDays",
    "Tags",
    kept=("RetentionInDays",),
)
def log_group(props: Props, maker: Maker) -> Made:
    """A log group; nothing is deleted when its retention is over."""
    logs = maker.client("logs")
    name = props.text("LogGroupName") or maker.name(512)
    logs.create_log_group(logGroupName=name, tags=props.tags())
    if (days := props.integer("RetentionInDays")) is not None:
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return Made(name, {"Arn": maker.arn("logs", f"log-group:{name}:*")})


@resource("AWS::Logs::ResourcePolicy", "PolicyDocument", "PolicyName")
def resource_policy(props: Props, maker: Maker) -> Made:
    """Who may write to the account's log groups; the document is text."""
    name, document = str(props.need("PolicyName")), str(props.need("PolicyDocument"))
    try:
        json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise props.error("PolicyDocument", "must be a policy as JSON text") from error
    maker.client("logs").put_resource_policy(policyName=name, policyDocument=document)
    return Made(name)
