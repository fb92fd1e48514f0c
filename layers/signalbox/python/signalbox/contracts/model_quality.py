"""How good a model is, as SageMaker Model Monitor writes it: ``evaluation.json``.

Source: SageMaker Developer Guide, "Model quality metrics and Amazon CloudWatch monitoring".
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)
EVALUATION = "evaluation.json"

Finite = Annotated[float, Field(allow_inf_nan=False)]
FromZero = Annotated[int, Field(ge=0)]


class Measured(BaseModel):
    """A figure and its standard deviation, which is "NaN" below 200 samples."""

    model_config = STRICT

    value: Finite
    standard_deviation: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Literal["NaN"]


class RegressionMetrics(BaseModel):
    """Of a model that answers with a number."""

    model_config = STRICT

    mae: Measured
    mse: Measured
    rmse: Measured
    r2: Measured


class RocCurve(BaseModel):
    """Points of the receiver operating characteristic."""

    model_config = STRICT

    false_positive_rates: list[Finite]
    true_positive_rates: list[Finite]


class PrecisionRecallCurve(BaseModel):
    """Points of precision over recall."""

    model_config = STRICT

    precisions: list[Finite]
    recalls: list[Finite]


class BinaryMetrics(BaseModel):
    """Of a model that answers yes (1) or no (0); the constant classifier always says 1."""

    model_config = STRICT

    confusion_matrix: dict[Literal["0", "1"], dict[Literal["0", "1"], FromZero]]
    recall: Measured
    precision: Measured
    accuracy: Measured
    recall_best_constant_classifier: Measured
    precision_best_constant_classifier: Measured
    accuracy_best_constant_classifier: Measured
    true_positive_rate: Measured
    true_negative_rate: Measured
    false_positive_rate: Measured
    false_negative_rate: Measured
    auc: Measured
    f0_5: Measured
    f1: Measured
    f2: Measured
    f0_5_best_constant_classifier: Measured
    f1_best_constant_classifier: Measured
    f2_best_constant_classifier: Measured
    receiver_operating_characteristic_curve: RocCurve
    precision_recall_curve: PrecisionRecallCurve


class ModelQuality(BaseModel):
    """``evaluation.json``: the metrics of one of the two problems."""

    model_config = STRICT

    regression_metrics: RegressionMetrics | None = None
    binary_classification_metrics: BinaryMetrics | None = None

    @model_validator(mode="after")
    def _one_problem(self) -> Self:
        if (self.regression_metrics is None) == (self.binary_classification_metrics is None):
            raise ValueError("give the metrics of exactly one problem")
        return self

    def value(self, metric: str) -> float:
        """The figure of a metric."""
        found: Measured = getattr(
            self.regression_metrics or self.binary_classification_metrics, metric
        )
        return found.value

    def text(self) -> str:
        """As the file holds it."""
        return self.model_dump_json(indent=1, exclude_none=True)
