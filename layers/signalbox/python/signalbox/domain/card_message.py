"""The words that go out about model cards: a draft to its owner, a share to those it is for."""

from __future__ import annotations

import json

from signalbox.contracts.alerts import Message
from signalbox.contracts.own import ModelCardShared, OwnEvent
from signalbox.contracts.workload import Workload
from signalbox.domain.alert_message import one_line

_MAX_ATTRIBUTE = 256


def drafted(workload: Workload, card: str, arn: str) -> Message:
    """Tell the owner that the card of a new version is begun."""
    region = arn.split(":")[3]
    lines = [
        f"A model of {workload.name} was registered, and its model card is begun as a draft.",
        "",
        f"Card:   {card}",
        f"ARN:    {arn}",
        f"Region: {region}",
        "",
        "It is filled with what is known of training and evaluation, and set to PendingReview; what only",
        "people know stands in the workload's section operations.card, or is added to the card itself.",
    ]
    detail: dict[str, object] = {"card": card, "card_arn": arn, "region": region}
    return _message(
        workload,
        "card-draft",
        "Draft",
        f"{workload.name}: model card {card} is begun",
        lines,
        detail,
    )


def shared(workload: Workload, told: ModelCardShared, status: str) -> Message:
    """Tell those who have a card now where it is: they cannot list it."""
    may = "see and change" if told.access == "edit" else "see"
    lines = [
        f"Account {told.account} ({told.stage}) may {may} this model card now.",
        "",
        f"Card:   {told.card}",
        f"Status: {status}",
        f"ARN:    {told.card_arn}",
        f"Region: {told.region}",
        "",
    ]
    if told.copy_prefix is None:
        lines += [
            "Cards of other accounts are not in any list, and are only found in their own Region:",
            f"  aws sagemaker describe-model-card --region {told.region} --model-card-name {told.card_arn}",
        ]
    else:
        lines += [
            "AWS RAM grants no permission that only reads this type, so there is a copy:",
            f"  aws s3 cp --recursive {told.copy_prefix} .",
        ]
    subject = f"{workload.name}: model card {told.card} is shared with {told.stage}"
    return _message(workload, "card-shared", status, subject, lines, _told(told), stage=told.stage)


def _told(event: OwnEvent) -> dict[str, object]:
    return event.model_dump(mode="json", exclude_none=True)


def _message(
    workload: Workload,
    kind: str,
    status: str,
    subject: str,
    lines: list[str],
    detail: dict[str, object],
    **more: str,
) -> Message:
    owner = workload.operations.owner if workload.operations else workload.owner
    attributes = {"workload": workload.name, "kind": kind, "status": status, "owner": owner, **more}
    return Message(
        subject=one_line(subject),
        body="\n".join([*lines, "", json.dumps(detail, sort_keys=True)]),
        attributes={name: value[:_MAX_ATTRIBUTE] for name, value in attributes.items()},
    )
