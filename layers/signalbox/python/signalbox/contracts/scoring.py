"""From new features to probabilities: the pointer to the model in service, a scoring run, its scores."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from signalbox.contracts.model_schema import ModelSchema

STRICT = ConfigDict(extra="forbid", frozen=True)

Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]


class CurrentModel(BaseModel):
    """``models/<workload>/current.json``: the model that scores a workload now.

    ``model_data`` is the S3 URI of its ``model.tar.gz`` (model.onnx and model.json), whose schema is
    repeated here so that nobody needs to unpack it to know. ``package`` is the ARN of its version in the
    registry; a model that was published by hand has none.
    """

    model_config = STRICT

    model_data: str = Field(pattern=r"^s3://[^/]+/.+\.tar\.gz$")
    package: str | None = None
    schema_: ModelSchema = Field(alias="schema")


class ScoringRequest(BaseModel):
    """``scoring/<workload>/<run>/request.json``: what the windows program is asked for.

    ``units`` None means all units with fragments.
    """

    model_config = STRICT

    workload: str
    run: str = Field(pattern=r"^[0-9a-f]{32}$")
    units: list[str] | None
    model: CurrentModel
    at: AwareDatetime


class Skipped(BaseModel):
    """A unit that could not be scored, and why."""

    model_config = STRICT

    unit: str
    reason: str
    message: str


class WindowsManifest(BaseModel):
    """``windows/<workload>/<run>/manifest.json``, written last: the run's windows are complete.

    Parts lie under ``windows/<workload>/<run>/parts/``, Parquet, a row a unit: ``windows`` (list of
    window x features float32, row-major, padded on the left), ``valid`` (how many of its cycles are real) and
    the columns of :class:`Score` but the probability.
    """

    model_config = STRICT

    workload: str
    run: str
    model: CurrentModel
    parts: list[str]
    units: Count
    skipped: list[Skipped] = []
    at: AwareDatetime


class Moved(BaseModel):
    """A sensor's feature that moved against the unit's own past, in its own standard deviations."""

    model_config = STRICT

    feature: str
    sensor: str
    deviations: float
    now: float
    usual: float


def _from_text(value: Any) -> Any:
    """Parquet carries the list as a JSON text, and the container hands it through as it is."""
    return json.loads(value) if isinstance(value, str) else value


class Score(BaseModel):
    """One line of a score file (JSON lines, ``scores/<workload>/<run>/….out``), as the container answers.

    ``cycle`` counts the unit's cycles from 1; ``at`` is when the last of them ended; ``schema`` is the digest
    of the schema that its window was made by; ``model`` the version. ``log_probabilities`` are those of
    no fault and of a fault within the horizon.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    unit: str
    cycle: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    model: str
    schema_: str = Field(alias="schema")
    moved: Annotated[list[Moved], BeforeValidator(_from_text)] = []
    log_probabilities: Annotated[list[float], Field(min_length=2, max_length=2)]
