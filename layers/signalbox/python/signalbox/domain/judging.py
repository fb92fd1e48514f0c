"""Labels mature: what was predicted is held against the fault log once its time has passed.

A judgement is final: a fault that is recorded later no longer changes it. What one day's judging
added is told by the judgements that carry its instant, so the same day again writes the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from signalbox.contracts.alerts import (
    Episode,
    JudgedEpisode,
    Judgement,
    JudgementReport,
    Newest,
    Outcome,
    Tally,
)
from signalbox.contracts.fleet import FaultRecord
from signalbox.contracts.keys import judgements_key
from signalbox.domain.announce import Bus, predictions_judged
from signalbox.domain.episodes import Episodes

Judged = Literal["judged", "nothing-due"]


class FaultLog(Protocol):
    """What is known of a fleet's faults."""

    def faults(self, workload: str, unit: str) -> list[FaultRecord]:
        """Return the faults of a unit that were not withdrawn, oldest first."""


class Files(Protocol):
    """Where a day's judging is reported."""

    def put(self, key: str, content: bytes) -> None:
        """Write ``content`` under ``key``; the same bytes again change nothing."""


def judgement_of(
    episode: Episode, faults: Iterable[FaultRecord], newest: Newest | None, now: datetime
) -> Judgement | None:
    """Judge a prediction, or return None while it may still come true.

    In cycles it is judged as soon as there is a fault, or the unit has run that far without one.
    """
    after = [fault.failed_at for fault in faults if episode.at < fault.failed_at <= now]
    fault_at = min(after, default=None)
    span = episode.horizon + episode.grace
    if episode.time == "days":
        if now <= episode.at + timedelta(days=span):
            return None
        passed = None if fault_at is None else (fault_at - episode.at) / timedelta(days=1)
    else:
        run = 0.0 if newest is None else float(newest.cycle - episode.cycle)
        if fault_at is None and run <= span:
            return None
        passed = None if fault_at is None else cycles_until(fault_at, episode, newest)
    outcome: Outcome = "false alarm"
    if passed is not None and passed <= span:
        outcome = "true" if passed <= episode.horizon else "late"
    return Judgement(
        outcome=outcome, fault_at=None if outcome == "false alarm" else fault_at, at=now
    )


def cycles_until(fault_at: datetime, episode: Episode, newest: Newest | None) -> float:
    """Return how many cycles a unit ran from its alert to a fault.

    The fault log knows times only; between two scores the unit is taken to run at an even pace, and
    after its newest one not at all.
    """
    if newest is None or newest.at <= episode.at:
        return 0.0
    share = min(1.0, (fault_at - episode.at) / (newest.at - episode.at))
    return share * (newest.cycle - episode.cycle)


def tallies(episodes: Iterable[Episode]) -> list[Tally]:
    """Count how the alerts of each model turned out, oldest name first."""
    counts: dict[str, Counter[str]] = {}
    for episode in episodes:
        if episode.judgement is not None:
            counts.setdefault(episode.model, Counter())[episode.judgement.outcome] += 1
    return [
        Tally(
            model=model,
            true=count["true"],
            late=count["late"],
            false_alarm=count["false alarm"],
            precision=count["true"] / count.total(),
            effective_precision=(count["true"] + count["late"]) / count.total(),
        )
        for model, count in sorted(counts.items())
    ]


@dataclass(frozen=True, slots=True)
class Judging:
    """Everything that matured predictions meet."""

    episodes: Episodes
    faults: FaultLog
    files: Files
    bus: Bus

    def judge(self, now: datetime) -> Judged:
        """Judge what is due, and report each workload of which something was."""
        episodes, newest = self.episodes.survey()
        known = [self._judge_one(episode, newest, now) for episode in episodes]
        reports = reports_of(known, now)
        for report in reports:
            key = judgements_key(report.workload, report.date)
            self.files.put(key, report.model_dump_json(indent=2).encode())
            self.bus.emit(predictions_judged(report))
        return "judged" if reports else "nothing-due"

    def _judge_one(
        self, episode: Episode, newest: Mapping[tuple[str, str], Newest], now: datetime
    ) -> Episode:
        if episode.judgement is not None:
            return episode
        of = (episode.workload, episode.unit)
        judgement = judgement_of(episode, self.faults.faults(*of), newest.get(of), now)
        if judgement is None:
            return episode
        self.episodes.judge(episode, judgement)
        return episode.model_copy(update={"judgement": judgement})


def reports_of(episodes: Sequence[Episode], now: datetime) -> list[JudgementReport]:
    """Report the judgements of this instant, a workload each; totals count all that were judged."""
    reports = []
    for workload in sorted({episode.workload for episode in episodes}):
        own = [episode for episode in episodes if episode.workload == workload]
        fresh = [
            _line(each, each.judgement)
            for each in own
            if each.judgement is not None and each.judgement.at == now
        ]
        if fresh:
            date = now.astimezone(UTC).date().isoformat()
            fresh.sort(key=lambda line: line.episode)
            reports.append(
                JudgementReport(workload=workload, date=date, episodes=fresh, models=tallies(own))
            )
    return reports


def _line(episode: Episode, judgement: Judgement) -> JudgedEpisode:
    return JudgedEpisode(
        episode=episode.id,
        unit=episode.unit,
        model=episode.model,
        probability=episode.probability,
        outcome=judgement.outcome,
        fault_at=judgement.fault_at,
        verdict=episode.feedback.verdict if episode.feedback else None,
    )
