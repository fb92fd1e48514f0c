"""Ground truth comes: which predictions it is held against, and whether they are all there yet.

Truth lags: what came true on Monday arrives after Tuesday was predicted. So it is held against the
predictions of the latest runs together, of which each row says who predicted it, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from signalbox.contracts.datasets import JUDGED_RUNS, Consumed
from signalbox.contracts.operation_keys import DatasetKind, predicted_key, predicted_prefix

PATIENCE = timedelta(hours=6)
"""How long truth waits for predictions under way; a step may run as long (pipelines/batch.json)."""


class Listing(Protocol):
    """The data bucket."""

    def keys(self, prefix: str) -> list[str]:
        """Return every key under a prefix."""


class Runs(Protocol):
    """What runs consumed."""

    def recent(self, kind: DatasetKind, workload: str, most: int) -> list[Consumed]:
        """Return what the latest runs of a kind were given, the latest first."""


class Executions(Protocol):
    """Runs of pipelines."""

    def under_way(self, execution: str) -> bool:
        """Whether a run has not ended."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was predicted for a workload lately."""

    folder: Listing
    runs: Runs
    executions: Executions

    def files(self, workload: str) -> list[str]:
        """Return the keys of the predictions of the latest runs."""
        there = set(self.folder.keys(predicted_prefix(workload)))
        wanted = [predicted_key(workload, each.run) for each in self._recent(workload)]
        return [key for key in wanted if key in there]

    def coming(self, workload: str, now: datetime) -> bool:
        """Whether a run of the last hours may still add predictions."""
        young = [each for each in self._recent(workload) if now - each.at < PATIENCE]
        if not young:
            return False
        there = set(self.folder.keys(predicted_prefix(workload)))
        return any(
            predicted_key(workload, each.run) not in there
            and each.execution
            and self.executions.under_way(each.execution)
            for each in young
        )

    def _recent(self, workload: str) -> Sequence[Consumed]:
        return self.runs.recent("inference", workload, JUDGED_RUNS)
