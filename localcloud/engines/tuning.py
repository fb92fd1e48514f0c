"""SageMaker hyperparameter tuning jobs: training jobs of the training engine, chosen by a search.

Citations: CreateHyperParameterTuningJob, DescribeHyperParameterTuningJob,
ListTrainingJobsForHyperParameterTuningJob and StopHyperParameterTuningJob of the SageMaker API
Reference; "Define metrics and environment variables" of its Developer Guide; "SageMaker
hyperparameter tuning job state change" in "Events that Amazon SageMaker AI sends to EventBridge".
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from localcloud.bus import Bus
from localcloud.engines import constraints
from localcloud.engines.paging import ordered, page, within
from localcloud.engines.runs import Runs
from localcloud.engines.sagemaker import in_milliseconds, only, refuse
from localcloud.engines.search import Search
from localcloud.engines.trials import OVER, Trial, Tuning, request_of
from localcloud.operations import Answers, Asked
from localcloud.wiring import Refused, RefusedError
from localcloud.world import World

_SHELF = "hyper_parameter_tuning_jobs"
_JOB = "HyperParameterTuningJob"
_EVENT = "SageMaker HyperParameter Tuning Job State Change"
_UNPLAYED = ("Autotune", "TrainingJobDefinitions", "WarmStartConfig")
_GIVES_UP = 5  # failures without a success: the service's own message says so
_SUMMARY = (
    f"{_JOB}Name", f"{_JOB}Arn", f"{_JOB}Status", "CreationTime", "HyperParameterTuningEndTime",
    "LastModifiedTime", "TrainingJobStatusCounters", "ObjectiveStatusCounters",
)  # fmt: skip


class TuningJobs:
    """Plays every tuning job.

    Args:
        world: the cloud.
        bus: where state changes go.
        runs: tells when training jobs end, and is told when a tuning job does.
    """

    def __init__(self, world: World, bus: Bus, runs: Runs) -> None:
        self._world = world
        self._bus = bus
        self._runs = runs
        self._lock = threading.RLock()
        self._all: dict[str, Tuning] = {}
        self._waiting: dict[str, tuple[Tuning, Trial]] = {}
        runs.listeners.append(self._ended)

    def answers(self) -> Mapping[str, Answers]:
        """Who answers which operation."""
        looks: dict[str, Callable[[Asked], dict[str, Any]]] = {
            f"Describe{_JOB}": lambda asked: self._found(asked).described(),
            f"List{_JOB}s": self._list,
            f"ListTrainingJobsFor{_JOB}": self._trials,
            f"Delete{_JOB}": self._delete,
        }

        def looking(look: Callable[[Asked], dict[str, Any]]) -> Answers:
            def answered(asked: Asked, cause: int | None) -> dict[str, Any]:
                del cause
                constraints.check(asked.operation, asked.params)
                with self._lock:
                    return look(asked)

            return answered

        return {
            **{name: looking(look) for name, look in looks.items()},
            f"Create{_JOB}": self._create,
            f"Stop{_JOB}": self._stop,
        }

    def _create(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        shelf, name = asked.shelf(_SHELF), str(asked.params[f"{_JOB}Name"])
        if shelf.find(name) is not None:
            raise Refused("ResourceInUse", f"Hyper Parameter Tuning Job {name} already exists")
        arn = (
            f"arn:aws:sagemaker:{self._world.region}:{asked.account}"
            f":hyper-parameter-tuning-job/{name}"
        )
        now = self._world.clock.now()
        facts = {key: value for key, value in asked.params.items() if key != "Tags"}
        facts |= {f"{_JOB}Arn": arn, "CreationTime": now, "LastModifiedTime": now}
        try:
            tuning = _tuning(facts)
        except RefusedError as error:
            raise Refused("ValidationException", str(error)) from error
        shelf.put(name, arn, facts, asked.params.get("Tags") or [])
        with self._lock:
            self._all[arn] = tuning
            self._become(tuning, "InProgress", cause=cause)
            self._world.clock.after(0, partial(self._advance, tuning))
        return {f"{_JOB}Arn": arn}

    def _stop(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        constraints.check(asked.operation, asked.params)
        with self._lock:
            tuning = self._found(asked)
            if tuning.status != "InProgress":
                message = f"the tuning job is in status {tuning.status}"
                raise Refused("ValidationException", f"The request was rejected because {message}.")
            self._become(tuning, "Stopping", cause=cause)
            self._world.clock.after(0, partial(self._stop_trials, tuning))
        return {}

    def _advance(self, tuning: Tuning) -> None:
        """Start as many training jobs as there is room for, or see that all is over."""
        with self._lock:
            while tuning.status == "InProgress" and tuning.wants_more():
                try:
                    self._launch(tuning)
                except ClientError as error:
                    tuning.facts["FailureReason"] = f"ClientError: {error}"[:1024]
                    self._become(tuning, "Failed")
                    return
            if tuning.active or tuning.status in OVER:
                return
            if tuning.status == "Stopping":
                self._become(tuning, "Stopped")
                return
            reason = tuning.trouble()
            if reason:
                tuning.facts["FailureReason"] = reason
            self._become(tuning, "Failed" if reason else "Completed")

    def _launch(self, tuning: Tuning) -> None:
        point = tuning.next_point()
        name = f"{tuning.name}-{len(tuning.trials) + 1:03}-{self._world.new_id()[:8]}"
        tuned = tuning.search.hyperparameters(point)
        client = self._world.client("sagemaker", tuning.account)
        with self._world.journal.because(tuning.record, "job"):
            arn = client.create_training_job(**request_of(tuning.facts, name, tuned))[
                "TrainingJobArn"
            ]
        run = self._runs.find(arn)
        if run is None:
            raise KeyError(arn)
        run.data["TuningJobArn"] = tuning.arn
        trial = Trial(point, tuned, run.data)
        tuning.trials.append(trial)
        self._waiting[arn] = tuning, trial

    def _ended(self, arn: str) -> None:
        """A job has ended, of whoever it was; called from any thread."""
        if arn in self._waiting:
            self._world.clock.after(0, partial(self._trial_ended, arn))

    def _trial_ended(self, arn: str) -> None:
        with self._lock:
            tuning, _ = self._waiting.pop(arn)
            tuning.facts["LastModifiedTime"] = self._world.clock.now()
            self._advance(tuning)

    def _stop_trials(self, tuning: Tuning) -> None:
        with self._lock:
            client = self._world.client("sagemaker", tuning.account)
            for trial in tuning.active:
                if trial.facts["TrainingJobStatus"] == "InProgress":
                    with self._world.journal.because(tuning.record, "job"):
                        client.stop_training_job(TrainingJobName=trial.facts["TrainingJobName"])
            self._advance(tuning)

    def _become(self, tuning: Tuning, status: str, *, cause: int | None = None) -> None:
        facts = tuning.facts
        facts[f"{_JOB}Status"] = status
        facts["LastModifiedTime"] = self._world.clock.now()
        if status in OVER:
            facts["HyperParameterTuningEndTime"] = facts["LastModifiedTime"]
        reason = {"ErrorMessage": facts["FailureReason"]} if "FailureReason" in facts else {}
        record = self._world.journal.add(
            "job", tuning.name, status, cause=cause or tuning.record or None, run_id=tuning.arn,
            **reason,
        ).id  # fmt: skip
        tuning.record = tuning.record or record
        self._bus.publish(
            "aws.sagemaker", _EVENT, {**in_milliseconds(tuning.described()), "Tags": {}},
            resources=[tuning.arn], cause=record, account=tuning.account,
        )  # fmt: skip
        if status in OVER:
            self._runs.tell(tuning.arn)

    def _found(self, asked: Asked) -> Tuning:
        facts = asked.shelf(_SHELF).find(str(asked.params[f"{_JOB}Name"]))
        if facts is None:
            name = asked.params[f"{_JOB}Name"]
            message = f"Could not find hyper parameter tuning job '{name}'."
            raise Refused("ResourceNotFound", message, 404)
        return self._all[facts[f"{_JOB}Arn"]]

    def _list(self, asked: Asked) -> dict[str, Any]:
        params = asked.params
        found = [self._all[each[f"{_JOB}Arn"]].described() for each in asked.shelf(_SHELF).all()]
        wanted = [
            each
            for each in found
            if str(params.get("NameContains") or "") in each[f"{_JOB}Name"]
            and params.get("StatusEquals") in {None, each[f"{_JOB}Status"]}
            and within(each, params, "CreationTimeAfter", "CreationTimeBefore")
            and within(
                each, params, "LastModifiedTimeAfter", "LastModifiedTimeBefore", "LastModifiedTime"
            )
        ]
        keys = {"CreationTime": "CreationTime", "Name": f"{_JOB}Name", "Status": f"{_JOB}Status"}
        return page(f"{_JOB}Summaries", ordered(wanted, params, keys), params, _summary)

    def _trials(self, asked: Asked) -> dict[str, Any]:
        """By the value of the objective, those without one come last."""
        params, tuning = asked.params, self._found(asked)
        status = params.get("StatusEquals")
        found = [each.summary(tuning) for each in tuning.trials]
        found = [each for each in found if status in {None, each["TrainingJobStatus"]}]
        if params.get("SortBy") == "FinalObjectiveMetricValue":
            backwards = params.get("SortOrder", "Descending") == "Descending"
            valued = [
                each for each in found if "FinalHyperParameterTuningJobObjectiveMetric" in each
            ]
            rest = [each for each in found if each not in valued]
            valued.sort(key=_objective, reverse=backwards)
            return page("TrainingJobSummaries", [*valued, *rest], params)
        keys = {"CreationTime": "CreationTime", "Name": "TrainingJobName",
                "Status": "TrainingJobStatus"}  # fmt: skip
        return page("TrainingJobSummaries", ordered(found, params, keys), params)

    def _delete(self, asked: Asked) -> dict[str, Any]:
        tuning = self._found(asked)
        if tuning.status not in OVER:
            raise Refused("ValidationException", f"the tuning job is in status {tuning.status}")
        asked.shelf(_SHELF).drop(tuning.name)
        return {}


def _objective(summary: Mapping[str, Any]) -> float:
    return float(summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def _summary(facts: Mapping[str, Any]) -> dict[str, Any]:
    config = facts[f"{_JOB}Config"]
    shown = {name: facts[name] for name in _SUMMARY if name in facts}
    return shown | {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}


def _tuning(facts: dict[str, Any]) -> Tuning:
    """A tuning job of a request.

    Raises:
        RefusedError: it asks for what is not played, or for what cannot be.
    """
    refuse(facts, *_UNPLAYED)
    config, training = facts[f"{_JOB}Config"], facts.get("TrainingJobDefinition")
    if not training:
        raise RefusedError("TrainingJobDefinition is needed")
    refuse(training, "DefinitionName", "TuningObjective", "HyperParameterRanges")
    only(config, "Strategy", "Bayesian", "Random", "Grid")
    only(config, "TrainingJobEarlyStoppingType", "Off")
    refuse(config, "StrategyConfig")
    refuse(config["ResourceLimits"], "MaxRuntimeInSeconds")
    refuse(
        config.get("TuningJobCompletionCriteria") or {}, "BestObjectiveNotImproving",
        "ConvergenceDetected",
    )  # fmt: skip
    objective = config.get("HyperParameterTuningJobObjective")
    metrics = training["AlgorithmSpecification"].get("MetricDefinitions") or []
    if not objective or objective["MetricName"] not in {each["Name"] for each in metrics}:
        wanted = (objective or {}).get("MetricName")
        raise RefusedError(f"objective metric {wanted!r} is none of the MetricDefinitions")
    static = training.get("StaticHyperParameters") or {}
    seed = str(config.get("RandomSeed", facts[f"{_JOB}Name"]))
    search = Search(str(config["Strategy"]), config.get("ParameterRanges") or {}, seed)
    if both := sorted({each.name for each in search.ranges} & set(static)):
        raise RefusedError(f"{both[0]} is tuned and static")
    most = config["ResourceLimits"].get("MaxNumberOfTrainingJobs") or search.size
    if most is None:
        raise RefusedError("MaxNumberOfTrainingJobs is needed")
    if search.size not in {None, most}:
        raise RefusedError(f"MaxNumberOfTrainingJobs of a grid is {search.size} or left out")
    return Tuning(facts, search, most, _GIVES_UP)
