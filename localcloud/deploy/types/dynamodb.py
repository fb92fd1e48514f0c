"""Amazon DynamoDB: tables without streams."""

from __future__ import annotations

from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource


@resource(
    "AWS::DynamoDB::Table", "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes", "KeySchema", "PointInTimeRecoverySpecification",
    "ProvisionedThroughput", "SSESpecification", "TableClass", "TableName", "Tags",
    "TimeToLiveSpecification",
    kept=("PointInTimeRecoverySpecification", "SSESpecification", "TimeToLiveSpecification"),
)  # fmt: skip
def table(props: Props, maker: Maker) -> Made:
    """A table."""
    dynamodb = maker.client("dynamodb")
    name = props.text("TableName") or maker.name(255)
    request: dict[str, Any] = {
        "TableName": name,
        "AttributeDefinitions": props.need("AttributeDefinitions"),
        "KeySchema": props.need("KeySchema"),
        "BillingMode": props.choice(
            "BillingMode", "PAY_PER_REQUEST", "PROVISIONED", default="PROVISIONED"
        ),
        "DeletionProtectionEnabled": props.boolean("DeletionProtectionEnabled"),
        "Tags": [{"Key": key, "Value": value} for key, value in props.tags().items()],
    }
    if (throughput := props.group("ProvisionedThroughput")) is not None:
        units = ("ReadCapacityUnits", "WriteCapacityUnits")
        request["ProvisionedThroughput"] = {unit: throughput.integer(unit) for unit in units}
    for prop in ("GlobalSecondaryIndexes", "TableClass"):
        if prop in props:
            request[prop] = props.take(prop)
    if (sealed := props.group("SSESpecification")) is not None:
        request["SSESpecification"] = _encryption(sealed)
    arn = dynamodb.create_table(**request)["TableDescription"]["TableArn"]
    if (recovery := props.group("PointInTimeRecoverySpecification")) is not None:
        flag = "PointInTimeRecoveryEnabled"
        specification = {flag: recovery.boolean(flag)}
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification=specification
        )
    if (lifetime := props.group("TimeToLiveSpecification")) is not None:
        specification = {
            "AttributeName": lifetime.need("AttributeName"),
            "Enabled": lifetime.boolean("Enabled"),
        }
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    return Made(name, {"Arn": arn})


def _encryption(props: Props) -> dict[str, Any]:
    answer: dict[str, Any] = {"Enabled": props.boolean("SSEEnabled")}
    for name in ("KMSMasterKeyId", "SSEType"):
        if name in props:
            answer["KMSMasterKeyId" if name == "KMSMasterKeyId" else name] = props.text(name)
    return answer
