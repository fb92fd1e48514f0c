"""What a model card says: the content schema, version 0.1.0, with its limits.

Source: SageMaker Developer Guide, "Amazon SageMaker Model Cards", section "Model card JSON schema"; the
text as a whole: CreateModelCard of the API Reference. The schema writes ``maxContains`` for lists and
thereby forbids nothing; its numbers are kept here as what they mean.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from signalbox.contracts.operations import Risk

MAX_CONTENT = 100_000
"""Characters of the whole content."""
MAX_POINTS = 20
"""Points of a graph, rows and columns of a matrix."""

STRICT = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

CardStatus = Literal["Draft", "PendingReview", "Approved", "Archived"]
Text1024 = Annotated[str, Field(max_length=1024)]
Text2048 = Annotated[str, Field(max_length=2048)]
Label = Annotated[str, Field(max_length=63)]
Title = Annotated[str, Field(pattern=r"^.{1,63}$")]
MetricName = Annotated[str, Field(pattern=r"^.{1,255}$")]
Places = Annotated[list[Text1024], Field(max_length=15)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[list[Number], Field(min_length=1, max_length=MAX_POINTS)]
Point = Annotated[list[Number], Field(min_length=2, max_length=2)]


class Environment(BaseModel):
    """The images that a model is trained or served with."""

    model_config = STRICT

    container_image: Places


class ModelOverview(BaseModel):
    """Which model it is, and whose."""

    model_config = STRICT

    model_description: Text1024 | None = None
    model_owner: Text1024 | None = None
    model_creator: Text1024 | None = None
    problem_type: str | None = None
    algorithm_type: Text1024 | None = None
    model_id: Text1024 | None = None
    model_artifact: Places | None = None
    model_name: Text1024 | None = None
    model_version: Annotated[int, Field(ge=1)] | None = None
    inference_environment: Environment | None = None


class IntendedUses(BaseModel):
    """What it is for, and how much depends on it."""

    model_config = STRICT

    purpose_of_model: Text2048 | None = None
    intended_uses: Text2048 | None = None
    factors_affecting_model_efficiency: Text2048 | None = None
    risk_rating: Risk | None = None
    explanations_for_risk_rating: Text2048 | None = None


class TrainingMetric(BaseModel):
    """One number of a training."""

    model_config = STRICT

    name: MetricName
    value: Number
    notes: Text1024 | None = None


class Objective(BaseModel):
    """What a training makes large or small."""

    model_config = STRICT

    function: Literal["Maximize", "Minimize"] | None = None
    facet: Label | None = None
    condition: Label | None = None


class ObjectiveFunction(BaseModel):
    """The objective of a training, in words too."""

    model_config = STRICT

    function: Objective | None = None
    notes: Text1024 | None = None


class TrainingJobDetails(BaseModel):
    """The training job: its data, its image, its numbers."""

    model_config = STRICT

    training_arn: Text1024 | None = None
    training_datasets: Places | None = None
    training_environment: Environment | None = None
    training_metrics: Annotated[list[TrainingMetric], Field(max_length=50)] | None = None
    user_provided_training_metrics: Annotated[list[TrainingMetric], Field(max_length=50)] | None = (
        None
    )


class TrainingDetails(BaseModel):
    """How the model was trained."""

    model_config = STRICT

    objective_function: ObjectiveFunction | None = None
    training_observations: Text1024 | None = None
    training_job_details: TrainingJobDetails | None = None


class SimpleMetric(BaseModel):
    """One value; its type says what it is."""

    model_config = STRICT

    name: MetricName
    type: Literal["number", "string", "boolean"]
    value: StrictBool | Number | Label
    notes: Text1024 | None = None
    x_axis_name: Label | None = None
    y_axis_name: Label | None = None

    @model_validator(mode="after")
    def _value_is_of_its_type(self) -> Self:
        kinds = {bool: "boolean", float: "number", int: "number", str: "string"}
        if kinds[type(self.value)] != self.type:
            raise ValueError(f"value is no {self.type}")
        return self


class LinearGraph(BaseModel):
    """A line through points (x, y)."""

    model_config = STRICT

    name: MetricName
    type: Literal["linear_graph"] = "linear_graph"
    value: Annotated[list[Point], Field(min_length=1, max_length=MAX_POINTS)]
    notes: Text1024 | None = None
    x_axis_name: Label | None = None
    y_axis_name: Label | None = None


class BarChart(BaseModel):
    """Bars, each with its name on the x axis."""

    model_config = STRICT

    name: MetricName
    type: Literal["bar_chart"] = "bar_chart"
    value: Row
    notes: Text1024 | None = None
    x_axis_name: list[Label] | None = None
    y_axis_name: Label | None = None


class Matrix(BaseModel):
    """Rows of numbers: one a name on the y axis, one column a name on the x axis."""

    model_config = STRICT

    name: MetricName
    type: Literal["matrix"] = "matrix"
    value: Annotated[list[Row], Field(min_length=1, max_length=MAX_POINTS)]
    notes: Text1024 | None = None
    x_axis_name: list[Label] | None = None
    y_axis_name: list[Label] | None = None


Metric = Annotated[SimpleMetric | LinearGraph | BarChart | Matrix, Field(union_mode="smart")]


class MetricGroup(BaseModel):
    """Metrics that belong together."""

    model_config = STRICT

    name: Title
    metric_data: list[Metric]


class Evaluation(BaseModel):
    """One evaluation of the model."""

    model_config = STRICT

    name: Title
    evaluation_observation: Annotated[str, Field(max_length=2096)] | None = None
    evaluation_job_arn: Annotated[str, Field(max_length=256)] | None = None
    datasets: Annotated[list[Text1024], Field(max_length=10)] | None = None
    metadata: dict[str, Text1024] | None = None
    metric_groups: list[MetricGroup] | None = None


class AdditionalInformation(BaseModel):
    """What has no place elsewhere."""

    model_config = STRICT

    ethical_considerations: Text2048 | None = None
    caveats_and_recommendations: Text2048 | None = None
    custom_details: dict[str, Text1024] | None = None


class CardContent(BaseModel):
    """The content of a model card."""

    model_config = STRICT

    model_overview: ModelOverview | None = None
    intended_uses: IntendedUses | None = None
    training_details: TrainingDetails | None = None
    evaluation_details: list[Evaluation] | None = None
    additional_information: AdditionalInformation | None = None

    def content(self) -> str:
        """Return the JSON text that CreateModelCard and UpdateModelCard take.

        Raises:
            ValueError: it is longer than 100,000 characters.
        """
        text = self.model_dump_json(exclude_none=True)
        if len(text) > MAX_CONTENT:
            raise ValueError(
                f"the card's content has {len(text)} characters, and SageMaker takes {MAX_CONTENT}; "
                "leave metrics out, or refer to their file"
            )
        return text
