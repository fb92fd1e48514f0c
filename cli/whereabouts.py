"""Where the running cloud is: the note that `signalbox up` leaves, and clients made from it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from cli.workloads import ROOT
from localcloud.control import HEADER, ROOM

HOME = Path(os.environ.get("SIGNALBOX_HOME", ROOT / ".signalbox"))  # noqa: TID251 - the command's one
NOTE, TRACE = HOME / "up.json", HOME / "trace.jsonl"
START = "start one with `signalbox up`"
_LONGEST_FUNCTION_S = 900


class NotUp(Exception):  # noqa: N818 - named for what it says
    """There is no running cloud to ask; the message says how to get one."""


class BadUse(Exception):  # noqa: N818 - named for what it says
    """Asked for something that is not there; the message names what is."""


def noted() -> dict[str, Any]:
    """What the running cloud says of itself.

    Returns:
        ``endpoint``, ``region``, ``bucket``, ``bus``, ``pid``, and by logical id ``functions`` and
        ``tables`` (their names), ``log_groups`` and ``queues`` (their URLs).

    Raises:
        NotUp: none runs.
    """
    if not NOTE.is_file():
        raise NotUp(f"no local cloud is running: {START}")
    note: dict[str, Any] = json.loads(NOTE.read_text(encoding="utf-8"))
    if not alive(note["pid"]):
        raise NotUp(f"the local cloud (process {note['pid']}) is gone without a word: {START}")
    return note


def alive(pid: int) -> bool:
    """Whether a process of this user runs under this number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def client(service: str, note: dict[str, Any] | None = None) -> Any:
    """A boto3 client of the running cloud; any credentials will do there."""
    import boto3
    from botocore.config import Config

    note = note or noted()
    patient = Config(read_timeout=_LONGEST_FUNCTION_S, retries={"total_max_attempts": 1})
    return boto3.client(
        service, endpoint_url=note["endpoint"], region_name=note["region"], config=patient,
        aws_access_key_id="local", aws_secret_access_key="local",  # noqa: S106 - any words will do
    )  # fmt: skip


def asked(name: str, request: dict[str, Any] | None = None) -> Any:
    """Ask the running cloud what AWS has no API for (`localcloud.control`).

    Args:
        name: of the question.
        request: sent along; then it is a POST.

    Raises:
        NotUp: nobody answers.
    """
    note = noted()
    body = None if request is None else json.dumps(request).encode()
    question = urllib.request.Request(  # noqa: S310 - http to 127.0.0.1, from our own note
        note["endpoint"] + ROOM + name, data=body, headers={HEADER: "1"}
    )
    try:
        with urllib.request.urlopen(question, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        raise BadUse(json.loads(refused.read())["error"]) from refused
    except (urllib.error.URLError, ConnectionError) as silent:
        raise NotUp(f"the local cloud at {note['endpoint']} does not answer: {START}") from silent


def known(word: str, there: dict[str, str], what: str) -> str:
    """The logical id that a word means: itself, its snake_case or folder name, or a physical name.

    Raises:
        BadUse: nothing of that name; the message lists what there is.
    """
    plain = word.strip("/").rpartition("/")[2].replace("_", "").replace("-", "").lower()
    for logical, physical in there.items():
        if plain in (logical.lower(), physical.rpartition("/")[2].replace("-", "").lower()):
            return logical
    names = ", ".join(sorted(snake(each) for each in there)) or "none"
    raise BadUse(f"there is no {what} {word!r}; there are: {names}")


def snake(logical: str) -> str:
    """on_sensor_file for OnSensorFile: how people write it."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in logical).lstrip("_")
