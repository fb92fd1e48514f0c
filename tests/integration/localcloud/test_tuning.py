"""SageMaker hyperparameter tuning jobs: real training jobs, the best of them found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import Cloud, Record
from localcloud.trace import Trace
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import Deploy
from tests.integration.localcloud.pipelines import (
    DATA,
    IMAGE,
    ROLE_ARN,
    TRAIN,
    algorithm,
    definition,
    fail,
    get,
    join,
    played,
)  # fmt: skip
from tests.integration.localcloud.shapes import assert_shape

DESCRIBE = "DescribeHyperParameterTuningJobResponse"
EVENT = "SageMaker HyperParameter Tuning Job State Change"
X = {"Name": "x", "MinValue": "-10", "MaxValue": "10", "ScalingType": "Linear"}

Ready = Callable[..., Cloud]


@pytest.fixture
def ready(deploy: Deploy, tmp_path: Path) -> Ready:
    def made(program: str = TRAIN, **options: Any) -> Cloud:
        path = tmp_path / "program.py"
        path.write_text(program, encoding="utf-8")
        return deploy(BUCKET + ROLE, images={IMAGE: ["python3", str(path)]}, **options)

    return made


def request(strategy: str = "Random", most: int = 4, side: int = 2, **changes: Any) -> Any:
    objective = {"Type": "Minimize", "MetricName": "loss"}
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": side},
            "ParameterRanges": {"ContinuousParameterRanges": [X]},
            "TrainingJobEarlyStoppingType": "Off",
            **changes.pop("config", {}),
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"kind": "plain"},
            "AlgorithmSpecification": algorithm(),
            "RoleArn": ROLE_ARN,
            "OutputDataConfig": {"S3OutputPath": f"s3://{DATA}/models"},
            "HyperParameterTuningResourceConfig": {
                "InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **changes.pop("training", {}),
        },
        **changes,
    }  # fmt: skip


def tune(cloud: Cloud, name: str = "tune", **wanted: Any) -> None:
    sent = request(**wanted)
    cloud.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **sent
    )


def described(cloud: Cloud, name: str = "tune") -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", DESCRIBE, answer)
    return dict(answer)


def trials(cloud: Cloud, name: str = "tune", **wanted: Any) -> list[dict[str, Any]]:
    answer = cloud.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **wanted
    )
    found: list[dict[str, Any]] = answer["TrainingJobSummaries"]
    for each in found:
        assert_shape("sagemaker", "HyperParameterTrainingJobSummary", each)
    return found


def value(trial: dict[str, Any]) -> float:
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def test_a_search_runs_training_jobs_and_knows_the_best(ready: Ready) -> None:
    cloud = ready()
    tune(cloud)
    cloud.run_until_idle()
    job = described(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    found = trials(cloud, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    assert [value(each) for each in found] == sorted(value(each) for each in found)
    best = job["BestTrainingJob"]
    assert best["TrainingJobName"] == found[0]["TrainingJobName"]
    assert value(best) == pytest.approx(
        (float(best["TunedHyperParameters"]["x"]) - 3) ** 2, abs=1e-5
    )
    one = cloud.client("sagemaker").describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert one["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert one["HyperParameters"] == {
        "kind": "plain", "x": best["TunedHyperParameters"]["x"], "_tuning_objective_metric": "loss",
    }  # fmt: skip
    assert (job["HyperParameterTuningEndTime"] - job["CreationTime"]).total_seconds() == 140


def test_events_and_trace_tell_of_it(ready: Ready) -> None:
    cloud = ready()
    tune(cloud, most=2)
    cloud.run_until_idle()
    told = [each.detail["detail"] for each in cloud.journal if each.name == EVENT]
    assert [each["HyperParameterTuningJobStatus"] for each in told] == ["InProgress", "Completed"]
    for detail in told:
        plain = {key: each for key, each in detail.items() if key != "Tags"}
        assert_shape("sagemaker", DESCRIBE, plain, epoch_ms=True)
    trace = Trace(cloud.journal)
    (root,) = [each for each in trace.roots() if each.kind == "job"]
    below = {each.name for each in trace.below(root) if each.kind == "job"}
    assert below == {"tune", *(each["TrainingJobName"] for each in trials(cloud))}


def test_the_same_seed_looks_at_the_same_points(ready: Ready) -> None:
    cloud = ready()
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        tune(cloud, name, most=2, config={"RandomSeed": seed})
    cloud.run_until_idle()
    one, two, three = (
        [each["TunedHyperParameters"] for each in trials(cloud, name)]
        for name in ("one", "two", "three")
    )
    assert one == two != three


def test_a_bayesian_search_comes_near(ready: Ready) -> None:
    cloud = ready()
    tune(cloud, strategy="Bayesian", most=10, side=1)
    cloud.run_until_idle()
    assert value(described(cloud)["BestTrainingJob"]) < 0.05


def test_a_grid_goes_through_all_values(ready: Ready) -> None:
    cloud = ready()
    both = [{"Name": "x", "Values": ["1", "2"]}, {"Name": "y", "Values": ["a", "b", "c"]}]
    limits = {"MaxParallelTrainingJobs": 3}
    tune(cloud, strategy="Grid", config={
        "ParameterRanges": {"CategoricalParameterRanges": both}, "ResourceLimits": limits,
    })  # fmt: skip
    cloud.run_until_idle()
    points = {tuple(each["TunedHyperParameters"].values()) for each in trials(cloud)}
    assert points == {(x, y) for x in "12" for y in "abc"}


def test_it_ends_when_the_objective_is_good_enough(ready: Ready) -> None:
    cloud = ready()
    criteria = {"TargetObjectiveMetricValue": 1000.0}
    tune(cloud, side=1, config={"TuningJobCompletionCriteria": criteria})
    cloud.run_until_idle()
    assert len(trials(cloud)) == 1


@pytest.mark.parametrize(
    ("program", "reason", "count"),
    [
        ("raise SystemExit('broken')", "No training job succeeded after 5 attempts", 5),
        ("print('nothing')", "No objective metrics found after running 5 training jobs", 5),
    ],
)
def test_a_search_that_finds_nothing_fails(
    ready: Ready, program: str, reason: str, count: int
) -> None:
    cloud = ready(program)
    tune(cloud, most=9, side=1)
    cloud.run_until_idle()
    job = described(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
    assert (len(trials(cloud)), "BestTrainingJob" in job) == (count, False)


def test_a_stopped_search_stops_its_training_jobs(ready: Ready) -> None:
    cloud = ready()
    tune(cloud, most=8)
    client = cloud.client("sagemaker")

    def watch(record: Record) -> None:
        over = record.kind == "job" and record.status == "Completed"
        if over and described(cloud)["HyperParameterTuningJobStatus"] == "InProgress":
            client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")

    cloud.run_until_idle(watch)
    job = described(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert {each["TrainingJobStatus"] for each in trials(cloud)} <= {"Completed", "Stopped"}
    assert len(trials(cloud)) < 8
    with pytest.raises(ClientError, match="in status Stopped"):
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")


def test_a_pipeline_takes_the_best_of_a_search(ready: Ready) -> None:
    cloud = ready()
    first = get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName")
    place = join("s3:/", DATA, "models", first, "output/model.tar.gz")
    tuning = {"Name": "Tune", "Type": "Tuning", "Arguments": request()}
    _, found = played(cloud, definition(tuning, fail("End", place)))
    arn = found["Tune"]["Metadata"]["TuningJob"]["Arn"]
    name = arn.rpartition("/")[2]
    assert len(name) <= 32
    best = described(cloud, name)["BestTrainingJob"]["TrainingJobName"]
    key = found["End"]["FailureReason"].removeprefix(f"s3://{DATA}/")
    assert key == f"models/{best}/output/model.tar.gz"
    assert cloud.client("s3").get_object(Bucket=DATA, Key=key)["ContentLength"] > 0


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"strategy": "Hyperband"}, "Strategy 'Hyperband' is not supported"),
        ({"strategy": "Grid"}, "takes categorical parameters only"),
        ({"config": {"ParameterRanges": {}}}, "at least one parameter range"),
        ({"config": {"TrainingJobEarlyStoppingType": "Auto"}}, "'Auto' is not supported"),
        (
            {"config": {"ParameterRanges": {"ContinuousParameterRanges": [
                {**X, "ScalingType": "Logarithmic"}]}}},
            "-10 to 10 is no Logarithmic range",
        ),
        ({"training": {"StaticHyperParameters": {"x": "1"}}}, "x is tuned and static"),
        (
            {"training": {"AlgorithmSpecification": {
                "TrainingImage": IMAGE, "TrainingInputMode": "File"}}},
            "objective metric 'loss' is none",
        ),
        ({"Autotune": {"Mode": "Enabled"}}, "Autotune is not supported"),
        ({"name": "n" * 33}, "regular expression pattern|less than or equal to 32"),
    ],
)  # fmt: skip
def test_what_is_not_played_is_refused(ready: Ready, wanted: dict[str, Any], message: str) -> None:
    cloud = ready()
    with pytest.raises(ClientError, match=message) as refused:
        tune(cloud, **wanted)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_name_is_taken_once_and_searches_are_listed(ready: Ready) -> None:
    cloud = ready()
    tune(cloud)
    with pytest.raises(cloud.client("sagemaker").exceptions.ResourceInUse):
        tune(cloud)
    client = cloud.client("sagemaker")
    (listed,) = client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert_shape("sagemaker", "HyperParameterTuningJobSummary", listed)
    assert json.dumps(listed["ResourceLimits"])
    with pytest.raises(client.exceptions.ResourceNotFound):
        described(cloud, "nobody")
