"""What a door says about itself: structured log lines and counts, never payloads."""

from __future__ import annotations

import io
import sys
import traceback
from contextlib import AbstractContextManager
from typing import IO, cast

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from signalbox.errors import Rejected, SignalboxError

NAMESPACE = "Signalbox"


class Telemetry:
    """The log and the counts of one door."""

    def __init__(self, door: str) -> None:
        self._logger = Logger(service=door, stream=cast("IO[str]", _Stdout()))
        self._metrics = Metrics(namespace=NAMESPACE, service=door)
        self._counted = False

    def about(self, **fields: str | None) -> AbstractContextManager[None]:
        """Put these fields on every line written inside the block."""
        known = {name: value for name, value in fields.items() if value is not None}
        return self._logger.append_context_keys(**known)

    def count(self, outcome: str) -> None:
        """Count one delivery by what became of it, and say so."""
        self._add(outcome)
        self._logger.info(outcome)

    def rejected(self, problem: Rejected) -> None:
        """Say why a delivery can never work; it is counted by its outcome."""
        self._logger.warning(problem.message, reason=problem.reason)

    def failed(self, problem: Exception) -> None:
        """Count a delivery that ends in an error, by the kind of error.

        Errors of the house show their message; others only where they came from, because their
        text may quote a payload.
        """
        kind = type(problem).__name__ if isinstance(problem, SignalboxError) else "Failed"
        self._add(kind.lower())
        if isinstance(problem, SignalboxError):
            self._logger.error(str(problem), kind=kind)
        else:
            frames = traceback.format_tb(problem.__traceback__)
            self._logger.error("unforeseen", kind=type(problem).__name__, frames=frames)

    def flush(self) -> None:
        """Hand the counts over, as one line in the log (CloudWatch embedded metric format)."""
        if self._counted:
            self._metrics.flush_metrics()
        self._counted = False

    def _add(self, name: str) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
        self._counted = True


class _Stdout(io.TextIOBase):
    """Whatever standard output is when a line is written: the counts go there too."""

    def write(self, text: str, /) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()
