"""From a request to everything it must be allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.iam.needs import Need, need_of
from localcloud.iam.operations import FREE, IN_PARTS, KEY_USE, PREFIXES, RENAMED, ROLES, TAGGED
from localcloud.iam.special import SPECIAL
from localcloud.seams import Permissions
from localcloud.wiring import Call


def needs(call: Call, known: Permissions) -> list[Need]:
    """Everything a request must be allowed.

    Raises:
        UnknownAction: the permission of this operation is not known here.
    """
    prefix, operation = PREFIXES.get(call.service, call.service), call.operation()
    if (prefix, operation) in FREE:
        return []
    special = SPECIAL.get((prefix, operation))
    if special is not None:
        own = list(special(call, call.params(), known))
    else:
        names = RENAMED.get((prefix, operation), (operation,))
        own = [need_of(f"{prefix}:{name}", call, call.params(), known) for name in names]
    return [
        *own,
        *_tagged(prefix, operation, own, call),
        *_passed(prefix, operation, call),
        *_keys(own, call, known),
    ]


def _tagged(prefix: str, operation: str, own: list[Need], call: Call) -> Iterator[Need]:
    """Tags on creation are a permission of their own."""
    if prefix == TAGGED and operation.startswith("Create") and call.params().get("Tags"):
        yield Need(f"{prefix}:AddTags", own[0].resource)


def _passed(prefix: str, operation: str, call: Call) -> Iterator[Need]:
    """iam:PassRole for every role that a request hands to a service."""
    for path, service in ROLES.get((prefix, operation), ()):
        for role in _at(call.params(), path.split(".")):
            arn = role if role.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{role}"
            yield Need("iam:PassRole", arn, {"iam:passedtoservice": service})


def _at(value: Any, path: list[str]) -> Iterator[str]:
    if not path:
        if value:
            yield str(value)
        return
    name = path[0].removesuffix("[]")
    found = value.get(name) if isinstance(value, Mapping) else None
    for each in (found or []) if path[0].endswith("[]") else [found]:
        if each is not None:
            yield from _at(each, path[1:])


def _keys(own: list[Need], call: Call, known: Permissions) -> Iterator[Need]:
    """What the use of customers' keys needs beside."""
    for need in own:
        uses = KEY_USE.get(need.action, ())
        if need.action == "s3:PutObject" and call.operation() in IN_PARTS:
            uses = (*uses, "kms:Decrypt")
        if uses and call.params().get("IncludedData") == "MetadataOnly":  # of DescribeModelCard
            uses = ()
        key = key_used(need, known, call) if uses else ""
        for action in uses if key else ():
            yield Need(action, key, through(need, key))


def key_used(need: Need, known: Permissions, call: Call | None = None) -> str:
    """ARN of the customer's key that a need makes use of; "" if none.

    What is read was encrypted with its own key. What is written to S3 takes the key that the
    request names, or the one its multipart upload began with, else the bucket's default
    ("Specifying server-side encryption with AWS KMS" of the S3 User Guide).
    """
    if need.action in {"s3:GetObject", "s3:GetObjectVersion"}:
        return known.key_of_object(need.resource, need.context.get("s3:versionid"))
    if need.action == "s3:PutObject" and call is not None:
        params = call.params()
        algorithm, named = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
        if params.get("UploadId"):
            algorithm, named = known.upload_encryption(params["Bucket"], params["UploadId"])
        if named:
            return known.customer_key(named, call.account, call.region)
        if algorithm == "AES256":
            return ""
    if need.action == "sagemaker:CreateModelCard" and call is not None:
        named = call.params().get("SecurityConfig", {}).get("KmsKeyId", "")
        return known.customer_key(named, call.account, call.region)
    return known.key_of(need.resource)


def through(need: Need, key: str) -> dict[str, str]:
    """Condition keys of the use that a service makes of a key for its caller ("kms:ViaService").

    Of a model card also those of "Set up AWS KMS permissions for shared accounts" (SageMaker).
    """
    service, region = need.action.partition(":")[0], key.split(":")[3]
    found = {"kms:viaservice": f"{service}.{region}.amazonaws.com"}
    if ":model-card/" in need.resource:
        found["kms:encryptioncontext:aws:sagemaker:model-card-arn"] = need.resource
        found["kms:grantisforawsresource"] = "true"
    return found
