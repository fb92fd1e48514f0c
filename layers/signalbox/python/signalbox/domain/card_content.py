"""What a card says of a model: the workload's own words, the training, the evaluation.

Evaluations come in the format in which SageMaker Model Monitor writes model-quality statistics
(SageMaker Developer Guide, "Model quality metrics"). What is longer than the card's schema allows is
cut, never refused: a card that leaves something out is better than none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signalbox.contracts.model_card import (
    MAX_POINTS,
    AdditionalInformation,
    CardContent,
    Environment,
    Evaluation,
    IntendedUses,
    LinearGraph,
    Matrix,
    Metric,
    MetricGroup,
    ModelOverview,
    Objective,
    ObjectiveFunction,
    SimpleMetric,
    TrainingDetails,
    TrainingJobDetails,
    TrainingMetric,
)
from signalbox.contracts.packages import WORKLOAD, Package
from signalbox.contracts.workload import Workload

_GROUPS = (
    "regression_metrics",
    "binary_classification_metrics",
    "multiclass_classification_metrics",
)
_CURVES = {
    "receiver_operating_characteristic_curve": ("false_positive_rates", "true_positive_rates"),
    "precision_recall_curve": ("recalls", "precisions"),
}
_MAX_PLACES, _MAX_METRICS = 15, 50


@dataclass(frozen=True, slots=True)
class Training:
    """The training job of a model: images, S3 URIs of its data, final metrics by name.

    ``objective`` is what a tuning job made large or small: ("Maximize" | "Minimize", metric).
    """

    arn: str
    image: str
    datasets: tuple[str, ...] = ()
    metrics: Mapping[str, float] | None = None
    objective: tuple[str, str] | None = None


def draft(workload: Workload, package: Package) -> CardContent:
    """Return what a card says before anything is known but whose model it will be."""
    return CardContent(model_overview=_overview(workload, package))


def filled(
    workload: Workload,
    package: Package,
    training: Training | None,
    evaluation: Mapping[str, Any] | None,
) -> CardContent:
    """Return all that is known of a model.

    Args:
        workload: with its ``operations.card``.
        package: the version the card tells of.
        training: None if nobody can say which job trained it.
        evaluation: model-quality statistics, None if there are none.
    """
    said = workload.operations.card if workload.operations else None
    return CardContent(
        model_overview=_overview(workload, package),
        intended_uses=IntendedUses(
            purpose_of_model=said.purpose if said else None,
            intended_uses=(said.intended_uses or None) if said else None,
            risk_rating=said.risk_rating if said else "Unknown",
            explanations_for_risk_rating=(said.risk_explanation or None) if said else None,
        ),
        training_details=_training(training) if training else None,
        evaluation_details=[_evaluation(package, evaluation)] if evaluation else None,
        additional_information=AdditionalInformation(
            custom_details={
                "package": package.arn[:1024],
                **{
                    name[:128]: value[:1024]
                    for name, value in sorted(package.metadata.items())
                    if name != WORKLOAD  # the card's own name says it
                },
            }
        ),
    )


def _overview(workload: Workload, package: Package) -> ModelOverview:
    owner = workload.operations.owner if workload.operations else workload.owner
    return ModelOverview(
        model_description=" ".join(workload.description.split())[:1024],
        model_owner=owner,
        model_creator=workload.owner[:1024],
        model_id=package.arn[:1024],
        model_name=package.group,
        model_version=package.version,
        model_artifact=_places(package.artifacts),
        inference_environment=_environment(package.images),
    )


def _training(training: Training) -> TrainingDetails:
    goal = None
    if training.objective:
        function, metric = training.objective
        kind: Any = {"function": function, "condition": metric[:63]}
        goal = ObjectiveFunction(function=Objective(**kind), notes=f"{function} {metric}"[:1024])
    measured = [(name, value) for name, value in (training.metrics or {}).items() if _known(value)]
    return TrainingDetails(
        objective_function=goal,
        training_job_details=TrainingJobDetails(
            training_arn=training.arn,
            training_datasets=_places(training.datasets),
            training_environment=_environment([training.image]),
            training_metrics=[
                TrainingMetric(name=" ".join(name.split())[:255] or "metric", value=value)
                for name, value in measured[:_MAX_METRICS]
            ]
            or None,
        ),
    )


def _evaluation(package: Package, statistics: Mapping[str, Any]) -> Evaluation:
    groups = [
        MetricGroup(name=name.replace("_", " "), metric_data=list(_metrics(statistics[name])))
        for name in _GROUPS
        if isinstance(statistics.get(name), Mapping)
    ]
    run = package.metadata.get("run", "")
    return Evaluation(
        name=f"version {package.version}"[:63],
        evaluation_observation="Model quality on data that training never saw.",
        datasets=[package.statistics[:1024]] if package.statistics else None,
        metadata={"run": run[:1024]} if run else None,
        metric_groups=[group for group in groups if group.metric_data] or None,
    )


def _metrics(group: Mapping[str, Any]) -> Iterable[Metric]:
    """Give every metric of a group its shape: a number, a matrix, a line."""
    for told, found in group.items():
        name = " ".join(told.split())[:255]
        if not isinstance(found, Mapping) or not name:
            continue
        if name == "confusion_matrix":
            yield from _matrix(name, found)
        elif name in _CURVES:
            yield from _curve(name, found)
        elif _known(found.get("value")):
            spread = found.get("standard_deviation", "NaN")
            yield SimpleMetric(
                name=name,
                type="number",
                value=float(found["value"]),
                notes=f"standard deviation {float(spread):.6g}" if _known(spread) else None,
            )


def _matrix(name: str, found: Mapping[str, Any]) -> Iterable[Matrix]:
    labels = [label for label in sorted(found) if isinstance(found[label], Mapping)][:MAX_POINTS]
    rows = [[found[actual].get(guess, 0) for guess in labels] for actual in labels]
    if rows and all(map(_known, (number for row in rows for number in row))):
        axis = [label[:63] for label in labels]
        yield Matrix(
            name=name, value=rows, x_axis_name=axis, y_axis_name=axis, notes="rows: actual"
        )


def _curve(name: str, found: Mapping[str, Any]) -> Iterable[LinearGraph]:
    across, up = _CURVES[name]
    points = [
        [float(x), float(y)]
        for x, y in zip(_list(found.get(across)), _list(found.get(up)), strict=False)
        if _known(x) and _known(y)
    ]
    if points:
        yield LinearGraph(
            name=name,
            value=_thinned(points),
            x_axis_name=across.replace("_", " "),
            y_axis_name=up.replace("_", " "),
        )


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []


def _thinned(points: Sequence[list[float]]) -> list[list[float]]:
    """Keep at most 20 points, evenly, the first and the last among them."""
    if len(points) <= MAX_POINTS:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (MAX_POINTS - 1))] for place in range(MAX_POINTS)]


def _known(value: object) -> bool:
    """Whether it is a number; Model Monitor writes "NaN" where a metric has none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _places(found: Iterable[str]) -> list[str] | None:
    return [place[:1024] for place in found][:_MAX_PLACES] or None


def _environment(images: Iterable[str]) -> Environment | None:
    places = _places(images)
    return Environment(container_image=places) if places else None
