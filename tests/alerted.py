"""Fakes and samples of alerts: episodes, a topic, a small model and what it scored."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signalbox.contracts.alerts import Episode, Feedback, Judgement, Message, Newest
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.scoring import WindowsManifest
from signalbox.domain.episodes import Standing
from signalbox.errors import Transient
from tests.fakes import NOON, Fuse


@dataclass
class InMemoryEpisodes:
    """The table of episodes."""

    fuse: Fuse = field(default_factory=Fuse)
    items: dict[tuple[str, str], dict[str, Episode]] = field(default_factory=dict)
    newest: dict[tuple[str, str], Newest] = field(default_factory=dict)

    def standing(self, workload: str, unit: str) -> Standing:
        own = self.items.get((workload, unit), {})
        return Standing(self.newest.get((workload, unit)), own[max(own)] if own else None)

    def get(self, workload: str, unit: str, episode: str) -> Episode | None:
        return self.items.get((workload, unit), {}).get(episode)

    def open(self, episode: Episode) -> bool:
        with self.fuse.around():
            own = self.items.setdefault((episode.workload, episode.unit), {})
            return own.setdefault(episode.id, episode) is episode

    def renew(self, episode: Episode, now: datetime) -> Episode:
        known = self._known(episode)
        if known.sent or known.claimed_at != episode.claimed_at:
            raise Transient(f"{episode.id} was changed by somebody else")
        self._change(episode, claimed_at=now)
        return episode.model_copy(update={"claimed_at": now})

    def sent(self, workload: str, unit: str, episode: str) -> bool:
        known = self.get(workload, unit, episode)
        if known is None:
            return False
        self._change(known, sent=True)
        return True

    def announced(self, episode: Episode) -> None:
        self._change(episode, announced=True)

    def advance(self, workload: str, unit: str, newest: Newest) -> None:
        with self.fuse.around():
            known = self.newest.get((workload, unit))
            if known is None or known.place < newest.place:
                self.newest[workload, unit] = newest

    def hear(self, episode: Episode, feedback: Feedback, cycle: int | None) -> None:
        if self._known(episode).feedback != episode.feedback:
            raise Transient(f"{episode.id} was changed by somebody else")
        self._change(episode, feedback=feedback, heard_at_cycle=cycle)

    def judge(self, episode: Episode, judgement: Judgement) -> None:
        if self._known(episode).judgement is not None:
            raise Transient(f"{episode.id} was changed by somebody else")
        self._change(episode, judgement=judgement)

    def survey(self) -> tuple[list[Episode], dict[tuple[str, str], Newest]]:
        found = [each for own in self.items.values() for each in own.values()]
        return sorted(found, key=lambda each: (each.at, each.id)), dict(self.newest)

    def _known(self, episode: Episode) -> Episode:
        return self.items[episode.workload, episode.unit][episode.id]

    def _change(self, episode: Episode, **changes: Any) -> None:
        with self.fuse.around():
            own = self.items[episode.workload, episode.unit]
            own[episode.id] = own[episode.id].model_copy(update=changes)


@dataclass
class SentMessages:
    """A topic that remembers what it took."""

    fuse: Fuse = field(default_factory=Fuse)
    messages: list[Message] = field(default_factory=list)

    def publish(self, message: Message) -> None:
        with self.fuse.around():
            self.messages.append(message)


def schema(**changes: Any) -> ModelSchema:
    """Return the schema of a small model."""
    told: dict[str, Any] = {
        "workload": "hvac", "version": "v1", "columns": ["pressure__mean"],
        "features": ["pressure__mean"], "window": 8, "time": "days", "horizon": 60, "grace": 30,
        "threshold": 0.9, "reference": 4, "smooth": 2, "dataset": "d1",
    }  # fmt: skip
    return ModelSchema.model_validate(told | changes)


def manifest_file(run: str, model: ModelSchema, units: int = 0) -> bytes:
    """Return what says that the windows of a run are complete."""
    current = {"model_data": "s3://artifacts/models/m.tar.gz", "schema": model.model_dump()}
    manifest = WindowsManifest.model_validate(
        {
            "workload": model.workload, "run": run, "model": current, "parts": [], "units": units,
            "at": NOON,
        }
    )  # fmt: skip
    return manifest.model_dump_json(by_alias=True).encode()


def score_line(
    unit: str, probability: float, at: datetime, cycle: int, model: ModelSchema, /, **changes: Any
) -> bytes:
    """Return one line of a score file, as the container answers."""
    moved = {
        "feature": "pressure__mean", "sensor": "pressure", "deviations": 4.2, "now": 21.5,
        "usual": 18.25,
    }  # fmt: skip
    told: dict[str, Any] = {
        "unit": unit, "cycle": cycle, "at": at.isoformat(), "model": model.version,
        "schema": model.digest, "moved": json.dumps([moved]),
        "log_probabilities": [math.log(1 - probability), math.log(probability)],
    }  # fmt: skip
    return json.dumps(told | changes).encode()
