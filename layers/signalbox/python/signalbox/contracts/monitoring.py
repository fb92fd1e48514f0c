"""What a run says of the data it was given: ``monitoring/<workload>/<run>/constraint_violations.json``.

Source: SageMaker Developer Guide, "Schema for Violations (constraint_violations.json file)". What the
house's programs write is ``signalbox.contracts.monitor``; here it is read as Model Monitor itself, or a
newer version of either, may write it: with further checks and fields.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from signalbox.contracts.eventbridge import AWS


class Violation(BaseModel):
    """One way in which data is not what the model was trained on."""

    model_config = AWS

    feature: str = Field(validation_alias="feature_name", min_length=1)
    check: str = Field(validation_alias="constraint_check_type", min_length=1)
    description: str = ""


class Violations(BaseModel):
    """The whole file; no violation is good news."""

    model_config = AWS

    violations: list[Violation]


class Described(BaseModel):
    """A violation as an event of the house tells it: of a length that fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str
    check: str
    description: str
