"""AWS KMS: symmetric keys; nothing is encrypted with them, their policies hold."""

from __future__ import annotations

import json

from localcloud.deploy.maker import Maker
from localcloud.deploy.policies import policy
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource


@resource(
    "AWS::KMS::Key", "Description", "EnableKeyRotation", "Enabled", "KeyPolicy",
    "PendingWindowInDays", "Tags", kept=("EnableKeyRotation",),
)  # fmt: skip
def key(props: Props, maker: Maker) -> Made:
    """A symmetric key."""
    kms = maker.client("kms")
    tags = [{"TagKey": name, "TagValue": value} for name, value in props.tags().items()]
    made = kms.create_key(
        Policy=json.dumps(policy(props, "KeyPolicy")),
        Description=props.text("Description"),
        Tags=tags,
    )["KeyMetadata"]
    if props.boolean("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    if not props.boolean("Enabled", default=True):
        kms.disable_key(KeyId=made["KeyId"])
    props.integer("PendingWindowInDays")  # counts when a stack is deleted, which none is here
    facts = {"policy_of": ("KeyPolicy", (made["Arn"],))}
    return Made(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]}, facts)
