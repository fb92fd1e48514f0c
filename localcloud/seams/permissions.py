"""moto's state of who is who and which policies hang where, in every account."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeDeleteMarker, s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.sts.models import sts_backends

from localcloud.seams.model_cards import Cards
from localcloud.wiring import RolePolicies, Session

_PARTITION = "aws"


class Permissions:
    """What the guard must know of moto's state.

    Attributes:
        callbacks: by token, the ARN of the pipeline execution that waits for it; moto has none.
    """

    def __init__(self) -> None:
        self.callbacks: dict[str, str] = {}

    def session(self, access_key: str, account: str) -> Session | None:
        """The role session that an access key belongs to; None for any other key."""
        backend = sts_backends[account][_PARTITION]
        found = backend.get_assumed_role_from_access_key(access_key)
        if found is None:
            return None
        return Session(found.role_arn, found.arn, found.role_arn.split(":")[4], found.policy or "")

    def role(self, arn: str) -> RolePolicies | None:
        """A role's policies; None if there is no such role."""
        backend = iam_backends[arn.split(":")[4]][_PARTITION]
        found = next((role for role in backend.roles.values() if role.arn == arn), None)
        if found is None:
            return None
        managed = (
            (each.name, each.versions[int(each.default_version_id[1:]) - 1].document)
            for each in found.managed_policies.values()
        )
        trust = found.assume_role_policy_document
        return RolePolicies(found.name, trust, tuple(found.policies.items()), tuple(managed))

    def resource_policy(self, arn: str) -> str | None:
        """The policy of a bucket, queue, topic, function, key, bus, secret or role, as JSON.

        None if the resource has none, or there is no such resource.
        """
        reader = _POLICIES.get(arn.split(":")[2])
        return reader(arn) if reader else None

    def bucket_owner(self, bucket: str) -> str:
        """The account a bucket belongs to; "" if there is no such bucket."""
        return str(s3_backends.bucket_accounts.get(bucket, ("", ""))[1])

    def has_object(self, bucket: str, key: str, version: str | None) -> bool:
        """Whether there is such an object (or version), delete markers not counted."""
        if not self.bucket_owner(bucket):
            return True  # the service itself says that there is no such bucket
        return _object(bucket, key, version) is not None

    def key_of(self, arn: str) -> str:
        """ARN of the customer's key that encrypts a queue, topic, secret or model card; "" if none.

        Of a bucket, or anything in it, the default for what is written.
        """
        reader = _KEYS.get(arn.split(":")[2])
        named = reader(arn) if reader else ""
        return self.customer_key(named, *_home(arn)[::-1])

    def key_of_object(self, arn: str, version: str | None) -> str:
        """ARN of the customer's key an object (or version) is encrypted with; "" if none."""
        bucket, _, name = arn.split(":", 5)[5].partition("/")
        found = _object(bucket, name, version) if self.bucket_owner(bucket) else None
        if found is None or not str(found.encryption).startswith("aws:kms"):
            return ""
        return self.customer_key(found.kms_key_id or "", *_home(arn)[::-1])

    def upload_encryption(self, bucket: str, upload: str) -> tuple[str, str]:
        """Algorithm and key that a multipart upload was begun with, each "" if not given."""
        found = _bucket(f"arn:aws:s3:::{bucket}")
        begun = found.multiparts.get(upload) if found is not None else None
        return ("", "") if begun is None else (begun.sse_encryption or "", begun.kms_key_id or "")

    def customer_key(self, named: str, account: str, region: str) -> str:
        """The ARN of a customer's key that is named by id, ARN or alias; "" if it is AWS's own.

        A key that does not exist has an ARN too, which no policy allows.
        """
        if not named or "alias/aws/" in named:
            return ""
        arn = self.key_arn(named, account, region)
        if arn.startswith("arn:"):
            return arn
        path = arn if arn.startswith("alias/") else f"key/{arn}"
        return f"arn:aws:kms:{region}:{account}:{path}"

    def key_arn(self, named: str, account: str, region: str) -> str:
        """The ARN of a key that is named by id, ARN or alias; the name itself if there is none."""
        if named.startswith("arn:"):
            region, account = named.split(":")[3:5]
        backend = kms_backends[account][region]
        identifier = backend.any_id_to_key_id(named)
        key = backend.keys.get(identifier)
        return named if key is None else str(key.arn)

    def secret_arn(self, named: str, account: str, region: str) -> str:
        """The ARN of a secret that is named by name or ARN; "" if there is none."""
        found = secretsmanager_backends[account][region].secrets.get(named)
        return "" if found is None else str(found.arn)


