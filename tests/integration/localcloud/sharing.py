"""Accounts that share model cards: an owner, two that edit, one that reads, and a stranger."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud
from localcloud.clients import CONFIG, session_with
from localcloud.shares import Organization, SharingRules

OWNER, DEV, TEST, PROD, STRANGER = (
    "123456789012", "222222222222", "333333333333", "444444444444", "555555555555",
)  # fmt: skip
ARN = f"arn:aws:sagemaker:eu-west-1:{OWNER}:model-card/pumps"
QUEUE = "  Queue: {Type: AWS::SQS::Queue}"
MANAGED = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerModelCards"
EXPORTING = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerModelCardsAllowExport"
READING = ["sagemaker:DescribeModelCard", "sagemaker:ListModelCardVersions"]
TOGETHER = SharingRules(Organization(frozenset({OWNER, DEV, TEST, PROD}), OWNER))
CONTENT = {
    "model_overview": {"model_id": "pumps-7", "model_description": "Warns before pumps fail."},
    "intended_uses": {"risk_rating": "Low", "purpose_of_model": "Maintenance."},
}


def content(**sections: Any) -> str:
    """A card's content: the usual one, or that with some sections replaced."""
    return json.dumps({**CONTENT, **sections})


def make_card(cloud: Cloud, name: str = "pumps", status: str = "Draft") -> str:
    """A card of the owner; returns its ARN."""
    answer = cloud.client("sagemaker").create_model_card(
        ModelCardName=name, Content=content(), ModelCardStatus=status
    )
    return str(answer["ModelCardArn"])


def reading(cloud: Cloud) -> str:
    """The owner's own permission that only reads; returns its ARN."""
    template = json.dumps({"Effect": "Allow", "Action": READING})
    made = cloud.client("ram").create_permission(
        name="read-cards", resourceType="sagemaker:ModelCard", policyTemplate=template
    )
    return str(made["permission"]["arn"])


def share(cloud: Cloud, *accounts: str, permission: str = MANAGED, **more: Any) -> str:
    """A share of the card with accounts; returns its ARN."""
    made = cloud.client("ram").create_resource_share(
        name=more.pop("name", "cards"), resourceArns=[ARN], principals=list(accounts),
        permissionArns=[permission], **more,
    )  # fmt: skip
    return str(made["resourceShare"]["resourceShareArn"])


def invitation(cloud: Cloud, account: str) -> str:
    """ARN of the invitation that an account received last."""
    ram = cloud.client("ram", account)
    return str(
        ram.get_resource_share_invitations()["resourceShareInvitations"][-1][
            "resourceShareInvitationArn"
        ]
    )


def accept(cloud: Cloud, account: str) -> None:
    """Accept the invitation that an account received last."""
    ram = cloud.client("ram", account)
    ram.accept_resource_share_invitation(resourceShareInvitationArn=invitation(cloud, account))


def role(cloud: Cloud, account: str, name: str, *statements: dict[str, Any]) -> boto3.Session:
    """A session of a role of an account that has these statements."""
    iam = cloud.client("iam", account)
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"][
        "Arn"
    ]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
    given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return session_with(
        "eu-west-1", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )


def allow(*actions: str, on: str = "*", effect: str = "Allow") -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Effect": effect, "Action": list(actions), "Resource": on}


def client_of(session: boto3.Session, service: str) -> Any:
    """A client of a session in this process."""
    return session.client(service, config=CONFIG)


def refusal(call: Any, **members: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    return str(caught.value.response["Error"]["Code"])


def denied(call: Any, **members: Any) -> bool:
    """Whether a call is refused as AccessDenied."""
    return refusal(call, **members) == "AccessDeniedException"


def status(cloud: Cloud) -> str:
    """How the owner's card stands."""
    answer = cloud.client("sagemaker").describe_model_card(ModelCardName="pumps")
    return str(answer["ModelCardStatus"])
