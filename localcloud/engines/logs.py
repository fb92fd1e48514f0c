"""What a run writes, put into CloudWatch Logs while it runs, with the rights of the run's role.

Without them the lines are lost there, as on AWS; the refused calls stand in the trace.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

# PutLogEvents takes 10,000 events, 1 MiB and 256 KiB an event ("CloudWatch Logs quotas")
_MOST_EVENTS, _LONGEST_LINE, _EVERY_S = 500, 2000, 1.0


class RunLog:
    """The log streams of one run.

    Args:
        client: boto3 client of CloudWatch Logs.
        groups: group of each stream of the process, "out" and "err".
        stream: name of the log stream in them.
        now: the virtual clock.
    """

    def __init__(
        self, client: Any, groups: Mapping[str, str], stream: str, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._now = now
        self._refused = False
        self._groups = groups
        self._stream = stream
        self._waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._there: set[str] = set()
        self._flushed = time.monotonic()

    def add(self, stream: str, line: str) -> None:
        """Take a line of one of the process's streams."""
        group = self._groups[stream]
        instant = int(self._now().timestamp() * 1000)
        event = {"timestamp": instant, "message": line[:_LONGEST_LINE] or " "}
        self._waiting[group].append(event)
        full = len(self._waiting[group]) >= _MOST_EVENTS
        if full or time.monotonic() - self._flushed > _EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Put what waits."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        self._flushed = time.monotonic()
        for group, events in waiting.items():
            if self._refused:
                return
            try:
                self._create(group)
                self._client.put_log_events(
                    logGroupName=group, logStreamName=self._stream, logEvents=events
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDeniedException":
                    raise
                self._refused = True

    def _create(self, group: str) -> None:
        if group in self._there:
            return
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            self._client.create_log_group(logGroupName=group)
        self._client.create_log_stream(logGroupName=group, logStreamName=self._stream)
        self._there.add(group)
