"""``signalbox up``, ``upload`` and ``trace``: a cloud that stays, and what others do with it."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
import typer
from rich.console import Console
from rich.markup import escape

from cli.chain import Bucket, running
from cli.features import sensor_files
from cli.journeys import journeys
from cli.tables import Counting, paths
from cli.workloads import ROOT
from localcloud.endpoint import bound
from localcloud.journal import Record, from_line

HOME = Path(os.environ.get("SIGNALBOX_HOME", ROOT / ".signalbox"))  # noqa: TID251 - the command's one
NOTE, TRACE = HOME / "up.json", HOME / "trace.jsonl"


def run(console: Console, port: int, executor: str = "inprocess") -> int:
    """Serve until Ctrl-C or SIGTERM; leaves nothing running."""
    _refuse_second()
    bound(port).close()  # before the trace of an earlier cloud is begun anew
    stop = threading.Event()

    def ended(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ended)
    HOME.mkdir(parents=True, exist_ok=True)
    with running(TRACE, port, executor) as cloud:
        bucket = cloud.physical_id("DataBucket")
        NOTE.write_text(
            json.dumps({"endpoint": cloud.endpoint, "bucket": bucket, "pid": os.getpid()}),
            encoding="utf-8",
        )
        console.print(f"The local cloud is up at [bold]{cloud.endpoint}[/]; Ctrl-C ends it.")
        console.print(f"data bucket  {bucket}", highlight=False)
        console.print(
            "any client   AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=eu-west-1 \\"
        )
        console.print(
            f"             aws --endpoint-url {cloud.endpoint} s3 cp day.parquet s3://{bucket}/raw/hvac/unit=A1/",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        try:
            cloud.serve(stop, lambda record: _tell(console, record))
        finally:
            NOTE.unlink(missing_ok=True)
    console.print("The local cloud is down.")
    return 0


class AlreadyUp(Exception):  # noqa: N818 - named for what it says
    """Another local cloud runs from this folder; its trace and its note are not ours to overwrite."""


def _refuse_second() -> None:
    if not NOTE.is_file():
        return
    noted = json.loads(NOTE.read_text(encoding="utf-8"))
    if Path(f"/proc/{noted['pid']}").exists():
        raise AlreadyUp(
            f"a local cloud is up at {noted['endpoint']} (process {noted['pid']}); end it first, or give "
            "this one a folder of its own with SIGNALBOX_HOME"
        )


def _tell(console: Console, record: Record) -> None:
    if record.kind == "event" and record.detail.get("source") == "signalbox":
        about = (record.detail["detail"].get("source") or {}).get("key", "")
        console.print(
            f"{record.at:%H:%M:%S} {record.name:<20} {about}", highlight=False, markup=False
        )
    elif record.kind in ("job", "dead-letter"):
        console.print(
            f"{record.at:%H:%M:%S} {record.kind} {record.name} {record.status}", highlight=False
        )


def noted() -> dict[str, Any]:
    """Where the cloud is that is up: endpoint, bucket, pid."""
    if not NOTE.is_file():
        raise FileNotFoundError("no local cloud is up: start one with `signalbox up`")
    return dict(json.loads(NOTE.read_text(encoding="utf-8")))


def upload(console: Console, files: list[Path], workload: str, unit: str | None) -> int:
    """Drop files under ``raw/<workload>/``."""
    there = noted()
    s3 = boto3.client(
        "s3", endpoint_url=there["endpoint"], region_name="eu-west-1",
        aws_access_key_id="local", aws_secret_access_key="local",  # noqa: S106 - any words will do there
    )  # fmt: skip
    bucket = Bucket(s3, there["bucket"])
    found = sensor_files(files)
    room = f"raw/{workload}/" + (f"unit={unit}/" if unit else "")
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


def trace(console: Console, key: str | None) -> int:
    """Show the paths of files, from the running cloud's journal or the last one's."""
    if not TRACE.is_file():
        raise FileNotFoundError("no trace yet: run `signalbox up` and drop a file")
    with TRACE.open(encoding="utf-8") as file:
        records = [from_line(line) for line in file if line.endswith("\n")]
    told = [j for j in journeys(records) if key is None or key in j.key]
    if not told:
        console.print(
            f"No file{' with ' + escape(key) + ' in its key' if key else ''} in the trace."
        )
        raise typer.Exit(1)
    console.print(paths(told))
    return 0
