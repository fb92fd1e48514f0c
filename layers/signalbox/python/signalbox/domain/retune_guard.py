"""How far a workload mends itself: whether a failed quality check may start a retune, and until when not.

Every retune that was started counts, whatever came of it: one whose own model fails again uses up the limit
like any other, so that the loop ends by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from signalbox.contracts.datasets import Consumed
from signalbox.contracts.operations import Retune
from signalbox.contracts.own import Suppression


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says; ``reason`` None means go.

    Attributes:
        retunes: those within the guard's days, with the one that starts now.
        until: when one may start again, as far as time decides; None if it does not.
    """

    reason: Suppression | None
    retunes: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one failed check, for good.

    Attributes:
        token: names the check; also the client request token of the retune.
        run, execution: of the batch inference whose check failed.
        at: when it was decided.
        trained: what the latest training was given that succeeded, to start a retune on; None if none did.
        tune_execution: what was started; None as long as that is not known.
    """

    workload: str
    token: str
    run: str
    execution: str
    at: datetime
    verdict: Verdict
    trained: Consumed | None
    tune_execution: str | None = None

    @property
    def starts(self) -> bool:
        """Whether a retune is started."""
        return self.verdict.reason is None

    @property
    def tune_run(self) -> str:
        """The run of the retune: it follows from the check, so a repeat means the same."""
        return self.token[:32]


def token_of(workload: str, run: str, execution_id: str) -> str:
    """Return the client request token of a retune: 64 hex digits, of the 32 to 128 characters allowed.

    >>> token_of("abalone", "0" * 32, "p4jn9xou8a8s")[:16]
    'f415e3a0a9bacc48'
    """
    return hashlib.sha256("\n".join([workload, run, execution_id]).encode()).hexdigest()


def judge(
    guard: Retune, starts: Sequence[datetime], trained: Consumed | None, now: datetime
) -> Verdict:
    """Decide whether a retune may start now.

    Args:
        guard: the workload's ``operations.retune``.
        starts: when retunes were started, newest first; the newest ``limit`` are enough.
        trained: what the latest training that succeeded was given, if any did.
        now: the time of the decision.
    """
    days = timedelta(days=guard.within_days)
    counted = sum(start > now - days for start in starts)
    if guard.limit == 0:
        return Verdict("off", counted, None)
    if trained is None:
        return Verdict("never-trained", counted, None)
    waits: list[tuple[datetime, Suppression]] = []
    if starts:
        waits.append((starts[0] + timedelta(hours=guard.cooldown_hours), "cooldown"))
    if len(starts) >= guard.limit:
        waits.append((starts[guard.limit - 1] + days, "limit"))
    until, reason = max(waits, default=(now, None))
    if until > now:
        return Verdict(reason, counted, until)
    return Verdict(None, counted + 1, None)
