"""What owners are told of their models: a subject, a text for people, and one line for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from signalbox.contracts.alerts import Message
from signalbox.contracts.own import (
    DeployCallFailed,
    ModelPendingApproval,
    OwnEvent,
    PromotionFailed,
)
from signalbox.contracts.packages import BOARD, Package
from signalbox.domain.alert_message import one_line, printable

KIND = "model"
"""The attribute ``kind`` of these messages, for filter policies."""


def pending_mail(event: ModelPendingApproval, owner: str) -> Message:
    """A model waits for its owner's decision."""
    board = ' --board "NAMES"' if event.retuned else ""
    lines = [
        f"Model {event.version} of {event.workload} waits for your decision.",
        "",
        f"Package:  {event.package}",
        f"Now:      {event.approved or 'no model is approved'}",
    ]
    if event.retuned:
        lines += [f"Retuned:  yes, so {BOARD} must be named when it is approved"]
    lines += ["", *_compared(event.metrics, event.approved_metrics), ""]
    lines += [
        "Approve or reject it:",
        f"  signalbox approve {event.package}{board}",
        f'  signalbox reject {event.package} --note "..."',
    ]
    subject = f"{event.workload}: model {event.version} waits for approval"
    return _mail(subject, lines, event.workload, "PendingManualApproval", owner, event)


def unusable_mail(
    package: Package, workload: str | None, owner: str, problem: str | None
) -> Message:
    """A package cannot come into service, whatever is decided of it."""
    lines = [
        f"Model {package.version} of {package.group} cannot be used: {problem}.",
        "",
        f"Package:  {package.arn}",
        f"Status:   {package.status}, {package.approval}",
        "",
        "Nothing was started. What serves goes on serving.",
    ]
    subject = f"{workload or package.group}: model {package.version} cannot be used"
    told = package.model_dump(exclude={"metadata"}) | {"problem": problem}
    name = workload or package.group
    return _message(subject, lines, told, _attributes(name, "Unusable", owner))


def put_back_mail(package: Package, workload: str, owner: str) -> Message:
    """A retuned package was approved without a review board."""
    lines = [
        f"Model {package.version} of {workload} waits for approval again.",
        "",
        f"Package:  {package.arn}",
        "",
        "It was made by a search for better settings after a failed quality check, and such a model needs",
        f"a review board: its metadata {BOARD} is empty. Approve it with the names of the board:",
        f'  signalbox approve {package.arn} --board "NAMES"',
    ]
    subject = f"{workload}: model {package.version} needs a review board"
    told = package.model_dump()
    return _message(subject, lines, told, _attributes(workload, "PutBack", owner))


def promotion_failed_mail(event: PromotionFailed, owner: str) -> Message:
    """A model did not come into service."""
    serving = event.serving or "nothing: there was no model before, or it is gone too"
    lines = [
        f"Model {event.version} of {event.workload} did not come into service: {event.reason}",
        "",
        f"Package:  {event.package}",
        f"Endpoint: {event.endpoint}",
        f"Serving:  {serving}",
        "",
        "The package is still approved, so batch inference takes it. Reject it, or mend it and approve anew:",
        f'  signalbox reject {event.package} --note "..."',
    ]
    subject = f"{event.workload}: model {event.version} did not come into service"
    return _mail(subject, lines, event.workload, "PromotionFailed", owner, event)


def deploy_failed_mail(event: DeployCallFailed, owner: str) -> Message:
    """A promoted model's deploy pipeline was not called."""
    lines = [
        f"The deploy pipeline of {event.workload} was not called: {event.reason}.",
        "",
        f"Promotion: {event.promotion}",
        f"Package:   {event.package}",
        f"Pipeline:  {event.service}, {event.host}, {event.project}",
        "",
        "The model is in service. Look whether a pipeline runs with this promotion; if none does, start it.",
    ]
    subject = f"{event.workload}: the deploy pipeline was not called"
    return _mail(subject, lines, event.workload, "DeployCallFailed", owner, event)


def _compared(metrics: Mapping[str, float], approved: Mapping[str, float]) -> list[str]:
    """A line a metric: this model's, and that of the model which counts now."""
    width = max(map(len, metrics), default=0)
    lines = [f"  {'':<{width}}  {'this':>12}  {'approved':>12}"]
    for name, value in metrics.items():
        other = f"{approved[name]:>12.5g}" if name in approved else f"{'-':>12}"
        lines.append(f"  {name:<{width}}  {value:>12.5g}  {other}")
    return lines


def _mail(
    subject: str, lines: Iterable[str], workload: str, status: str, owner: str, event: OwnEvent
) -> Message:
    told = event.model_dump(mode="json")
    return _message(subject, lines, told, _attributes(workload, status, owner))


def _attributes(workload: str, status: str, owner: str) -> dict[str, str]:
    return {"workload": workload, "kind": KIND, "status": status, "owner": owner}


def _message(
    subject: str, lines: Iterable[str], told: Mapping[str, object], attributes: dict[str, str]
) -> Message:
    body = "\n".join([*map(printable, lines), "", json.dumps(told, sort_keys=True)])
    plain = subject.encode("ascii", "replace").decode()
    return Message(subject=one_line(plain), body=body, attributes=attributes)
