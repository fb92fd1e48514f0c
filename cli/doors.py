"""``signalbox invoke`` and ``logs``: one door of the running cloud, by hand."""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import EndpointConnectionError
from rich.console import Console
from rich.text import Text

from cli.whereabouts import BadUse, client, known, noted, snake

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LOOK_AGAIN_S = 1.0


def invoke(
    console: Console, errors: Console, door: str, event: str, *, logs: bool, later: bool, raw: bool
) -> int:
    """Invoke a door with an event and print its answer; 1 if the function failed.

    An event that a queue would bring to the door is put into a batch of one message, unless `raw`.
    """
    note = noted()
    logical = known(door, note["functions"], "door")
    payload = _event(event)
    function = note["functions"][logical]
    aws = client("lambda", note)
    if not raw and not (isinstance(payload, dict) and "Records" in payload):
        queue = _queue_of(aws, function)
        if queue:
            payload = _batch(payload, queue, note["region"])
            said = f"{snake(logical)} is fed by {queue.rsplit(':', 1)[-1]}: sent as a batch of one"
            errors.print(said, highlight=False, style="dim")
    answer = aws.invoke(
        FunctionName=function, Payload=json.dumps(payload),
        InvocationType="Event" if later else "RequestResponse", LogType="None" if later else "Tail",
    )  # fmt: skip
    if later:
        console.print(f"{snake(logical)} will run; see `signalbox trace`", highlight=False)
        return 0
    body = json.loads(answer["Payload"].read() or b"null")
    failed = answer.get("FunctionError")
    console.print_json(json.dumps(body))
    if logs or failed:
        tail = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        for line in tail.splitlines():
            errors.print(Text(line), soft_wrap=True, style="dim")
    if failed:
        errors.print(Text(f"{snake(logical)} failed ({failed})"), style="bold red")
    return 1 if failed else 0


def _event(source: str) -> Any:
    """The JSON in a file, or on standard input for ``-``."""
    if source == "-":
        name, text = "standard input", sys.stdin.read()
    else:
        name, text = source, Path(source).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise BadUse(f"{name} is not JSON: {problem.msg} at {place}") from problem


def _queue_of(aws: Any, function: str) -> str | None:
    mappings = aws.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    queues = [each["EventSourceArn"] for each in mappings]
    return next((str(arn) for arn in queues if arn.split(":")[2] == "sqs"), None)


def _batch(payload: Any, queue: str, region: str) -> dict[str, Any]:
    """The event as Lambda's poller hands over one message ("Using Lambda with Amazon SQS")."""
    now = str(int(time.time() * 1000))
    record = {
        "messageId": "00000000-0000-4000-8000-000000000000",
        "receiptHandle": "by-hand",
        "body": json.dumps(payload),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now,
            "SenderId": "by-hand",
            "ApproximateFirstReceiveTimestamp": now,
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": region,
    }
    return {"Records": [record]}


def logs(console: Console, door: str | None, *, follow: bool, since: str) -> int:
    """Print what doors logged, oldest first; with `follow` until Ctrl-C or the cloud ends."""
    note = noted()
    groups: dict[str, str] = note["log_groups"]
    if door is not None:
        groups = {logical: groups[logical] for logical in [known(door, groups, "door")]}
    aws = client("logs", note)
    start = int((time.time() - _seconds(since)) * 1000)
    seen: set[str] = set()
    if not follow:
        if not _show_new(console, aws, groups, start, seen):
            console.print(f"No log lines since {since} ago.", style="dim", highlight=False)
        return 0
    try:
        while True:
            start = _show_new(console, aws, groups, start, seen) or start
            threading.Event().wait(_LOOK_AGAIN_S)
            noted()
    except KeyboardInterrupt:  # how following is meant to end
        return 0


def _show_new(
    console: Console, aws: Any, groups: dict[str, str], start: int, seen: set[str]
) -> int:
    """Print lines not seen yet; returns the time of the last one, 0 if there is none."""
    lines = sorted(_lines(aws, groups, start), key=lambda each: (each[0], each[1]))
    for at, event_id, logical, message in lines:
        if event_id not in seen:
            seen.add(event_id)
            console.print(_line(at, logical, message), soft_wrap=True)
    return max((each[0] for each in lines), default=0)


def _lines(aws: Any, groups: dict[str, str], start: int) -> Iterator[tuple[int, str, str, str]]:
    """(epoch ms, id, door, message) of each line since `start`."""
    for logical, group in groups.items():
        if not aws.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            continue  # made by the first line
        try:
            pages = aws.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=start
            )
            for page in pages:
                for event in page["events"]:
                    name = f"{group}/{event['eventId']}"
                    yield event["timestamp"], name, logical, event["message"]
        except EndpointConnectionError:
            return


def _line(at: int, logical: str, message: str) -> Text:
    moment = time.strftime("%H:%M:%S", time.gmtime(at / 1000))
    return Text.assemble((moment, "dim"), " ", (snake(logical), "cyan"), " ", message)


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise BadUse(f"--since {text!r}: say how long ago, such as 90s, 10m, 2h or 1d")
    return int(found[1]) * _UNITS_S[found[2]]
