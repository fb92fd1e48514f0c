"""What became of each file: the path it took through the cloud, told from the journal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One station on a file's path: an event, a rule, a delivery, a door, an output."""

    kind: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Journey:
    """A file's path from the bucket to its end.

    Attributes:
        key: the file's key in the data bucket.
        steps: stations in causal order.
        outcome: ``features``, ``rejected``, or what else became of it.
        units: units the file spoke of.
        cycles: cycles that the file alone decided.
        output_key: the fragment, or the note why it was rejected.
        message: why, where it was rejected.
    """

    key: str
    steps: tuple[Step, ...]
    outcome: str
    units: tuple[str, ...] = ()
    cycles: int = 0
    output_key: str = ""
    message: str = ""
