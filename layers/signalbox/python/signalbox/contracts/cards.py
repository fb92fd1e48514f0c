"""How the house names its cards, and what AWS says of cards and shares.

Sources: SageMaker Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge"; names:
CreateModelCard and CreateModelPackageGroup of the API Reference (63 letters, digits and hyphens); AWS
RAM User Guide, "Monitoring AWS RAM using CloudWatch Events". A card tells of one version of a workload's
models, so that the card of a superseded one can be archived; a version given again is never reused.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Literal

from pydantic import BaseModel, Field

from signalbox.contracts.eventbridge import AWS, Envelope
from signalbox.contracts.model_card import CardStatus
from signalbox.contracts.registry import PREFIX

MAX_NAME = 63
_VERSION_DIGITS = 7  # room for a version in the name of a card

Approval = Literal["PendingManualApproval", "Approved", "Rejected"]
Stage = Literal["dev", "test", "prod", "hub"]
Access = Literal["edit", "read"]

STAGES: tuple[Stage, ...] = ("dev", "test", "prod", "hub")


def card_name(group: str, version: int) -> str:
    """Return the name of the card that tells of one version of a group's models.

    >>> card_name("signalbox-abalone", 3)
    'signalbox-abalone-3'

    A group whose name leaves no room for a version is cut and told apart by a digest.
    """
    return f"{_stem(group)}-{version}"


def version_of(group: str, card: str) -> int | None:
    """Return the version that a card tells of, or None if it is no card of this group.

    >>> version_of("signalbox-abalone", "signalbox-abalone-3")
    3
    """
    found = re.fullmatch(rf"{re.escape(_stem(group))}-([1-9]\d*)", card)
    return int(found[1]) if found else None


def share_name(card: str, stage: Stage) -> str:
    """Return the name of the resource share by which a stage's account has a card."""
    return f"{card}-{stage}"


def parse_share_name(name: str) -> tuple[str, Stage] | None:
    """Return card and stage of a resource share of ours, or None.

    >>> parse_share_name("signalbox-abalone-3-prod")
    ('signalbox-abalone-3', 'prod')
    """
    card, _, last = name.rpartition("-")
    stage = next((stage for stage in STAGES if stage == last), None)
    if stage is None or not re.fullmatch(rf"{PREFIX}.+-[1-9]\d*", card):
        return None
    return card, stage


def _stem(group: str) -> str:
    room = MAX_NAME - 1 - _VERSION_DIGITS
    if len(group) <= room:
        return group
    digest = hashlib.sha256(group.encode()).hexdigest()[:8]
    return f"{group[: room - 9].rstrip('-')}-{digest}"


class _CardDetail(BaseModel):
    model_config = AWS

    name: str = Field(alias="ModelCardName", min_length=1)
    status: CardStatus = Field(alias="ModelCardStatus")
    version: int = Field(alias="ModelCardVersion")


class ModelCardChange(Envelope):
    """A model card was made or changed."""

    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Model Card State Change"] = Field(alias="detail-type")
    detail: _CardDetail


class TimeToLook(Envelope):
    """Something may have been shared with this account: AWS RAM hints at it, or an hour is over.

    AWS RAM sends its hints as well as it can, to owner and principal alike, and says little in them; so
    nothing in ``detail`` is relied upon.
    """

    source: Literal["aws.ram", "aws.scheduler"]
    detail_type: Literal["Resource Sharing State Change", "Scheduled Event"] = Field(
        alias="detail-type"
    )
    detail: Any = None
