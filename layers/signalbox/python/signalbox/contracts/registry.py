"""Packages of the model registry, as DescribeModelPackage answers, and what a batch run asks of one."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "signalbox-"
RETUNED, REVIEWED = "retuned", "review_board"
"""Of a package's CustomerMetadataProperties: made by tuning; approved by whom."""


def group_of(workload: str) -> str:
    """Return the group of a workload's packages.

    >>> group_of("air_quality")
    'signalbox-air-quality'
    """
    return f"{PREFIX}{workload.replace('_', '-')}"


class ModelAsked(BaseModel):
    """The arguments of the Lambda step that looks the model up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workload: str = Field(alias="Workload", min_length=1)


class FoundModel(BaseModel):
    """What a batch run needs of the model in service; text, as outputs of a Lambda step are.

    ``baseline`` is the folder of statistics and constraints that its training data gave.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    found: Literal["yes"] = Field(default="yes", alias="Found")
    package: str = Field(alias="Package")
    model_data: str = Field(alias="ModelData")
    baseline: str = Field(alias="Baseline")


class NoModel(BaseModel):
    """No model of the workload is approved; outputs of a step cannot be absent."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    found: Literal["no"] = Field(default="no", alias="Found")
    package: Literal[""] = Field(default="", alias="Package")
    model_data: Literal[""] = Field(default="", alias="ModelData")
    baseline: Literal[""] = Field(default="", alias="Baseline")
