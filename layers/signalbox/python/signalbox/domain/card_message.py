"""The words that go out about model cards: a draft to its owner, a share to those it is for."""

from __future__ import annotations

from signalbox.contracts.alerts import Message
from signalbox.contracts.cards import Stage
from signalbox.contracts.own import ModelCardShared
from signalbox.contracts.workload import Workload
from signalbox.domain.mail import Address, address_of, mail, table

_MAX_ATTRIBUTE = 256


def drafted(workload: Workload, card: str, arn: str) -> Message:
    """Tell the owner that the card of a new version is begun."""
    rows, detail = _about(card, arn)
    lines = [
        f"A model of {workload.name} was registered, and its model card is begun as a draft.",
        "",
        *table(rows),
        "",
        "Once it is shared with those who may edit drafts, it is filled with what is known of training and",
        "evaluation, and set to PendingReview; what only people know stands in the workload's section",
        "operations.card, or is added to the card itself.",
    ]
    address = _address(workload, "card-draft", "Draft")
    return mail(address, f"model card {card} is begun", lines, detail)


def incomplete(workload: Workload, card: str, arn: str, why: str) -> Message:
    """Tell the owner that not all that is known could be written into a card."""
    rows, detail = _about(card, arn)
    lines = [
        f"The evaluation of a model of {workload.name} is not in its model card: {why}.",
        "",
        *table(rows),
        "",
        "The rest is written, and the card goes its way to review. Add the numbers that matter to the card",
        "(UpdateModelCard, or in the console) before the model is approved.",
    ]
    return mail(
        _address(workload, "card-incomplete", "PendingReview"),
        f"model card {card} lacks its evaluation",
        lines,
        detail | {"why": why},
        action_required=True,
    )


def refused(workload: Workload, card: str, to: tuple[Stage, str], why: str) -> Message:
    """Tell the owner that AWS RAM does not share cards with a stage's account."""
    stage, account = to
    lines = [
        f"AWS RAM refuses to share model cards of {workload.name} with {account} ({stage}): {why}",
        "",
        *table({"Card": card, "Account": account, "Stage": stage}),
        "",
        "Other stages have what is theirs. It is tried again every hour and not told again; signalbox",
        "shares shows how it stands. Mend the parameter "
        f"{stage.capitalize()}Account of the stack, or ExternalAccounts.",
    ]
    message = mail(
        _address(workload, "card-refused", "Refused"),
        f"model cards cannot be shared with {stage}",
        lines,
        {"card": card, "stage": stage, "account": account, "why": why},
        action_required=True,
    )
    return _staged(message, stage)


def shared(workload: Workload, told: ModelCardShared, status: str) -> Message:
    """Tell those who have a card now where it is: they cannot list it."""
    may = "see and change" if told.access == "edit" else "see"
    lines = [
        f"Account {told.account} ({told.stage}) may {may} this model card now.",
        "",
        *table({"Card": told.card, "Status": status, "ARN": told.card_arn, "Region": told.region}),
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
    message = mail(
        _address(workload, "card-shared", status),
        f"model card {told.card} is shared with {told.stage}",
        lines,
        told.model_dump(mode="json", exclude_none=True),
    )
    return _staged(message, told.stage)


def _about(card: str, arn: str) -> tuple[dict[str, str], dict[str, object]]:
    """What a person and what a program reads of a card."""
    region = arn.split(":")[3]
    rows = {"Card": card, "ARN": arn, "Region": region}
    return rows, {"card": card, "card_arn": arn, "region": region}


def _address(workload: Workload, kind: str, status: str) -> Address:
    if workload.operations is not None:
        return address_of(workload.name, kind, status, workload.operations)
    return Address(workload.name, kind, status, workload.owner[:_MAX_ATTRIBUTE])


def _staged(message: Message, stage: Stage) -> Message:
    """Add the stage to what subscriptions filter by."""
    return message.model_copy(update={"attributes": {**message.attributes, "stage": stage}})
