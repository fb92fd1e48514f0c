"""Parameters of the training pipelines: data held against a former baseline, and that one kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.chain import running
from cli.loop_day import LoopDay
from cli.workloads import load
from signalbox.adapters.packages import ModelRegistry
from signalbox.contracts.registry import group_of
from signalbox.domain.registry import serving

pytestmark = [pytest.mark.built, pytest.mark.timeout(300)]

AGAIN = {"SkipTrainingDataCheck": "False", "RegisterNewBaseline": "False"}


@pytest.fixture
def day(build) -> Iterator[LoopDay]:
    with running() as cloud:
        yield LoopDay(cloud)


def steps(day: LoopDay, execution: str) -> dict[str, str]:
    found = day.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)
    return {each["StepName"]: each["StepStatus"] for each in found["PipelineExecutionSteps"]}


@pytest.mark.parametrize("pipeline", ["train", "tune"])
def test_a_former_baseline_can_be_kept_and_data_held_against_it(day, pipeline):
    day.bucket.write("training/abalone/a.csv", b"fine\n")
    day.rest()
    (first,) = day.sagemaker.list_pipeline_executions(PipelineName="signalbox-train")[
        "PipelineExecutionSummaries"
    ]
    ran = steps(day, first["PipelineExecutionArn"])
    assert ran["Register"] == "Succeeded"
    assert not {"DataQuality", "RegisterKeepingBaseline", "TooWeak"} & {*ran}

    told = day.sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=first["PipelineExecutionArn"]
    )["PipelineParameters"]
    given = {each["Name"]: each["Value"] for each in told}
    former = f"s3://{day.bucket.name}/operations/abalone/{given['Run']}/baseline"
    changed = given | AGAIN | {"SuppliedBaseline": former, "Run": "b" * 32}
    changed |= load("abalone").search() if pipeline == "tune" else {}
    started = day.sagemaker.start_pipeline_execution(
        PipelineName=f"signalbox-{pipeline}",
        PipelineParameters=[{"Name": name, "Value": value} for name, value in changed.items()],
        ClientRequestToken="c" * 32,
    )
    day.rest()
    ran = steps(day, started["PipelineExecutionArn"])
    assert ran["DataQuality"] == ran["RegisterKeepingBaseline"] == "Succeeded"
    assert not {"Register", "TooWeak"} & {*ran}

    (package,) = (
        each["ModelPackageArn"]
        for each in day.sagemaker.list_model_packages(ModelPackageGroupName=group_of("abalone"))[
            "ModelPackageSummaryList"
        ]
        if each["ModelPackageVersion"] == 2
    )
    board = {"review_board": "A. Board"}
    day.sagemaker.update_model_package(
        ModelPackageArn=package, ModelApprovalStatus="Approved", CustomerMetadataProperties=board
    )
    found = serving("abalone", ModelRegistry(day.sagemaker))
    assert (found.package, found.baseline) == (package, former)