def _home(arn: str) -> tuple[str, str]:
    """Region and account of an ARN; of a bucket its owner's."""
    parts = arn.split(":")
    if parts[2] == "s3":
        bucket = _bucket(arn)
        return (bucket.region_name, bucket.account_id) if bucket else ("us-east-1", "")
    return parts[3], parts[4]


def _bucket(arn: str) -> Any:
    name = arn.split(":", 5)[5].partition("/")[0]
    account = s3_backends.bucket_accounts.get(name, ("", ""))[1]
    return s3_backends[account][_PARTITION].buckets.get(name) if account else None


def _object(bucket: str, key: str, version: str | None) -> Any:
    """An object or version of a bucket that exists; None if there is none, or a delete marker."""
    account = s3_backends.bucket_accounts[bucket][1]
    try:
        found = s3_backends[account][_PARTITION].get_object(bucket, key, version_id=version)
    except S3ClientError:
        return None
    return None if isinstance(found, FakeDeleteMarker) else found


def _bucket_policy(arn: str) -> str | None:
    bucket: FakeBucket | None = _bucket(arn)
    return bucket.policy.decode() if bucket is not None and bucket.policy else None


def _queue(arn: str) -> Any:
    region, account = _home(arn)
    return sqs_backends[account][region].queues.get(arn.split(":")[5])


def _topic(arn: str) -> Any:
    region, account = _home(arn)
    return sns_backends[account][region].topics.get(":".join(arn.split(":")[:6]))


def _queue_policy(arn: str) -> str | None:
    queue = _queue(arn)
    return str(queue.policy) if queue is not None and queue.policy else None


def _topic_policy(arn: str) -> str | None:
    topic = _topic(arn)
    return None if topic is None else str(topic.policy)


def _function_policy(arn: str) -> str | None:
    region, account = _home(arn)
    functions = lambda_backends[account][region].list_functions()
    name = arn.split(":")[6]
    found = next((each for each in functions if each.function_name == name), None)
    statements = found.policy.statements if found else []
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _key_policy(arn: str) -> str | None:
    region, account = _home(arn)
    key = kms_backends[account][region].keys.get(arn.rpartition("/")[2])
    return None if key is None else str(key.policy)


def _bus_policy(arn: str) -> str | None:
    region, account = _home(arn)
    bus = events_backends[account][region].event_buses.get(arn.rpartition("/")[2])
    return None if bus is None else bus.policy


def _log_policy(arn: str) -> str | None:
    """Of log groups: the account's resource policies, put together."""
    region, account = _home(arn)
    found = logs_backends[account][region].resource_policies.values()
    documents = [json.loads(each.policy_document) for each in found]
    statements = [each for document in documents for each in _listed(document["Statement"])]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _listed(statements: Any) -> list[Any]:
    return statements if isinstance(statements, list) else [statements]


def _secret_policy(arn: str) -> str | None:
    region, account = _home(arn)
    secret = secretsmanager_backends[account][region].secrets.get(arn)
    return getattr(secret, "policy", None)


def _trust_policy(arn: str) -> str | None:
    role = Permissions().role(arn)
    return None if role is None else role.trust


_POLICIES: dict[str, Callable[[str], str | None]] = {
    "events": _bus_policy,
    "iam": _trust_policy,
    "kms": _key_policy,
    "lambda": _function_policy,
    "logs": _log_policy,
    "s3": _bucket_policy,
    "secretsmanager": _secret_policy,
    "sns": _topic_policy,
    "sqs": _queue_policy,
}


def _bucket_key(arn: str) -> str:
    bucket = _bucket(arn)
    rule = (bucket.encryption or {}).get("Rule", {}) if bucket is not None else {}
    rule = rule[0] if isinstance(rule, list) else rule
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return str(default.get("KMSMasterKeyID") or "")


def _queue_key(arn: str) -> str:
    queue = _queue(arn)
    return str(queue.kms_master_key_id or "") if queue is not None else ""


def _topic_key(arn: str) -> str:
    topic = _topic(arn)
    return str(topic.kms_master_key_id or "") if topic is not None else ""


def _secret_key(arn: str) -> str:
    region, account = _home(arn)
    secret = secretsmanager_backends[account][region].secrets.get(arn)
    return str(getattr(secret, "kms_key_id", None) or "")


def _card_key(arn: str) -> str:
    card = Cards(arn.split(":")[3]).find(arn)
    return "" if card is None else str(card.security.get("KmsKeyId") or "")


_KEYS: dict[str, Callable[[str], str]] = {
    "s3": _bucket_key,
    "sagemaker": _card_key,
    "secretsmanager": _secret_key,
    "sns": _topic_key,
    "sqs": _queue_key,
}
