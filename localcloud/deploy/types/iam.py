"""AWS IAM: roles with inline and managed policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.policies import policy as policy_document
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource

# SAM's policy templates leave it out, where IAM assumes 2008-10-17 and moto refuses
_VERSION = "2012-10-17"
_TRUST = "AssumeRolePolicyDocument"


@resource(
    "AWS::IAM::Role", "AssumeRolePolicyDocument", "Description", "ManagedPolicyArns",
    "MaxSessionDuration", "Path", "Policies", "RoleName", "Tags",
)  # fmt: skip
def role(props: Props, maker: Maker) -> Made:
    """A role; localcloud.iam judges what is done in its name."""
    iam = maker.client("iam")
    name = props.text("RoleName") or maker.name(64)
    created = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(policy_document(props, "AssumeRolePolicyDocument")),
        Description=props.text("Description"),
        MaxSessionDuration=props.integer("MaxSessionDuration", 3600),
        Path=props.text("Path", "/"),
        Tags=[{"Key": key, "Value": value} for key, value in props.tags().items()],
    )["Role"]
    policies = {}
    for policy in props.groups("Policies"):
        document = _dated(policy_document(policy, "PolicyDocument", identity=True))
        policies[policy.text("PolicyName")] = document
        iam.put_role_policy(
            RoleName=name,
            PolicyName=policy.text("PolicyName"),
            PolicyDocument=json.dumps(document),
        )
    for arn in props.take("ManagedPolicyArns") or []:
        if arn.startswith("arn:aws:iam::aws:") and not maker.state.know_managed_policy(arn):
            raise props.error("ManagedPolicyArns", f"AWS has no managed policy {arn}")
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    attributes = {"Arn": created["Arn"], "RoleId": created["RoleId"]}
    return Made(name, attributes, {"policies": policies, "policy_of": (_TRUST, (created["Arn"],))})


def _dated(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": _VERSION, **document}
