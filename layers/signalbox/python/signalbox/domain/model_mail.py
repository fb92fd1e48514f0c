"""What owners are told of their models: what waits for them, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from signalbox.contracts.alerts import Message
from signalbox.contracts.operations import Operations
from signalbox.contracts.own import DeployCallFailed, ModelPendingApproval, PromotionFailed
from signalbox.contracts.packages import BOARD, PENDING, Package
from signalbox.domain.mail import UNKNOWN, Address, address_of, mail, table

KIND = "model"
"""The attribute ``kind`` of these mails, for filter policies."""
SHOWN = 50
"""Metrics that a mail compares; the rest is counted."""


def pending_mail(event: ModelPendingApproval, operations: Operations) -> Message:
    """A model waits for its owner's decision."""
    board = ' --board "NAMES"' if event.retuned else ""
    about = {
        "Package": event.package,
        "Now": event.approved or "no model is approved",
        "Retuned": f"yes: {BOARD} must be named when it is approved" if event.retuned else "",
    }
    lines = [
        f"Model {event.version} of {event.workload} waits for your decision.",
        "",
        *table(about),
        "",
        *_compared(event.metrics, event.approved_metrics),
        "",
        "Approve or reject it:",
        f"  signalbox approve {event.package}{board}",
        f'  signalbox reject {event.package} --note "..."',
    ]
    return mail(
        address_of(event.workload, KIND, PENDING, operations),
        f"model {event.version} waits for approval",
        lines,
        event.model_dump(mode="json"),
        action_required=True,
    )


def unusable_mail(
    package: Package,
    workload: str | None,
    operations: Operations | None,
    problem: str,
    *,
    taken_back: bool,
) -> Message:
    """A package cannot come into service, whatever is decided of it; no workload, no ``operations``."""
    lines = [
        f"Model {package.version} of {package.group} cannot be used: {problem}.",
        "",
        *table({"Package": package.arn, "Status": f"{package.status}, {package.approval}"}),
        "",
        "Nothing was started. What serves goes on serving.",
        *(
            ["An approval is taken back: the package is rejected, with this reason."]
            if taken_back
            else []
        ),
    ]
    named = workload or package.group
    return mail(
        address_of(named, KIND, "Unusable", operations)
        if operations is not None
        else Address(named, KIND, "Unusable", UNKNOWN),
        f"model {package.version} cannot be used",
        lines,
        package.model_dump() | {"problem": problem},
        action_required=True,
    )


def put_back_mail(package: Package, workload: str, operations: Operations) -> Message:
    """A retuned package was approved without a review board."""
    lines = [
        f"Model {package.version} of {workload} waits for approval again.",
        "",
        *table({"Package": package.arn}),
        "",
        "It was made by a search for better settings after a failed quality check, and such a model",
        f"needs a review board: its metadata {BOARD} is empty. Approve it with the names of the board:",
        f'  signalbox approve {package.arn} --board "NAMES"',
    ]
    return mail(
        address_of(workload, KIND, "PutBack", operations),
        f"model {package.version} needs a review board",
        lines,
        package.model_dump(),
        action_required=True,
    )


def promotion_failed_mail(event: PromotionFailed, operations: Operations) -> Message:
    """A model did not come into service."""
    about = {
        "Package": event.package,
        "Endpoint": event.endpoint,
        "Serving": event.serving or "nothing: there was no model before, or it is gone too",
    }
    lines = [
        f"Model {event.version} of {event.workload} did not come into service: {event.reason}",
        "",
        *table(about),
        "",
        "The package is rejected with this reason, so nobody predicts with it. Once the cause is mended,",
        "approve it again:",
        f"  signalbox approve {event.package}",
    ]
    return mail(
        address_of(event.workload, KIND, event.detail_type(), operations),
        f"model {event.version} did not come into service",
        lines,
        event.model_dump(mode="json"),
        action_required=True,
    )


def deploy_failed_mail(event: DeployCallFailed, operations: Operations) -> Message:
    """A promoted model's deploy pipeline was not called."""
    about = {
        "Promotion": event.promotion,
        "Package": event.package,
        "Pipeline": f"{event.service}, {event.host}, {event.project}",
    }
    lines = [
        f"The deploy pipeline of {event.workload} was not called: {event.reason}.",
        "",
        *table(about),
        "",
        "The model is in service. Look whether a pipeline runs with this promotion; if none does,",
        "start it there.",
    ]
    return mail(
        address_of(event.workload, KIND, event.detail_type(), operations),
        "the deploy pipeline was not called",
        lines,
        event.model_dump(mode="json"),
        action_required=True,
    )


def _compared(metrics: Mapping[str, float], approved: Mapping[str, float]) -> list[str]:
    """A line a metric: this model's, and that of the model which counts now."""
    shown = dict(islice(metrics.items(), SHOWN))
    width = max(map(len, shown), default=0)
    lines = [f"  {'':<{width}}  {'this':>12}  {'approved':>12}"]
    for name, value in shown.items():
        other = f"{approved[name]:>12.5g}" if name in approved else f"{'-':>12}"
        lines.append(f"  {name:<{width}}  {value:>12.5g}  {other}")
    more = len(metrics) - len(shown)
    return [*lines, f"  and {more} more"] if more else lines
