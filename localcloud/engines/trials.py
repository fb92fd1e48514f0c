"""A tuning job and its training jobs, as they stand; `tuning` changes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.engines.search import Point, Search

OVER = frozenset({"Completed", "Failed", "Stopped"})
_JOB = "HyperParameterTuningJob"
_RESOURCES = "HyperParameterTuningResourceConfig"


@dataclass(frozen=True)
class Trial:
    """One training job: where it looks, as which hyperparameters, and what Describe answers of it."""

    point: Point
    tuned: Mapping[str, str]
    facts: Mapping[str, Any]

    @property
    def status(self) -> str:
        """TrainingJobStatus."""
        return str(self.facts["TrainingJobStatus"])

    def value(self, metric: str) -> float | None:
        """The final value of a metric; None while it is not over, or if it never came."""
        if self.status != "Completed":
            return None
        found = self.facts.get("FinalMetricDataList") or []
        return next((each["Value"] for each in found if each["MetricName"] == metric), None)

    def summary(self, tuning: Tuning) -> dict[str, Any]:
        """HyperParameterTrainingJobSummary."""
        names = (
            "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime",
            "TrainingEndTime", "TrainingJobStatus", "FailureReason",
        )  # fmt: skip
        found = {name: self.facts[name] for name in names if name in self.facts}
        found |= {"TunedHyperParameters": dict(self.tuned), "TuningJobName": tuning.name}
        value = self.value(tuning.metric)
        if value is not None:
            objective = {"MetricName": tuning.metric, "Type": tuning.objective, "Value": value}
            found["FinalHyperParameterTuningJobObjectiveMetric"] = objective
        found["ObjectiveStatus"] = self.objective_status(tuning.metric)
        return found

    def objective_status(self, metric: str) -> str:
        """Whether its metric is known, still expected, or will not come."""
        if self.status not in OVER:
            return "Pending"
        return "Failed" if self.value(metric) is None else "Succeeded"


@dataclass(eq=False)
class Tuning:
    """One tuning job.

    Attributes:
        facts: what Describe answers, but for what is counted and the best training job.
        search: chooses where to look.
        most: training jobs in all.
        gives_up: failures without a success after which it fails.
        trials: its training jobs, in the order they were started.
        record: journal record of its first status.
    """

    facts: dict[str, Any]
    search: Search
    most: int
    gives_up: int
    trials: list[Trial] = field(default_factory=list)
    record: int = 0

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.facts[f"{_JOB}Name"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.facts[f"{_JOB}Arn"])

    @property
    def account(self) -> str:
        """The account it runs in."""
        return self.arn.split(":")[4]

    @property
    def status(self) -> str:
        """Its status."""
        return str(self.facts[f"{_JOB}Status"])

    @property
    def metric(self) -> str:
        """Name of the objective metric."""
        return str(self._config["HyperParameterTuningJobObjective"]["MetricName"])

    @property
    def objective(self) -> str:
        """Maximize or Minimize."""
        return str(self._config["HyperParameterTuningJobObjective"]["Type"])

    @property
    def active(self) -> list[Trial]:
        """Training jobs that are not over."""
        return [each for each in self.trials if each.status not in OVER]

    @property
    def best(self) -> Trial | None:
        """The training job with the best final value; the first of equals."""
        known = [each for each in self.trials if each.value(self.metric) is not None]
        sign = 1.0 if self.objective == "Maximize" else -1.0
        return max(known, key=lambda each: sign * (each.value(self.metric) or 0.0), default=None)

    @property
    def _config(self) -> Mapping[str, Any]:
        config: Mapping[str, Any] = self.facts[f"{_JOB}Config"]
        return config

    def wants_more(self) -> bool:
        """Whether another training job may begin now."""
        room = self._config["ResourceLimits"]["MaxParallelTrainingJobs"]
        return (
            len(self.trials) < self.most
            and len(self.active) < room
            and not self._reached()
            and not self._hopeless()
        )

    def next_point(self) -> Point:
        """Where to look next."""
        seen = [(each.point, each.value(self.metric)) for each in self.trials]
        return self.search.next(seen, maximize=self.objective == "Maximize")

    def trouble(self) -> str:
        """Why it fails now that its training jobs are over; "" if it does not."""
        if self.best is not None:
            return ""
        count = len(self.trials)
        if not any(each.status == "Completed" for each in self.trials):
            return (
                f"No training job succeeded after {count} attempts. Please take a look at the "
                "training job failures to get more details."
            )
        return (
            f"No objective metrics found after running {count} training jobs. Please ensure that "
            "the custom algorithm is emitting the objective metric as defined by the regular "
            "expression provided."
        )

    def described(self) -> dict[str, Any]:
        """What Describe answers."""
        states = Counter(each.status for each in self.trials)
        objectives = Counter(each.objective_status(self.metric) for each in self.trials)
        took = sum(each.facts.get("TrainingTimeInSeconds", 0) for each in self.trials)
        counted: dict[str, Any] = {
            "TrainingJobStatusCounters": {
                "Completed": states["Completed"],
                "InProgress": states["InProgress"] + states["Stopping"],
                "RetryableError": 0,
                "NonRetryableError": states["Failed"],
                "Stopped": states["Stopped"],
            },
            "ObjectiveStatusCounters": {
                name: objectives[name] for name in ("Succeeded", "Pending", "Failed")
            },
            "ConsumedResources": {"RuntimeInSeconds": took},
        }
        if self.best is not None:
            counted["BestTrainingJob"] = self.best.summary(self)
        return {**self.facts, **counted}

    def _reached(self) -> bool:
        """TargetObjectiveMetricValue: good enough."""
        criteria = self._config.get("TuningJobCompletionCriteria") or {}
        target = criteria.get("TargetObjectiveMetricValue")
        best = None if self.best is None else self.best.value(self.metric)
        if target is None or best is None:
            return False
        return bool(best >= target if self.objective == "Maximize" else best <= target)

    def _hopeless(self) -> bool:
        over = [each for each in self.trials if each.status in OVER]
        return self.best is None and len(over) >= self.gives_up


def request_of(facts: Mapping[str, Any], name: str, tuned: Mapping[str, str]) -> dict[str, Any]:
    """The CreateTrainingJob request of one training job.

    As on AWS it gets `_tuning_objective_metric` beside its own hyperparameters.
    """
    given = dict(facts["TrainingJobDefinition"])
    static = given.pop("StaticHyperParameters", None) or {}
    if _RESOURCES in given:
        given["ResourceConfig"] = given.pop(_RESOURCES)
    objective = facts[f"{_JOB}Config"]["HyperParameterTuningJobObjective"]["MetricName"]
    hyper = {**static, **tuned, "_tuning_objective_metric": objective}
    return {**given, "TrainingJobName": name, "HyperParameters": hyper}
