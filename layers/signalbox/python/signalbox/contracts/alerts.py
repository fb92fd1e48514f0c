"""One warning of one unit: its episode, what people answer, and how it turned out.

An episode begins with the alert and ends by a fault, by feedback, or when its time is up
(``signalbox.domain.alerting`` says exactly when). Alerts, events and files name it by its ``id``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from signalbox.contracts.eventbridge import Envelope
from signalbox.contracts.scoring import Moved, Probability

STRICT = ConfigDict(extra="forbid", frozen=True)

FEEDBACK_SOURCE = "signalbox.feedback"
"""The source of what people and their apps put on the bus; ``signalbox`` is the house's own."""

Time = Literal["days", "cycles"]
Verdict = Literal["confirmed", "false alarm"]
Outcome = Literal["true", "late", "false alarm"]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1, max_length=256)]


def episode_id(workload: str, unit: str, number: int) -> str:
    """Return the name of a unit's n-th episode; within a unit, text order is age order.

    >>> episode_id("hvac", "A1", 3)
    'hvac-A1-0003'
    """
    return f"{workload}-{unit}-{number:04d}"


def place_of(time: Time, at: datetime, cycle: int) -> str:
    """Return where a score stands among those of its unit: text order is order in time.

    >>> place_of("cycles", datetime(2026, 7, 2, tzinfo=UTC), 128)
    '000000000128 2026-07-02T00:00:00.000000+00:00'
    """
    moment, count = at.astimezone(UTC).isoformat(timespec="microseconds"), f"{cycle:012d}"
    return f"{moment} {count}" if time == "days" else f"{count} {moment}"


class Newest(BaseModel):
    """The newest score of a unit that was judged."""

    model_config = STRICT

    time: Time
    at: AwareDatetime
    cycle: int

    @property
    def place(self) -> str:
        """Where it stands among the unit's scores."""
        return place_of(self.time, self.at, self.cycle)


class Message(BaseModel):
    """What goes to people, complete, so that a second try says the same.

    ``recipients`` are addresses that a filter policy may ask for, as one attribute that is a list.
    """

    model_config = STRICT

    subject: str = Field(min_length=1, max_length=99)
    body: str
    attributes: dict[str, str]
    recipients: tuple[str, ...] = ()


class Feedback(BaseModel):
    """What somebody who looked at the unit says of an alert: the detail of ``AlertFeedback``."""

    model_config = STRICT

    workload: Text
    unit: Text
    episode: Text
    verdict: Verdict
    note: str | None = Field(default=None, max_length=2000)
    by: Text
    at: AwareDatetime


class AlertFeedback(Envelope):
    """Feedback as an event on the bus of the house, put there by a command or a dealer's app."""

    source: Literal["signalbox.feedback"]
    detail_type: Literal["AlertFeedback"] = Field(alias="detail-type")
    detail: Feedback


class Judgement(BaseModel):
    """How a prediction turned out: fault within the horizon, within the grace, or not at all."""

    model_config = STRICT

    outcome: Outcome
    fault_at: AwareDatetime | None
    at: AwareDatetime


class Episode(BaseModel):
    """An alert and everything known of it.

    Attributes:
        model, threshold: the version that warned, and from which probability on it does.
        time, horizon, grace: what it predicts, as the model's schema says.
        snooze: how long the unit is left in peace after a false alarm, as the workload said then.
        at, cycle, probability, moved: of the score that set it off.
        dealer, location, unit_model: of the registry then; None if the unit was not in it.
        claimed_at: when somebody last set out to send the message.
        sent: the topic has taken the message. announced: FaultPredicted went out.
        heard_at_cycle: the unit's newest judged cycle when the feedback came.
    """

    model_config = STRICT

    workload: str
    unit: str
    number: Annotated[int, Field(ge=1)]
    model: str
    threshold: float
    time: Time
    horizon: float
    grace: float
    snooze: float
    at: AwareDatetime
    cycle: int
    probability: Probability
    moved: list[Moved]
    dealer: str | None
    location: str | None
    unit_model: str | None
    message: Message
    claimed_at: AwareDatetime
    sent: bool = False
    announced: bool = False
    feedback: Feedback | None = None
    heard_at_cycle: int | None = None
    judgement: Judgement | None = None

    @property
    def id(self) -> str:
        """Its name in alerts, events and files."""
        return episode_id(self.workload, self.unit, self.number)

    @property
    def place(self) -> str:
        """Where the score that set it off stands among the unit's scores."""
        return place_of(self.time, self.at, self.cycle)


class Tally(BaseModel):
    """How a model's alerts turned out, all that were judged so far; rates are shares of them."""

    model_config = STRICT

    model: str
    true: Count
    late: Count
    false_alarm: Count
    precision: Probability
    effective_precision: Probability


class JudgedEpisode(BaseModel):
    """One line of a day's judging; ``verdict`` is what people said, whatever the fault log says."""

    model_config = STRICT

    episode: str
    unit: str
    model: str
    probability: Probability
    outcome: Outcome
    fault_at: AwareDatetime | None
    verdict: Verdict | None


class JudgementReport(BaseModel):
    """``judgements/<workload>/<date>.json``: what one day's judging added, and all models so far."""

    model_config = STRICT

    workload: str
    date: str
    episodes: list[JudgedEpisode]
    models: list[Tally]
