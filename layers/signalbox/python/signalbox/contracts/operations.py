"""A workload's section ``operations``: who owns its models, who hears of what, how far it mends itself.

Source: "MLOps for batch inference with model monitoring and retraining" (AWS Machine Learning Blog, 2023).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

Mail = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
Name = Annotated[str, Field(min_length=1, max_length=63)]
Days = Annotated[int, Field(gt=0, le=365)]
Risk = Literal["High", "Medium", "Low", "Unknown"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
StepStatus = Literal["Starting", "Executing", "Succeeded", "Failed", "Stopping", "Stopped"]


class Notice(BaseModel):
    """Tell of a change of a pipeline, or of a step where ``step`` is given.

    ``message`` is put before the mail's text; it is also read as ``step_custom_message`` or
    ``step_msg``, as the samples of the article call it. ``action_required`` says so in the subject.
    """

    model_config = STRICT

    status: list[StepStatus] = Field(min_length=1)
    step: Name | None = None
    message: str = Field(
        default="",
        max_length=1024,
        validation_alias=AliasChoices("message", "step_custom_message", "step_msg"),
    )
    action_required: bool = False

    @model_validator(mode="after")
    def _a_run_has_no_starting(self) -> Self:
        if self.step is None and "Starting" in self.status:
            raise ValueError("status: only a step is Starting; a run begins as Executing")
        return self


def _clock(told: object) -> object:
    """Undo what yaml makes of an unquoted ``12:30``: 750, a number of base 60."""
    if isinstance(told, int) and 0 <= told < 24 * 60:
        return f"{told // 60:02}:{told % 60:02}"
    return told


Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), BeforeValidator(_clock)]


class Schedule(BaseModel):
    """Start a pipeline anew at its time (UTC), on the files of its latest run."""

    model_config = STRICT

    pipeline: Literal["train", "batch"]
    every: Literal["day", "week", "month"]
    weekday: Weekday | None = None
    day: Annotated[int, Field(ge=1, le=28)] | None = None
    at: Clock

    @model_validator(mode="after")
    def _names_its_day(self) -> Self:
        if (self.every == "week") != (self.weekday is not None):
            raise ValueError("weekday: belongs to every: week, and only there")
        if (self.every == "month") != (self.day is not None):
            raise ValueError("day: belongs to every: month, and only there")
        return self


class Retune(BaseModel):
    """How often a model that fails its quality check may be tuned anew."""

    model_config = STRICT

    cooldown_hours: int = Field(default=24, ge=0, le=24 * 365)
    limit: int = Field(default=2, ge=0, le=100)
    within_days: Days = 7


class Card(BaseModel):
    """What a model card says that no program can know."""

    model_config = STRICT

    purpose: str = Field(min_length=1, max_length=2048)
    intended_uses: str = Field(default="", max_length=2048)
    risk_rating: Risk = "Unknown"
    risk_explanation: str = Field(default="", max_length=2048)


class Deploy(BaseModel):
    """The pipeline that deploys a promoted model; its token lies in Secrets Manager.

    ``project`` is GitLab's project id or GitHub's ``owner/repository``; ``workflow`` GitHub's file name.
    """

    model_config = STRICT

    service: Literal["gitlab", "github"]
    host: str = Field(min_length=1, pattern=r"^[a-z0-9.-]+(:\d+)?$")
    project: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._/-]+$")
    ref: Name = "main"
    workflow: Name = "deploy.yml"
    secret: Name


class Operations(BaseModel):
    """How the models of a workload come, are watched and go."""

    model_config = STRICT

    owner: Mail
    recipients: list[Mail] = []
    quiet_minutes: int = Field(default=2, ge=0, le=24 * 60)
    notify: list[Notice] = []
    schedule: list[Schedule] = []
    retune: Retune = Retune()
    endpoint: bool = False
    card: Card
    deploy: Deploy | None = None
