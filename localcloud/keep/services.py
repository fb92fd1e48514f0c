"""What is kept of each service: taken from a running cloud, and given to a fresh one.

Through the services' own APIs where those tell and take everything (DynamoDB, CloudWatch Logs, Secrets
Manager), and through `localcloud.seams` where they do not (versions of objects, messages with their
receive counts).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import StateError
from localcloud.seams import Messages, MotoShelf, Objects
from localcloud.wiring import HeldMessage
from localcloud.world import World

_OLDEST_LINE_S = 13 * 86400  # PutLogEvents refuses lines older than 14 days
_BATCH = 25  # of BatchWriteItem
_LINES = 1000
_REGISTRY = {"model_package_groups": "ModelPackageGroupName", "model_packages": "ModelPackageArn"}


def buckets_of(
    world: World, without: str, add_blob: Callable[[bytes], str], known: dict[tuple[Any, ...], str]
) -> dict[str, Any]:
    """Every bucket with every version of every object.

    Args:
        world: the cloud.
        without: the bucket of packaged code, which every start fills.
        add_blob: keeps bytes and returns their checksum.
        known: checksums of versions seen before, so that no object is read twice.
    """
    objects, s3 = Objects(world.account, world.region), world.client("s3")
    found: dict[str, Any] = {}
    for bucket in objects.buckets():
        if bucket == without:
            continue
        versions = []
        for facts, read in objects.versions(bucket):
            if read is not None:
                place = (bucket, facts["key"], facts["version"], facts["etag"], facts["modified"])
                known[place] = known.get(place) or add_blob(read())
                facts["sha256"] = known[place]
            versions.append(facts)
        status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
        found[bucket] = {"versioning": status, "versions": versions}
    return found


def fill_buckets(world: World, kept: Mapping[str, Any], blob: Callable[[str], bytes]) -> None:
    """Put objects back; a bucket that the template does not have is made."""
    objects, s3 = Objects(world.account, world.region), world.client("s3")
    for bucket, content in kept.items():
        if bucket not in objects.buckets():
            where = {"LocationConstraint": world.region}
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
            if content["versioning"]:
                status = {"Status": content["versioning"]}
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=status)
        for facts in content["versions"]:
            body = blob(facts["sha256"]) if "sha256" in facts else None
            objects.put(bucket, facts, body)


def tables_of(world: World) -> dict[str, Any]:
    """The items of every table, in DynamoDB's typed JSON, and the table's keys."""
    dynamodb = world.client("dynamodb")
    found = {}
    for page in dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            pages = dynamodb.get_paginator("scan").paginate(TableName=name)
            items = [item for page in pages for item in page["Items"]]
            keys = dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
            found[name] = {"keys": keys, "items": items}
    return found


def fill_tables(world: World, kept: Mapping[str, Any]) -> None:
    """Put items back.

    Raises:
        StateError: a table is gone from the template, or has other keys.
    """
    dynamodb = world.client("dynamodb")
    for name, content in kept.items():
        try:
            keys = dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
        except ClientError as error:
            raise StateError(f"the state holds table {name}, which the template lacks") from error
        if keys != content["keys"]:
            raise StateError(f"the state holds table {name} with other keys than the template")
        items = content["items"]
        for start in range(0, len(items), _BATCH):
            puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH]]
            dynamodb.batch_write_item(RequestItems={name: puts})


def queues_of(world: World, causes: Mapping[str, int | None]) -> dict[str, Any]:
    """The messages of every queue, oldest first, and the record that brought each."""
    messages = Messages(world.account, world.region)
    return {
        arn: [
            {**asdict(message), "cause": causes.get(message.message_id)}
            for message in messages.held(arn)
        ]
        for arn in messages.queues()
    }


def fill_queues(world: World, kept: Mapping[str, Any]) -> Iterator[tuple[str, str, int | None]]:
    """Put messages back; yields (queue ARN, message id, cause) of each.

    Raises:
        StateError: a queue that holds messages is gone from the template.
    """
    messages = Messages(world.account, world.region)
    for arn, held in kept.items():
        for facts in held:
            cause = facts.pop("cause")
            message = HeldMessage(**facts)
            try:
                messages.put(arn, message)
            except KeyError as error:
                raise StateError(
                    f"the state holds messages of {arn}, which the template lacks"
                ) from error
            yield arn, message.message_id, cause


def logs_of(world: World) -> dict[str, Any]:
    """The lines of every log group, by stream."""
    logs = world.client("logs")
    found: dict[str, Any] = {}
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            streams: dict[str, list[dict[str, Any]]] = {}
            for event in (event for page in pages for event in page["events"]):
                line = {"timestamp": event["timestamp"], "message": event["message"]}
                streams.setdefault(event["logStreamName"], []).append(line)
            found[name] = streams
    return found


def fill_logs(world: World, kept: Mapping[str, Any]) -> None:
    """Put log lines back, save those CloudWatch Logs would not take any more."""
    logs = world.client("logs")
    oldest = (time.time() - _OLDEST_LINE_S) * 1000
    for group, streams in kept.items():
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
        for stream, lines in streams.items():
            recent = [line for line in lines if line["timestamp"] > oldest]
            if recent:
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            for start in range(0, len(recent), _LINES):
                logs.put_log_events(
                    logGroupName=group, logStreamName=stream, logEvents=recent[start : start + _LINES]
                )  # fmt: skip


def secrets_of(world: World) -> dict[str, Any]:
    """The current value of every secret, in plain text."""
    manager = world.client("secretsmanager")
    found: dict[str, Any] = {}
    for page in manager.get_paginator("list_secrets").paginate():
        for name in (each["Name"] for each in page["SecretList"]):
            value = manager.get_secret_value(SecretId=name)
            names = ("SecretString", "SecretBinary")
            found[name] = {each: value[each] for each in names if each in value}
    return found


def fill_secrets(world: World, kept: Mapping[str, Any]) -> None:
    """Put values of secrets back; a secret that the template does not have is made."""
    manager = world.client("secretsmanager")
    there = secrets_of(world)
    for name, value in kept.items():
        if name not in there:
            manager.create_secret(Name=name, **value)
        elif value != there[name]:
            manager.put_secret_value(SecretId=name, **value)


def registry_of(world: World) -> dict[str, Any]:
    """Every group of model packages and every package, with its tags."""
    found: dict[str, Any] = {}
    for kind, name in _REGISTRY.items():
        shelf = MotoShelf(world.account, world.region, kind)
        found[kind] = [
            {
                "facts": {k: v for k, v in facts.items() if not isinstance(v, datetime)},
                "instants": {k: v.isoformat() for k, v in facts.items() if isinstance(v, datetime)},
                "tags": shelf.tags(facts[name]),
            }
            for facts in shelf.all()
        ]
    return found


def fill_registry(world: World, kept: Mapping[str, Any]) -> None:
    """Put groups and packages back; a group of the template goes on with its version numbers."""
    for kind, entries in kept.items():
        name = _REGISTRY[kind]
        shelf = MotoShelf(world.account, world.region, kind)
        for each in entries:
            instants = {k: datetime.fromisoformat(v) for k, v in each["instants"].items()}
            facts = each["facts"] | instants
            arn = facts.get("ModelPackageArn") or facts["ModelPackageGroupArn"]
            there = shelf.find(facts[name])
            tags = each["tags"] if there is None else shelf.tags(facts[name])
            shelf.put(facts[name], arn, facts, tags)
