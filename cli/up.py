"""``signalbox up`` and ``upload``: a cloud that stays, and files dropped into it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from cli.chain import Bucket, running
from cli.features import sensor_files
from cli.tables import Counting
from cli.whereabouts import HOME, NOTE, TRACE, alive, client, noted
from localcloud import Chaos, Cloud
from localcloud.endpoint import bound
from localcloud.journal import Record


class AlreadyUp(Exception):  # noqa: N818 - named for what it says
    """Another local cloud runs from this folder; its trace and its note are not ours to overwrite."""


def run(
    console: Console,
    port: int,
    state: Path | None,
    executor: str = "inprocess",
    chaos: Chaos | None = None,
    parameters: Mapping[str, str] | None = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM; leaves nothing running."""
    _refuse_second()
    bound(port).close()  # before the trace of an earlier cloud is begun anew
    stop, hurry = threading.Event(), threading.Event()

    def ended(_number: int, _frame: FrameType | None) -> None:
        (hurry if stop.is_set() else stop).set()

    HOME.mkdir(parents=True, exist_ok=True)
    with running(
        TRACE, port, executor, checked=True, state=state, chaos=chaos, parameters=parameters
    ) as cloud:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, ended)
        with _note(cloud):
            _greet(console, cloud, state)
            cloud.serve(stop, lambda record: _tell(console, record), hurry)
    for line in cloud.left_behind:
        console.print(f"not kept: {line}", highlight=False, markup=False)
    kept = f" Its state is in {state}." if state is not None else ""
    console.print(f"The local cloud is down.{kept}", highlight=False)
    return 0


@contextmanager
def _note(cloud: Cloud) -> Iterator[None]:
    """Tell other commands where the cloud is, for as long as it is there."""
    stack = cloud.stack
    functions = list(stack.of_type("AWS::Lambda::Function"))
    note = {
        "endpoint": cloud.endpoint,
        "region": cloud.region,
        "bucket": cloud.physical_id("DataBucket"),
        "pid": os.getpid(),
        "bus": cloud.outputs.get("BusName", ""),
        "tables": {
            each.logical_id: each.physical_id for each in stack.of_type("AWS::DynamoDB::Table")
        },
        "functions": {each.logical_id: each.physical_id for each in functions},
        "log_groups": {each.logical_id: each.facts["logging"]["group"] for each in functions},
        "queues": {
            each.logical_id: each.attributes["QueueUrl"]
            for each in stack.of_type("AWS::SQS::Queue")
        },
    }
    fresh = NOTE.with_suffix(".new")
    fresh.write_text(json.dumps(note, indent=1), encoding="utf-8")
    fresh.replace(NOTE)  # a reader sees all of it or nothing
    try:
        yield
    finally:
        NOTE.unlink(missing_ok=True)


def _greet(console: Console, cloud: Cloud, state: Path | None) -> None:
    bucket = cloud.physical_id("DataBucket")
    console.print(f"The local cloud is up at [bold]{cloud.endpoint}[/]; Ctrl-C ends it.")
    lines = [f"data bucket  {bucket}", f"artefacts    {cloud.packages}"]
    lines += [f"event bus    {cloud.outputs['BusName']}"] if "BusName" in cloud.outputs else []
    lines += [f"state        {state}, kept"] if state is not None else []
    lines += [
        "any client   AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=eu-west-1 \\",
        f"             aws --endpoint-url {cloud.endpoint} s3 cp day.parquet s3://{bucket}/raw/hvac/unit=A1/",
        "elsewhere    signalbox upload · trace · invoke · logs · dead-letters · redrive",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _refuse_second() -> None:
    if not NOTE.is_file():
        return
    there = json.loads(NOTE.read_text(encoding="utf-8"))
    if alive(there["pid"]):
        raise AlreadyUp(
            f"a local cloud is up at {there['endpoint']} (process {there['pid']}); end it first, or give "
            "this one a folder of its own with SIGNALBOX_HOME"
        )


def _tell(console: Console, record: Record) -> None:
    if record.kind == "event" and record.detail.get("source") == "signalbox":
        detail = record.detail["detail"]
        about = (detail.get("source") or {}).get("key") or detail.get("episode", "")
        console.print(
            f"{record.at:%H:%M:%S} {record.name:<20} {about}", highlight=False, markup=False
        )
    elif record.kind in ("job", "dead-letter", "redrive"):
        console.print(
            f"{record.at:%H:%M:%S} {record.kind} {record.name} {record.status}", highlight=False
        )


def upload(
    console: Console, files: list[Path], workload: str, unit: str | None, under: str = "raw"
) -> int:
    """Drop files under ``<under>/<workload>/``."""
    note = noted()
    bucket = Bucket(client("s3", note), note["bucket"])
    found = sensor_files(files)
    room = f"{under}/{workload}/" + (f"unit={unit}/" if unit else "")
    with Counting(console, "uploading", len(found)) as counting:
        for path in found:
            bucket.drop(path, room + _below(path, files))
            counting.step(path.name)
    console.print(
        f"{len(found)} files -> s3://{bucket.name}/{room}; see `signalbox trace`", highlight=False
    )
    return 0


def _below(path: Path, given: list[Path]) -> str:
    """The file's place within the folder it was found in, or its name."""
    for folder in given:
        if folder.is_dir() and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.name
