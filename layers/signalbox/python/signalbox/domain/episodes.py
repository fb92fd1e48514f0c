"""When a unit may be warned of again: the rules of an episode, and the table that keeps them.

Within an episode the first score at or above the threshold is the alert; then silence, until one of

* a fault that was recorded after the alert: over at once, armed again from its repair on;
* feedback ``false alarm``: over at once, armed again after ``snooze``;
* feedback ``confirmed``: over with the next repair, also of a fault that began before the alert;
* time: nothing came of it within ``horizon + grace``.

Everything is judged as of the score at hand: what was recorded for later times does not count yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from signalbox.contracts.alerts import Episode, Feedback, Judgement, Newest
from signalbox.contracts.fleet import FaultRecord

LEASE = timedelta(seconds=150)
"""Longer than the time-out of on_scores (120 s), so that nobody holds it any more; shorter than Lambda's
two retries of an asynchronous call together (1 + 2 minutes), so that the second can take over."""

Step = Literal["wait", "take-over", "announce", "nothing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a unit: the newest score judged, and its latest episode."""

    newest: Newest | None = None
    latest: Episode | None = None

    def knows(self, place: str) -> bool:
        """Whether a score at this place, or a newer one, was judged already."""
        return self.newest is not None and place <= self.newest.place


class Episodes(Protocol):
    """The table of episodes. Every change is conditional: of two contenders one wins."""

    def standing(self, workload: str, unit: str) -> Standing:
        """Return what is known of a unit, as of now."""

    def get(self, workload: str, unit: str, episode: str) -> Episode | None:
        """Return one episode, as of now."""

    def open(self, episode: Episode) -> bool:
        """Write a new episode; False if there is one of this name."""

    def renew(self, episode: Episode, now: datetime) -> Episode:
        """Take over the sending of an alert.

        Raises:
            Transient: somebody else did, or it was sent in the meantime.
        """

    def sent(self, workload: str, unit: str, episode: str) -> bool:
        """Note that the topic has taken the alert; False if there is no such episode."""

    def announced(self, episode: Episode) -> None:
        """Note that FaultPredicted went out."""

    def advance(self, workload: str, unit: str, newest: Newest) -> None:
        """Note the newest score judged; an older one changes nothing."""

    def hear(self, episode: Episode, feedback: Feedback, cycle: int | None) -> None:
        """Note feedback in the place of what ``episode`` has.

        Raises:
            Transient: somebody else did in the meantime.
        """

    def judge(self, episode: Episode, judgement: Judgement) -> None:
        """Note how the prediction turned out, unless that is noted."""

    def survey(self) -> tuple[Sequence[Episode], Mapping[tuple[str, str], Newest]]:
        """Return all episodes, and the newest score judged by (workload, unit)."""


def next_step(episode: Episode, now: datetime) -> Step:
    """Decide what is left to do about an alert that some delivery opened an episode for."""
    if episode.announced:
        return "nothing"
    if episode.sent:
        return "announce"
    return "wait" if now - episode.claimed_at < LEASE else "take-over"


def armed(latest: Episode | None, at: datetime, cycle: int, faults: Iterable[FaultRecord]) -> bool:
    """Whether a score of this time and cycle may open a new episode."""
    if latest is None:
        return True
    known = [fault for fault in faults if not fault.withdrawn and fault.failed_at <= at]
    after = max((f for f in known if f.failed_at > latest.at), key=_failed_at, default=None)
    if after is not None:
        return at > (after.repaired_at or after.failed_at)
    feedback = latest.feedback
    if feedback is not None and feedback.verdict == "false alarm":
        return _beyond(latest, feedback.at, latest.heard_at_cycle, latest.snooze, at, cycle)
    if feedback is not None and any(
        fault.repaired_at is not None and latest.at < fault.repaired_at < at for fault in known
    ):
        return True
    return _beyond(latest, latest.at, latest.cycle, latest.horizon + latest.grace, at, cycle)


def _failed_at(fault: FaultRecord) -> datetime:
    return fault.failed_at


def _beyond(
    episode: Episode,
    since: datetime,
    since_cycle: int | None,
    span: float,
    at: datetime,
    cycle: int,
) -> bool:
    """Whether more than ``span`` days or cycles have passed, whichever the episode counts."""
    if episode.time == "days":
        return at > since + timedelta(days=span)
    return cycle > (since_cycle or episode.cycle) + span
