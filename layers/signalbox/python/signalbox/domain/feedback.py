"""Somebody who looked at the unit says what the alert was worth.

One verdict stands for each alert: the latest by its own ``at``, in whatever order they arrive. It is
noted on the episode first, where it decides when the unit may be warned of again, and kept as a file
for whoever trains the next model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from signalbox.contracts.alerts import Feedback
from signalbox.contracts.keys import feedback_key
from signalbox.domain.announce import Bus, feedback_recorded
from signalbox.domain.episodes import Episodes
from signalbox.errors import Rejected

Heard = Literal["recorded", "superseded"]


class Files(Protocol):
    """Where verdicts are kept."""

    def put(self, key: str, content: bytes) -> None:
        """Write ``content`` under ``key``; the same bytes again change nothing."""


def replaces(new: Feedback, known: Feedback | None) -> bool:
    """Whether feedback takes the place of what stands: the later one does, and a repeat of it.

    Of two that contradict each other at the same instant the same one wins everywhere.
    """
    return known is None or (new.at, new.model_dump_json()) >= (known.at, known.model_dump_json())


@dataclass(frozen=True, slots=True)
class Hearing:
    """Everything that feedback meets."""

    episodes: Episodes
    files: Files
    bus: Bus

    def hear(self, feedback: Feedback) -> Heard:
        """Keep a verdict on an alert, and say so.

        Raises:
            Rejected: there was no such alert.
            Transient: somebody else is saying something about it right now.
        """
        episode = self.episodes.get(feedback.workload, feedback.unit, feedback.episode)
        if episode is None:
            raise Rejected(
                "unknown-episode",
                f"{feedback.episode!r} is no alert of unit {feedback.unit!r} of "
                f"{feedback.workload!r}; the alert names all three",
            )
        if not replaces(feedback, episode.feedback):
            return "superseded"
        if feedback != episode.feedback:
            newest = self.episodes.standing(feedback.workload, feedback.unit).newest
            self.episodes.hear(episode, feedback, newest.cycle if newest else None)
        content = feedback.model_dump_json(indent=2).encode()
        self.files.put(feedback_key(feedback.workload, episode.id), content)
        self.bus.emit(feedback_recorded(episode, feedback))
        return "recorded"
