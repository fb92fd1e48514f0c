"""The words about files, or a schedule, that can become no run: whose they are, which, and the way out."""

from __future__ import annotations

from datetime import datetime

from signalbox.contracts.alerts import Message
from signalbox.contracts.operations import Operations
from signalbox.domain.alert_message import printable
from signalbox.domain.mail import UNKNOWN, Address, address_of, at, mail, table

_LONGEST = 63
"""Of a workload's name, as the house takes it."""


def nothing_predicted(workload: str) -> str:
    """Say why ground truth of a workload is of no use yet, and what to do."""
    return (
        f"ground truth came, but nothing was predicted for {workload} yet; put "
        f"files under inference/{workload}/ first, then the ground truth again"
    )


def not_deployed(workload: str, problem: str) -> str:
    """Say that the pipeline for files is not there, and what to do."""
    return f"{problem}, then copy the files of {workload} to their place again"


def not_deployed_now(problem: str) -> str:
    """Say that the pipeline of a schedule is not there; its next time comes by itself."""
    return f"{problem}; the schedule's next time comes by itself"


def no_files(workload: str, kind: str) -> str:
    """Say that a schedule has no files to take, and what to do."""
    return (
        f"a schedule is due, but it takes the files of the latest run, and none under {kind}/{workload}/ "
        f"have become a run yet or are still there; put files there"
    )


def nothing_to_repeat(kind: str, workload: str) -> str:
    """Say that a trigger file came alone and there is nothing to start anew on, and what to do."""
    return (
        f"a trigger file came without data, so the files of the latest run would be taken anew, and none "
        f"under {kind}/{workload}/ have become a run yet or are still there; put files there"
    )


def trigger_unclear(key: str, problem: str) -> str:
    """Say what is wrong with a trigger file, and what to do."""
    return f"{key} {problem}; mend it, and copy it and the files that came with it again"


def no_such_workload(key: str, problem: str) -> Message:
    """Write the mail about a file whose key names no workload that has pipelines: nobody's, so to all."""
    room, _, rest = key.partition("/")
    named = printable(rest.partition("/")[0] if "/" in rest else "").strip()[:_LONGEST]
    return mail(
        Address(named or UNKNOWN, "pipeline", "Refused", UNKNOWN),
        f"files under {room}/ start no run",
        [
            f"No run starts for files like {key}: {problem}.",
            "",
            "Put them under the name of a workload with pipelines, or ship one of that name (make package).",
            "Of this place nothing more is said today.",
        ],
        {"key": key, "why": problem, "status": "Refused"},
        action_required=True,
    )


def compose(
    workload: str,
    run: str,
    inputs: str,
    why: str,
    came: datetime,
    operations: Operations,
    *,
    subject: str = "files that came started no run",
) -> Message:
    """Write the mail about files that became no run.

    Args:
        workload: whose they are.
        run: which it would have been.
        inputs: S3 URI of the list of them.
        why: and what to do.
        came: when the run was opened.
        operations: of the workload.
        subject: of the mail, after the workload.
    """
    rows = {"Workload": workload, "Run": run, "Files": inputs, "Came": at(came)}
    return mail(
        address_of(workload, "pipeline", "Refused", operations),
        subject,
        [f"No run was started for {workload}: {why}.", "", *table(rows)],
        {
            "workload": workload, "run": run, "status": "Refused", "inputs": inputs, "why": why,
            "owner": operations.owner, "recipients": list(operations.recipients),
        },
        action_required=True,
    )  # fmt: skip
