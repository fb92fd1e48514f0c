"""What a run left behind, so that two runs can be compared: objects, items, messages, events, job runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.cloud import Cloud

_SEQUENCER = re.compile(r"[0-9A-Fa-f]{32}(?=\.)")


@dataclass(frozen=True)
class EndState:
    """Effects by name, each with what it is; and what was said on the buses.

    Attributes:
        effects: objects, table items and messages at rest, and how many runs each job had.
        events: what the house itself said, and how often.
    """

    effects: Mapping[str, str]
    events: Mapping[str, int]

    def lost(self, of: EndState) -> list[str]:
        """What the other run has and this one has not, or has otherwise."""
        missing = [name for name, what in of.effects.items() if self.effects.get(name) != what]
        return sorted(missing) + sorted(set(of.events) - set(self.events))

    def doubled(self, of: EndState) -> list[str]:
        """What this run has and the other has not: done another time, under another name.

        An event that is said again word for word is the same event: buses deliver at least once, and who
        hears it must know it again.
        """
        return sorted(set(self.effects) - set(of.effects)) + sorted(
            set(self.events) - set(of.events)
        )

    @property
    def repeats(self) -> int:
        """How many events were said again word for word."""
        return sum(self.events.values()) - len(self.events)


def end_state(
    cloud: Cloud, source: str, volatile: Iterable[str], outdated: Callable[[list[str]], set[str]]
) -> EndState:
    """Look at everything the deployed stack keeps.

    Args:
        cloud: at rest.
        source: of the events that count.
        volatile: names of fields that differ from run to run: instants, ids given by a service.
        outdated: of a bucket's keys, those that something newer replaced. Whether they were written on
            the way depends on the order of events: neither they nor events that speak of them are compared.
    """
    dropped = frozenset(volatile)
    gone: set[str] = set()
    effects = {
        **dict(_objects(cloud, dropped, outdated, gone)),
        **dict(_items(cloud, dropped)),
        **dict(_messages(cloud, dropped)),
        **dict(_runs(cloud)),
    }
    said = Counter(
        _text({"type": record.name, "detail": record.detail["detail"]}, dropped)
        for record in cloud.journal
        if record.kind == "event"
        and record.detail["source"] == source
        and not gone.intersection(map(str, record.detail["detail"].values()))
    )
    return EndState(effects, said)


def _objects(
    cloud: Cloud,
    dropped: frozenset[str],
    outdated: Callable[[list[str]], set[str]],
    gone: set[str],
) -> Iterable[tuple[str, str]]:
    s3 = cloud.client("s3")
    for bucket in cloud.stack.of_type("AWS::S3::Bucket"):
        name = bucket.physical_id
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        gone |= outdated(keys)
        for key in keys:
            if key in gone:
                continue
            body = s3.get_object(Bucket=name, Key=key)["Body"].read()
            place = f"object {bucket.logical_id}/{_SEQUENCER.sub('#', key)}"
            try:
                yield place, _text(json.loads(body), dropped)
            except ValueError:
                yield place, hashlib.sha256(body).hexdigest()


def _items(cloud: Cloud, dropped: frozenset[str]) -> Iterable[tuple[str, str]]:
    tables = cloud.client("dynamodb")
    for table in cloud.stack.of_type("AWS::DynamoDB::Table"):
        name = table.physical_id
        described = tables.describe_table(TableName=name)["Table"]["KeySchema"]
        keys = [each["AttributeName"] for each in described]
        for page in tables.get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                place = "/".join(str(next(iter(item[key].values()))) for key in keys)
                yield f"item {table.logical_id}/{place}", _text(item, dropped)


def _messages(cloud: Cloud, dropped: frozenset[str]) -> Iterable[tuple[str, str]]:
    for queue in cloud.stack.of_type("AWS::SQS::Queue"):
        at_rest = Counter(
            _text(json.loads(body), dropped) for body in cloud.messages(queue.attributes["Arn"])
        )
        for text, count in at_rest.items():
            yield f"message {queue.logical_id}: {text}", str(count)


def _runs(cloud: Cloud) -> Iterable[tuple[str, str]]:
    runs = Counter(
        f"{record.name}: {record.detail.get('state', record.status)}"
        for record in cloud.journal
        if record.kind == "job"
    )
    for what, count in runs.items():
        yield f"job {what}", str(count)


def _text(value: Any, dropped: frozenset[str]) -> str:
    return _SEQUENCER.sub("#", json.dumps(_without(value, dropped), sort_keys=True))


def _without(value: Any, dropped: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(each, dropped) for key, each in value.items() if key not in dropped}
    if isinstance(value, list):
        return [_without(each, dropped) for each in value]
    return value
