"""What a fault model must reach."""

from __future__ import annotations

from jobs.dataset.build import prediction_of
from signalbox.contracts.gate import Gate
from signalbox.contracts.workload import Workload
from signalbox.errors import Misconfigured


def gate_of(workload: Workload) -> Gate:
    """What a model of this workload must reach.

    Raises:
        BadHistory: the workload predicts no faults.
        Misconfigured: it does not say.
    """
    asked = prediction_of(workload).gate
    if asked is None:
        raise Misconfigured(
            f"workload {workload.name!r} has no prediction.gate to judge a model by"
        )
    return asked
