"""Trigger files: ``_SUCCESS`` says that all files are there, and may say how their run is to be."""

from __future__ import annotations

import json
from collections.abc import Mapping

from signalbox.contracts.datasets import Pipeline

MAX_BYTES = 16 * 1024
"""Of a trigger file; those that Spark and Hadoop write are empty."""
_SWITCHES: Mapping[Pipeline, frozenset[str]] = {
    "train": frozenset({"SkipTrainingDataCheck", "RegisterNewBaseline"}),
    "batch": frozenset({"SkipDataQualityCheck"}),
}
_PLACES: Mapping[Pipeline, frozenset[str]] = {"train": frozenset({"SuppliedBaseline"})}
_MAX_VALUE = 1024  # StartPipelineExecution, Parameter


def parameters_of(content: bytes, pipeline: Pipeline) -> dict[str, str]:
    """Return the parameters of a run that a trigger file asks for: none if it is empty.

    >>> parameters_of(b'{"RegisterNewBaseline": false}', "train")
    {'RegisterNewBaseline': 'False'}

    Raises:
        ValueError: it is neither empty nor a JSON object of parameters of that pipeline.
    """
    if not content.strip():
        return {}
    try:
        told = json.loads(content)
    except ValueError:
        told = None
    switches, places = _SWITCHES.get(pipeline, frozenset()), _PLACES.get(pipeline, frozenset())
    known = ", ".join(sorted(switches | places))
    if not isinstance(told, dict):
        raise ValueError(f"is neither empty nor a JSON object; it may hold {known}")  # noqa: TRY004
    found = {}
    for name, value in told.items():
        if name in switches and str(value) in ("True", "False"):
            found[name] = str(value)
        elif name in places and isinstance(value, str) and _is_place(value):
            found[name] = value
        elif name in switches | places:
            wanted = "true or false" if name in switches else "an s3:// folder"
            raise ValueError(f"has {json.dumps(value)[:80]} for {name}, which is {wanted}")
        else:
            raise ValueError(f"names {name[:80]!r}; it may hold {known}")
    return found


def _is_place(value: str) -> bool:
    return value.startswith("s3://") and len(value) <= _MAX_VALUE
