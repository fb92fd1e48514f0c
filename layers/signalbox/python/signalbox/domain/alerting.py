"""Scores arrive: who is warned of, once.

SNS knows no idempotency token that reaches people. So the episode with its whole message is written
first, on condition that there is none; the message goes out; that it did is noted, twice over: by who
sent it, and by the topic's own delivery to the door on_alert_sent. Who finds an episode that is not
noted as sent waits out its lease, longer than that delivery takes, and sends only if the note is still
missing. What is left: the power fails between the two, and the topic is slower than the lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from signalbox.contracts.alerts import Episode, Message, Newest
from signalbox.contracts.fleet import FaultRecord, UnitRecord
from signalbox.contracts.objects import ObjectRef
from signalbox.contracts.scoring import Score
from signalbox.contracts.sns import AlertNotification
from signalbox.contracts.workload import Workload
from signalbox.domain.alert_message import compose, probability_of
from signalbox.domain.announce import Bus, fault_predicted
from signalbox.domain.episodes import LEASE, Episodes, Standing, armed, next_step
from signalbox.domain.score_file import Scores, Store, read_scores
from signalbox.errors import Rejected, Transient

Outcome = Literal["alerted", "judged", "repeated"]
"""What became of a score file: somebody was warned of, nobody, or it was all known before."""


class Fleet(Protocol):
    """What is known of units and their faults."""

    def unit(self, workload: str, unit: str) -> UnitRecord | None:
        """Return what the registry knows of a unit."""

    def faults(self, workload: str, unit: str) -> list[FaultRecord]:
        """Return the faults of a unit that were not withdrawn, oldest first."""


class Topic(Protocol):
    """Where alerts go out to people."""

    def publish(self, message: Message) -> None:
        """Send a message to all whose subscription it fits."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """Everything a score file meets."""

    workloads: Mapping[str, Workload]
    store: Store
    episodes: Episodes
    fleet: Fleet
    topic: Topic
    bus: Bus
    portal: str = ""

    def judge(self, source: ObjectRef, now: datetime) -> Outcome:
        """Warn of every unit that a version of a score file gives reason to.

        One unit that somebody else is at work on keeps none of the others waiting.

        Raises:
            Rejected: the file cannot be believed; nobody is warned of.
            Transient: some units have to wait.
        """
        scores = read_scores(source, self.store, self.workloads)
        outcomes: set[Outcome] = set()
        waiting: Transient | None = None
        for score in scores.scores:
            try:
                outcomes.add(self._judge_one(score, scores, now))
            except Transient as problem:
                waiting = problem
        if waiting is not None:
            raise waiting
        kinds: tuple[Outcome, ...] = ("alerted", "judged", "repeated")
        return next(outcome for outcome in kinds if outcome in outcomes)

    def _judge_one(self, score: Score, scores: Scores, now: datetime) -> Outcome:
        workload = scores.schema.workload
        newest = Newest(time=scores.schema.time, at=score.at, cycle=score.cycle)
        standing = self.episodes.standing(workload, score.unit)
        latest, known = standing.latest, standing.knows(newest.place)
        mine = latest is not None and latest.place == newest.place  # this score opened the episode
        warns = not mine and not known and self._warns(score, scores, standing)
        if latest is not None and not self._finish(latest, now) and (mine or warns):
            raise Transient(
                f"the alert {latest.id} was claimed at {latest.claimed_at.isoformat()} and may be "
                f"on its way; its lease ends after {LEASE.seconds} s"
            )
        if known:
            return "repeated"
        if warns:
            self._warn(score, scores, standing, now)
        self.episodes.advance(workload, score.unit, newest)
        return "alerted" if warns else "judged"

    def _warns(self, score: Score, scores: Scores, standing: Standing) -> bool:
        months = scores.prediction.months
        if probability_of(score) < scores.schema.threshold or (
            months is not None and score.at.astimezone(UTC).month not in months
        ):
            return False
        if standing.latest is None:
            return True
        faults = self.fleet.faults(scores.schema.workload, score.unit)
        return armed(standing.latest, score.at, score.cycle, faults)

    def _warn(self, score: Score, scores: Scores, standing: Standing, now: datetime) -> None:
        record = self.fleet.unit(scores.schema.workload, score.unit)
        number = 1 if standing.latest is None else standing.latest.number + 1
        message = compose(score, number, scores.schema, scores.prediction, record, self.portal)
        episode = episode_of(score, number, scores, record, message, now)
        if not self.episodes.open(episode):
            raise Transient(f"{episode.id} was opened by somebody else; looked at again later")
        self._send(episode)

    def _finish(self, episode: Episode, now: datetime) -> bool:
        """Do what is left to do about an alert; False if somebody may be at it."""
        step = next_step(episode, now)
        if step == "take-over":
            self._send(self.episodes.renew(episode, now))
        elif step == "announce":
            self._announce(episode)
        return step != "wait"

    def _send(self, episode: Episode) -> None:
        self.topic.publish(episode.message)
        self.episodes.sent(episode.workload, episode.unit, episode.id)
        self._announce(episode)

    def _announce(self, episode: Episode) -> None:
        self.bus.emit(fault_predicted(episode))
        self.episodes.announced(episode)


def episode_of(
    score: Score,
    number: int,
    scores: Scores,
    record: UnitRecord | None,
    message: Message,
    now: datetime,
) -> Episode:
    """Return what is kept of an alert before it goes out."""
    schema = scores.schema
    return Episode(
        workload=schema.workload,
        unit=score.unit,
        number=number,
        model=schema.version,
        threshold=schema.threshold,
        time=schema.time,
        horizon=schema.horizon,
        grace=schema.grace,
        snooze=scores.prediction.snooze,
        at=score.at,
        cycle=score.cycle,
        probability=probability_of(score),
        moved=score.moved,
        dealer=record.dealer if record else None,
        location=record.location if record else None,
        unit_model=record.model if record else None,
        message=message,
        claimed_at=now,
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the topic's own delivery tells: the alert is out, whoever sent it."""

    episodes: Episodes

    def note(self, told: AlertNotification) -> Literal["noted"]:
        """Note that an alert was sent.

        Raises:
            Rejected: it is of no episode that is known.
        """
        about = told.detail
        if not self.episodes.sent(about.workload.value, about.unit.value, about.episode.value):
            raise Rejected(
                "unknown-episode",
                f"{about.episode.value!r} is no episode of unit {about.unit.value!r} of "
                f"{about.workload.value!r}; only on_scores should publish on this topic",
            )
        return "noted"
