"""How a model's features are made, from its schema: the kernel's ``Past`` in words of the house."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cycles.history import Past, last_window
from signalbox.contracts.model_schema import ModelSchema
from signalbox.contracts.scoring import Moved
from signalbox.errors import Rejected

TOLD = 3  # sensors, at most, that a warning names
SENSOR_END = "__"
NOTABLE = 2.0  # standard deviations


def past_of(schema: ModelSchema) -> Past:
    """What turns columns into the features of this model.

    Raises:
        Rejected: the schema contradicts itself.
    """
    told, columns = schema.adjustment, len(schema.columns)
    of_conditions, of_columns = ("centre", "spread"), ("usual", "low", "high", "deviation")
    sizes = dict.fromkeys(of_conditions, len(told.conditions)) | dict.fromkeys(of_columns, columns)
    named = [*told.conditions, *([told.mode] if told.mode is not None else [])]
    if (
        any(len(getattr(told, name)) != size for name, size in sizes.items())
        or any(len(row) != columns for row in told.coefficients)
        or not set(named) <= set(schema.columns)
    ):
        raise Rejected("bad-model", f"model {schema.version}: its adjustment fits not its columns")
    arrays = {name: np.asarray(getattr(told, name), np.float64) for name in sizes}
    coefficients = np.asarray(told.coefficients, np.float64).reshape(-1, columns)
    past = Past(
        columns=tuple(schema.columns), compare=tuple(schema.compare), reference=schema.reference,
        smooth=schema.smooth, lag=schema.lag, age=schema.age, conditions=tuple(told.conditions),
        mode=told.mode, coefficients=coefficients, **arrays,
    )  # fmt: skip
    if past.names != schema.features:
        raise Rejected(
            "bad-model", f"model {schema.version}: its features are not those its columns make"
        )
    return past


def window_of(
    past: Past, schema: ModelSchema, values: npt.NDArray[np.floating[Any]]
) -> tuple[npt.NDArray[np.float32], int]:
    """What the model is shown of a unit now: (window, F), and how many rows are real."""
    return last_window(past.features(values), schema.window)


def moved_of(past: Past, values: npt.NDArray[np.floating[Any]]) -> list[Moved]:
    """The sensors that strayed furthest from the unit's own usual, one feature a sensor."""
    now, usual, deviations = past.moved(values)
    found: dict[str, Moved] = {}
    for k in np.argsort(-np.abs(deviations)):
        sensor = past.columns[k].split(SENSOR_END)[0]
        if len(found) == TOLD or abs(deviations[k]) < NOTABLE:
            break
        found.setdefault(
            sensor,
            Moved(
                feature=past.columns[k], sensor=sensor, deviations=round(float(deviations[k]), 2),
                now=float(now[k]), usual=float(usual[k]),
            ),
        )  # fmt: skip
    return list(found.values())
