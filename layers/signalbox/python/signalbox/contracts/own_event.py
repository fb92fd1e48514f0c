"""What every event of the house is, and how the bus delivers it."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from signalbox.contracts.eventbridge import Envelope

SOURCE = "signalbox"

Count = Annotated[int, Field(ge=0)]


class OwnEvent(BaseModel):
    """An event of the house."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def detail_type(cls) -> str:
        """The detail-type that rules match: the name of the class."""
        return cls.__name__


OwnT = TypeVar("OwnT", bound=OwnEvent)


class Said(Envelope, Generic[OwnT]):
    """An event of the house as the bus delivers it: ``Said[CycleFeaturesReady]``."""

    source: Literal["signalbox"]
    detail: OwnT

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        if self.detail_type != self.detail.detail_type():
            raise ValueError(f"detail-type is not {self.detail.detail_type()}")
        return self
