"""What a run left behind, so that two runs can be compared: objects, items, messages, events, job runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.cloud import Cloud

_SEQUENCER = re.compile(r"[0-9A-Fa-f]{32}(?=\.)")


@dataclass(frozen=True)
class EndState:
    """Effects by name, each with what it is; what there may be several of, each with how many.

    Attributes:
        effects: objects and table items.
        counts: messages at rest, runs of jobs by their states, and what the house itself said on its
            bus: how many said the same and differ in nothing but what differs from run to run.
        repeats: how many events were said again word for word: buses deliver at least once, and who hears
            one must know it again.
    """

    effects: Mapping[str, str]
    counts: Mapping[str, int]
    repeats: int = 0

    def lost(self, of: EndState) -> list[str]:
        """What the other run has and this one has not, or has otherwise, or fewer of."""
        missing = [name for name, what in of.effects.items() if self.effects.get(name) != what]
        fewer = [name for name, count in of.counts.items() if self.counts.get(name, 0) < count]
        return sorted(missing) + sorted(fewer)

    def doubled(self, of: EndState) -> list[str]:
        """What this run has and the other has not, or more of: done another time."""
        more = [name for name, count in self.counts.items() if of.counts.get(name, 0) < count]
        return sorted(set(self.effects) - set(of.effects)) + sorted(more)


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
    }
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for record in cloud.journal:
        if record.kind == "event" and record.detail["source"] == source:
            detail = record.detail["detail"]
            if not gone.intersection(map(str, detail.values())):
                plain = _text({"type": record.name, "detail": detail}, dropped)
                said[f"event {plain}"][json.dumps(detail, sort_keys=True)] += 1
    repeats = sum(total.total() - len(total) for total in said.values())
    counts = Counter({name: len(different) for name, different in said.items()})
    counts.update(_messages(cloud, dropped))
    counts.update(_runs(cloud))
    return EndState(effects, counts, repeats)


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


def _messages(cloud: Cloud, dropped: frozenset[str]) -> Counter[str]:
    return Counter(
        f"message {queue.logical_id}: {_text(json.loads(body), dropped)}"
        for queue in cloud.stack.of_type("AWS::SQS::Queue")
        for body in cloud.messages(queue.attributes["Arn"])
    )


def _runs(cloud: Cloud) -> Counter[str]:
    return Counter(
        f"job {record.name}: {record.status}" for record in cloud.journal if record.kind == "job"
    )


def _text(value: Any, dropped: frozenset[str]) -> str:
    return _SEQUENCER.sub("#", json.dumps(_without(value, dropped), sort_keys=True))


def _without(value: Any, dropped: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(each, dropped) for key, each in value.items() if key not in dropped}
    if isinstance(value, list):
        return [_without(each, dropped) for each in value]
    return value
