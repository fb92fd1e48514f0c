"""The card of a model that a real file made: which job trained it, on what, and how well."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cli.workloads import load
from tests.e2e.conftest import Chain

ENOUGH = {"MaxJobs": "1"}


def parameters(sagemaker, execution):
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    return {each["Name"]: each["Value"] for each in found["PipelineParameters"]}


def training(sagemaker, version):
    card = sagemaker.describe_model_card(ModelCardName=f"signalbox-abalone-{version}")
    return json.loads(card["Content"])["training_details"]


@pytest.mark.soak
def test_a_card_tells_of_the_run_that_made_its_model(chain: Chain, real_data):
    """A file to learn from; then the same is tuned, with one trial."""
    cloud, sagemaker = chain.cloud, chain.cloud.client("sagemaker")
    chain.bucket.drop(real_data("abalone/abalone.csv"), "training/abalone/all.csv")
    cloud.run_for(timedelta(hours=1))
    trained = training(sagemaker, 1)["training_job_details"]
    (first,) = sagemaker.list_pipeline_executions(PipelineName=cloud.physical_id("TrainPipeline"))[
        "PipelineExecutionSummaries"
    ]
    given = parameters(sagemaker, first["PipelineExecutionArn"])
    assert trained["training_datasets"] == [
        f"s3://{chain.bucket.name}/operations/abalone/{given['Run']}/{part}"
        for part in ("train", "validation")
    ]
    measured = {each["name"]: each["value"] for each in trained["training_metrics"]}
    assert 1 < measured["validation:rmse"] < 3
    assert "objective_function" not in training(sagemaker, 1)

    tune = cloud.physical_id("TunePipeline")
    definition = json.loads(sagemaker.describe_pipeline(PipelineName=tune)["PipelineDefinition"])
    known = {each["Name"] for each in definition["Parameters"]}
    told = given | load("abalone").search() | {"Run": "f" * 32} | ENOUGH
    sagemaker.start_pipeline_execution(
        PipelineName=tune,
        PipelineParameters=[{"Name": n, "Value": v} for n, v in told.items() if n in known],
    )
    cloud.run_for(timedelta(hours=1))
    tuned = training(sagemaker, 2)
    assert tuned["objective_function"]["function"] == {
        "function": "Minimize", "condition": "validation:rmse",
    }  # fmt: skip
    assert tuned["training_job_details"]["training_arn"] != trained["training_arn"]
