"""Amazon S3: buckets and their policies."""

from __future__ import annotations

import json
from typing import Any

from localcloud.deploy.maker import Maker
from localcloud.deploy.policies import policy
from localcloud.deploy.props import Props
from localcloud.deploy.registry import Made, resource


@resource(
    "AWS::S3::Bucket", "BucketEncryption", "BucketName", "LifecycleConfiguration",
    "NotificationConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration", "Tags",
    "VersioningConfiguration",
    kept=("BucketEncryption", "LifecycleConfiguration", "OwnershipControls",
          "PublicAccessBlockConfiguration"),
)  # fmt: skip
def bucket(props: Props, maker: Maker) -> Made:
    """A general purpose bucket; of notifications only EventBridge's."""
    s3 = maker.client("s3")
    name = props.text("BucketName") or maker.name(63, lower=True)
    ownership = props.group("OwnershipControls")
    where = {"CreateBucketConfiguration": {"LocationConstraint": maker.region}}
    s3.create_bucket(Bucket=name, **({} if maker.region == "us-east-1" else where))
    if ownership is not None:
        controls = {"Rules": ownership.need("Rules")}
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
    _protect(s3, name, props)
    if (lifecycle := props.group("LifecycleConfiguration")) is not None:
        rules = [_lifecycle_rule(rule) for rule in lifecycle.groups("Rules")]
        configuration = {"Rules": rules}
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=configuration)
    if _tells_eventbridge(props):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    if tags := props.tags():
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    domain = f"{name}.s3.amazonaws.com"
    regional = f"{name}.s3.{maker.region}.amazonaws.com"
    attributes = {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain}
    return Made(name, {**attributes, "RegionalDomainName": regional})


def _protect(s3: Any, name: str, props: Props) -> None:
    if (versioning := props.group("VersioningConfiguration")) is not None:
        status = versioning.choice("Status", "Enabled", "Suspended")
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    if (encryption := props.group("BucketEncryption")) is not None:
        rules = [
            _encryption_rule(rule)
            for rule in encryption.groups("ServerSideEncryptionConfiguration")
        ]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if (block := props.group("PublicAccessBlockConfiguration")) is not None:
        flags = (
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        )
        configuration = {flag: block.boolean(flag) for flag in flags}
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=configuration)


def _encryption_rule(rule: Props) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if "BucketKeyEnabled" in rule:
        answer["BucketKeyEnabled"] = rule.boolean("BucketKeyEnabled")
    if (default := rule.group("ServerSideEncryptionByDefault")) is not None:
        by_default = {"SSEAlgorithm": default.choice("SSEAlgorithm", "AES256", "aws:kms")}
        if "KMSMasterKeyID" in default:
            by_default["KMSMasterKeyID"] = default.text("KMSMasterKeyID")
        answer["ApplyServerSideEncryptionByDefault"] = by_default
    return answer


def _lifecycle_rule(rule: Props) -> dict[str, Any]:
    answer: dict[str, Any] = {"Status": rule.choice("Status", "Enabled", "Disabled")}
    if "Id" in rule:
        answer["ID"] = rule.text("Id")
    answer["Filter"] = {"Prefix": rule.text("Prefix")}
    if "ExpirationInDays" in rule:
        answer["Expiration"] = {"Days": rule.integer("ExpirationInDays")}
    if "ExpiredObjectDeleteMarker" in rule:
        marker = rule.boolean("ExpiredObjectDeleteMarker")
        answer.setdefault("Expiration", {})["ExpiredObjectDeleteMarker"] = marker
    if (old := rule.group("NoncurrentVersionExpiration")) is not None:
        answer["NoncurrentVersionExpiration"] = _days(
            old, "NoncurrentDays", "NewerNoncurrentVersions"
        )
    if (abort := rule.group("AbortIncompleteMultipartUpload")) is not None:
        answer["AbortIncompleteMultipartUpload"] = _days(abort, "DaysAfterInitiation")
    transitions = [
        {"StorageClass": each.text("StorageClass"), "Days": each.integer("TransitionInDays")}
        for each in rule.groups("Transitions")
    ]
    return {**answer, "Transitions": transitions} if transitions else answer


def _days(props: Props, *names: str) -> dict[str, int | None]:
    return {name: props.integer(name) for name in names if name in props}


def _tells_eventbridge(props: Props) -> bool:
    notification = props.group("NotificationConfiguration")
    configured = notification.group("EventBridgeConfiguration") if notification else None
    return configured is not None and configured.boolean("EventBridgeEnabled", default=True)


@resource("AWS::S3::BucketPolicy", "Bucket", "PolicyDocument")
def bucket_policy(props: Props, maker: Maker) -> Made:
    """A bucket's policy."""
    name = str(props.need("Bucket"))
    document = json.dumps(policy(props, "PolicyDocument"))
    maker.client("s3").put_bucket_policy(Bucket=name, Policy=document)
    return Made(name, facts={"policy_of": ("PolicyDocument", (f"arn:aws:s3:::{name}",))})
