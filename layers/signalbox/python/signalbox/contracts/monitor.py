"""The files of SageMaker Model Monitor on data: statistics, constraints, violations.

Source: SageMaker Developer Guide, "Schema for Statistics", "Schema for Constraints" and "Schema for
Violations". The house writes them with programs of its own; the service is closed to new customers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)

STATISTICS = "statistics.json"
CONSTRAINTS = "constraints.json"
VIOLATIONS = "constraint_violations.json"

Finite = Annotated[float, Field(allow_inf_nan=False)]
FromZero = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Switch = Literal["Enabled", "Disabled"]
Inferred = Literal["Fractional", "Integral", "String", "Unknown"]
CheckType = Literal[
    "data_type_check",
    "completeness_check",
    "baseline_drift_check",
    "missing_column_check",
    "extra_column_check",
    "categorical_values_check",
]


class Presence(BaseModel):
    """How many rows have a value, and how many have none."""

    model_config = STRICT

    num_present: FromZero
    num_missing: FromZero


class Bucket(BaseModel):
    """So many values from ``lower_bound`` on, below ``upper_bound``; the last holds its end too."""

    model_config = STRICT

    lower_bound: Finite
    upper_bound: Finite
    count: Annotated[float, Field(ge=0)]


class Parameters(BaseModel):
    """Of a KLL sketch: ``k`` its size, ``c`` how fast its levels shrink."""

    model_config = STRICT

    c: Finite
    k: Finite


class Sketch(BaseModel):
    """A KLL sketch: the numbers of level l stand for 2^l values each."""

    model_config = STRICT

    parameters: Parameters
    data: list[list[Finite]]


class Kll(BaseModel):
    """Ten equal buckets, and the sketch they were counted with."""

    model_config = STRICT

    buckets: list[Bucket]
    sketch: Sketch


class NumericalDistribution(BaseModel):
    """How numbers are distributed."""

    model_config = STRICT

    kll: Kll


class NumericalStatistics(BaseModel):
    """Of a column of numbers; ``std_dev`` is that of the population."""

    model_config = STRICT

    common: Presence
    mean: Finite
    sum: Finite
    std_dev: Annotated[Finite, Field(ge=0)]
    min: Finite
    max: Finite
    distribution: NumericalDistribution


class Category(BaseModel):
    """How many rows hold a value."""

    model_config = STRICT

    value: str
    count: FromZero


class Categories(BaseModel):
    """All values of a column of text, or the most frequent ones."""

    model_config = STRICT

    buckets: list[Category]


class StringDistribution(BaseModel):
    """How texts are distributed."""

    model_config = STRICT

    categorical: Categories


class StringStatistics(BaseModel):
    """Of a column of text."""

    model_config = STRICT

    common: Presence
    distinct_count: FromZero
    distribution: StringDistribution


class FeatureStatistics(BaseModel):
    """Of one column; ``Unknown`` is one without any value."""

    model_config = STRICT

    name: str
    inferred_type: Inferred
    numerical_statistics: NumericalStatistics | None = None
    string_statistics: StringStatistics | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        wanted = {"String": (False, True), "Unknown": (False, False)}.get(
            self.inferred_type, (True, False)
        )
        if (self.numerical_statistics is not None, self.string_statistics is not None) != wanted:
            raise ValueError(f"statistics do not fit inferred_type {self.inferred_type}")
        return self

    @property
    def common(self) -> Presence | None:
        """How many rows have a value; None where none has."""
        found = self.numerical_statistics or self.string_statistics
        return found.common if found else None


class Dataset(BaseModel):
    """How many rows there are."""

    model_config = STRICT

    item_count: FromZero


class Statistics(BaseModel):
    """``statistics.json``."""

    model_config = STRICT

    version: Literal[0] = 0
    dataset: Dataset
    features: list[FeatureStatistics]

    def text(self) -> str:
        """As the file holds it: what a feature does not have is not named."""
        return self.model_dump_json(indent=1, exclude_none=True)


class NumberConstraints(BaseModel):
    """What a column of numbers must satisfy."""

    model_config = STRICT

    is_non_negative: bool


class StringConstraints(BaseModel):
    """The values that a column of text may hold."""

    model_config = STRICT

    domains: list[str]


class FeatureConstraints(BaseModel):
    """What one column must satisfy; ``completeness`` is the share of rows with a value."""

    model_config = STRICT

    name: str
    inferred_type: Inferred
    completeness: Share
    num_constraints: NumberConstraints | None = None
    string_constraints: StringConstraints | None = None
    overrides: dict[str, Any] = Field(default={}, alias="monitoringConfigOverrides")


class DistributionConstraints(BaseModel):
    """How distributions are compared, and how far apart they may be."""

    model_config = STRICT

    perform_comparison: Switch = "Enabled"
    comparison_threshold: Share = 0.1
    comparison_method: Literal["Simple", "Robust"] = "Robust"
    categorical_comparison_threshold: Share = 0.1
    categorical_drift_method: Literal["LInfinity", "ChiSquared"] = "LInfinity"


class MonitoringConfig(BaseModel):
    """Thresholds are shares of the rows."""

    model_config = STRICT

    evaluate_constraints: Switch = "Enabled"
    emit_metrics: Switch = "Enabled"
    datatype_check_threshold: Share = 0.1
    domain_content_threshold: Share = 0.1
    distribution_constraints: DistributionConstraints = DistributionConstraints()


class Constraints(BaseModel):
    """``constraints.json``."""

    model_config = STRICT

    version: Literal[0] = 0
    features: list[FeatureConstraints]
    monitoring_config: MonitoringConfig = MonitoringConfig()

    def text(self) -> str:
        """As the file holds it."""
        return self.model_dump_json(indent=1, exclude_none=True, by_alias=True)


class Violation(BaseModel):
    """One check that failed, and by how much."""

    model_config = STRICT

    feature_name: str
    constraint_check_type: CheckType
    description: str


class Violations(BaseModel):
    """``constraint_violations.json``; an empty list where all is well."""

    model_config = STRICT

    violations: list[Violation]
