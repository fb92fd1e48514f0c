"""What a version's model card reacts to: its package changed, or its draft may be filled."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from signalbox.contracts.eventbridge import AWS, Envelope
from signalbox.contracts.own import ModelCardDrafted
from signalbox.contracts.packages import Source


class _PackageChanged(BaseModel):
    model_config = AWS

    package: str = Field(alias="ModelPackageArn")


class CardOccasion(Envelope):
    """A change of a model package, as SageMaker tells of it, or ``ModelCardDrafted`` of the house."""

    source: Source | Literal["signalbox"]
    detail_type: Literal["SageMaker Model Package State Change", "ModelCardDrafted"] = Field(
        alias="detail-type"
    )
    detail: _PackageChanged | ModelCardDrafted

    @property
    def drafted(self) -> bool:
        """Whether it is the house that says that a draft may be filled."""
        return isinstance(self.detail, ModelCardDrafted)
