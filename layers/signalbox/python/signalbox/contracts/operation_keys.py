"""The keys of pipelines, monitoring and model cards; `keys` lists them with all others."""

from __future__ import annotations

import re
from typing import Literal

DatasetKind = Literal["training", "inference", "ground-truth"]
DATASET_KINDS: tuple[DatasetKind, ...] = ("training", "inference", "ground-truth")
OPERATIONS = "operations/"
MONITORING = "monitoring/"
CARDS = "cards/"
PREDICTIONS = "predictions/"
_VIOLATIONS = re.compile(
    r"monitoring/(?P<workload>[^/]+)/(?P<run>[0-9a-f]{32})/constraint_violations\.json"
)


def parse_dataset_key(key: str) -> tuple[DatasetKind, str]:
    """Return what a data file is for, and the workload that its key names.

    >>> parse_dataset_key("ground-truth/abalone/2026-07.csv")
    ('ground-truth', 'abalone')

    Raises:
        ValueError: no ``training/``, ``inference/`` or ``ground-truth/<workload>/<path>``.
    """
    room, _, rest = key.partition("/")
    workload, slash, path = rest.partition("/")
    for kind in DATASET_KINDS:
        if room == kind and workload and slash and path:
            return kind, workload
    raise ValueError(
        f"{key!r} names no workload; data goes under training/<workload>/<path>, "
        "inference/<workload>/<path> or ground-truth/<workload>/<path>"
    )


def operations_prefix(workload: str, run: str) -> str:
    """Return the prefix of all that one pipeline run was given and made."""
    return f"{OPERATIONS}{workload}/{run}/"


def inputs_key(workload: str, run: str) -> str:
    """Return where the files of a pipeline run are listed, as SageMaker's manifests are."""
    return f"{operations_prefix(workload, run)}inputs.json"


def predictions_key(workload: str, run: str) -> str:
    """Return where the predictions are listed that a run holds against the truth."""
    return f"{operations_prefix(workload, run)}predictions.json"


def predicted_prefix(workload: str) -> str:
    """Return where the predictions of a workload lie, a folder for each run."""
    return f"{PREDICTIONS}{workload}/"


def predicted_key(workload: str, run: str) -> str:
    """Return where the predictions of a run lie."""
    return f"{predicted_prefix(workload)}{run}/predictions.csv"


def violations_key(workload: str, run: str) -> str:
    """Return where a run notes how its data violates the constraints of its model."""
    return f"{MONITORING}{workload}/{run}/constraint_violations.json"


def parse_violations_key(key: str) -> tuple[str, str]:
    """Return workload and run of the key of a file of violations.

    Raises:
        ValueError: it is none.
    """
    found = _VIOLATIONS.fullmatch(key)
    if not found:
        raise ValueError(
            f"{key!r} is no file of violations; those are "
            "monitoring/<workload>/<32 hex digits>/constraint_violations.json"
        )
    return found["workload"], found["run"]


def card_prefix(card: str) -> str:
    """Return the prefix that an approved model card is exported under."""
    return f"{CARDS}{card}/"


def shared_card_prefix(card: str) -> str:
    """Return the prefix of the copies of an approved card, which other accounts may read."""
    return f"{CARDS}shared/{card}/"


def review_card_prefix(card: str) -> str:
    """Return the prefix of the copies of a card that is to be reviewed, which the hub may read."""
    return f"{CARDS}review/{card}/"
