"""Amazon CloudWatch Logs: log groups."""

from __future__ import annotations

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
