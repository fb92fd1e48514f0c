"""What a run writes, put into CloudWatch Logs while it runs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

# PutLogEvents takes 10,000 events, 1 MiB and 256 KiB an event ("CloudWatch Logs quotas")
_MOST_EVENTS, _LONGEST_LINE, _EVERY_S = 500, 2000, 1.0


class RunLog:
    """The log streams of one run.

    Args:
        client: boto3 client of CloudWatch Logs.
        groups: group of each stream of the process, "out" and "err".
        stream: name of the log stream in them.
    """

    def __init__(self, client: Any, groups: Mapping[str, str], stream: str) -> None:
        self._client = client
        self._groups = groups
        self._stream = stream
        self._waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._there: set[str] = set()
        self._flushed = time.monotonic()

    def add(self, stream: str, line: str) -> None:
        """Take a line of one of the process's streams."""
        group = self._groups[stream]
        # real time, since the service refuses times far ahead
        event = {"timestamp": int(time.time() * 1000), "message": line[:_LONGEST_LINE] or " "}
        self._waiting[group].append(event)
        full = len(self._waiting[group]) >= _MOST_EVENTS
        if full or time.monotonic() - self._flushed > _EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Put what waits."""
        for group, events in self._waiting.items():
            self._create(group)
            self._client.put_log_events(
                logGroupName=group, logStreamName=self._stream, logEvents=events
            )
        self._waiting.clear()
        self._flushed = time.monotonic()

    def _create(self, group: str) -> None:
        if group in self._there:
            return
        there = self._client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if all(each["logGroupName"] != group for each in there):
            self._client.create_log_group(logGroupName=group)
        self._client.create_log_stream(logGroupName=group, logStreamName=self._stream)
        self._there.add(group)
