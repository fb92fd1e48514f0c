"""Hyperparameters as SageMaker gives them: text, in place of what the workload says."""

from __future__ import annotations

from collections.abc import Mapping

from cycles.errors import BadHistory
from jobs.program import RESERVED
from signalbox.contracts.prediction import Network, Prediction, Training

TRAINING, NETWORK = frozenset(Training.model_fields), frozenset(Network.model_fields)
SWITCHES = frozenset({"seed", "int8"})


def switches(given: Mapping[str, str]) -> tuple[int, bool]:
    """Seed, and whether int8 is tried.

    Raises:
        BadHistory: the seed is no number from 0 on, or int8 is neither true nor false.
    """
    seed, int8 = str(given.get("seed", "0")), str(given.get("int8", "false"))
    if not seed.isdecimal():
        raise BadHistory("bad-hyperparameter", f"seed: {seed!r} is no whole number from 0 on")
    if int8 not in ("true", "false"):
        raise BadHistory("bad-hyperparameter", f"int8: {int8!r} is neither true nor false")
    return int(seed), int8 == "true"


def tuned(prediction: Mapping[str, object], given: Mapping[str, str]) -> dict[str, object]:
    """The section ``prediction`` with hyperparameters, which come as text, in place of its own.

    Raises:
        BadHistory: a hyperparameter is none, or holds what it cannot.
    """
    mine = {
        name: value
        for name, value in given.items()
        if name not in SWITCHES and not name.startswith(RESERVED)
    }
    strange = sorted(set(mine) - TRAINING - NETWORK)
    if strange:
        raise BadHistory(
            "bad-hyperparameter",
            f"{', '.join(strange)}: there are seed, int8, {', '.join(sorted(TRAINING | NETWORK))}",
        )
    held = Prediction.model_validate(prediction)
    try:
        training = Training.model_validate(held.training.model_dump() | _of(TRAINING, mine))
        network = Network.model_validate(held.network.model_dump() | _of(NETWORK, mine))
    except ValueError as problem:
        raise BadHistory("bad-hyperparameter", str(problem)) from problem
    changed = held.model_copy(update={"training": training, "network": network})
    return changed.model_dump(mode="json")


def _of(names: frozenset[str], given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name in names}
