"""What SageMaker is asked for: each request valid by botocore's model, each repeat harmless."""

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from signalbox.adapters.sagemaker import (
    BatchInference,
    ModelContainer,
    WindowsProcessing,
    WindowsProgram,
)
from signalbox.contracts.sagemaker import run_of, scores_job, windows_job
from signalbox.errors import Misconfigured, Transient
from tests.fakes import model_in_service, windows_manifest

RUN = "5d0c2f0e9a6b4c7d8e1f2a3b4c5d6e7f"
ROLE = "arn:aws:iam::123456789012:role/Role"
SHAPES = botocore.session.get_session().get_service_model("sagemaker")
PROGRAM = WindowsProgram(
    image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/signalbox/programs:1",
    role=ROLE,
    instance_type="ml.m5.xlarge",
    data_bucket="data",
    fleet_table="fleet",
    artifact_bucket="artifacts",
    kernel_key="shipped/kernel-abc.zip",
    workloads_key="shipped/workloads-abc.json",
)
CONTAINER = ModelContainer("image", ROLE, "ml.g4dn.xlarge", "cuda", "data")


class SageMaker:
    """Judges requests by botocore's model, and keeps what they create; answers as told."""

    def __init__(self, code=None):
        self.code = code
        self.made = {}

    def create_processing_job(self, **request):
        self._make("CreateProcessingJob", request["ProcessingJobName"], request)

    def create_transform_job(self, **request):
        self._make("CreateTransformJob", request["TransformJobName"], request)

    def create_model(self, **request):
        self._make("CreateModel", request["ModelName"], request)

    def describe_model(self, ModelName):  # noqa: N803 - botocore's spelling
        if ModelName not in self.made:
            raise refused("ValidationException")

    def _make(self, operation, name, request):
        validate_parameters(request, SHAPES.operation_model(operation).input_shape)
        if self.code:
            raise refused(self.code)
        if name in self.made:
            taken = "ValidationException" if operation == "CreateModel" else "ResourceInUse"
            raise refused(taken)
        self.made[name] = request


def refused(code):
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Create")


@pytest.mark.parametrize("workload", ["hvac", "a" * 63, "metro_pt3", "x_"])
def test_names_hold_the_run_and_fit(workload):
    for name in (windows_job(workload, RUN), scores_job(workload, RUN)):
        shape = SHAPES.shape_for("ProcessingJobName").metadata
        assert len(name) <= shape["max"]
        assert "--" not in name
        assert "_" not in name
        assert run_of(name) == RUN
    assert run_of("windows-hvac") is None


def test_a_windows_job_runs_the_shipped_program_on_the_request():
    sagemaker = SageMaker()
    for _ in range(2):
        WindowsProcessing(PROGRAM, sagemaker).start("hvac", RUN)
    (job,) = sagemaker.made.values()
    app = job["AppSpecification"]
    assert app["ContainerEntrypoint"] == ["python3", "-m", "jobs.dataset", "windows"]
    assert app["ContainerArguments"] == [
        "--data-bucket", "data", "--request", f"scoring/hvac/{RUN}/request.json",
        "--fleet-table", "fleet", "--workloads", "s3://artifacts/shipped/workloads-abc.json",
    ]  # fmt: skip
    assert job["Environment"] == {"PYTHONPATH": "/opt/ml/processing/code/kernel-abc.zip"}
    source = job["ProcessingInputs"][0]["S3Input"]
    assert source["S3Uri"] == "s3://artifacts/shipped/kernel-abc.zip"


def test_a_transform_job_asks_about_every_part_by_itself():
    sagemaker = SageMaker()
    inference = BatchInference(CONTAINER, sagemaker)
    for _ in range(2):
        name = inference.serve(model_in_service())
        inference.start(name, windows_manifest(RUN))
    model, job = sagemaker.made.values()
    container = model["PrimaryContainer"]
    assert container["Environment"] == {"SIGNALBOX_DEVICE": "cuda"}
    assert container["ModelDataUrl"] == model_in_service().model_data
    assert job["ModelName"] == name
    source = job["TransformInput"]
    assert source["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://data/windows/hvac/{RUN}/parts/"
    assert (source["SplitType"], job["BatchStrategy"]) == ("None", "SingleRecord")
    assert job["TransformOutput"]["S3OutputPath"] == f"s3://data/scores/hvac/{RUN}/"


def test_a_model_is_named_by_all_that_makes_it():
    sagemaker = SageMaker()
    names = [
        BatchInference(container, sagemaker).serve(model)
        for container in (CONTAINER, ModelContainer("image", ROLE, "ml.c5.large", "cpu", "data"))
        for model in (
            model_in_service(),
            model_in_service(version="v2"),
            model_in_service("w" * 63, "v" * 40),
            model_in_service("metro_pt3"),
            model_in_service("metro-pt3"),
        )
    ]
    assert len(set(names)) == len(names)
    assert all(name.startswith("scores-") for name in names)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("ResourceLimitExceeded", Transient),
        ("ThrottlingException", Transient),
        ("ValidationException", Misconfigured),
        ("AccessDeniedException", Misconfigured),
    ],
)
def test_what_cannot_be_created_is_said(code, problem):
    sagemaker = SageMaker(code)
    with pytest.raises(problem, match="sagemaker:CreateProcessingJob"):
        WindowsProcessing(PROGRAM, sagemaker).start("hvac", RUN)
    with pytest.raises(problem, match="sagemaker:CreateModel"):
        BatchInference(CONTAINER, sagemaker).serve(model_in_service())
    with pytest.raises(problem, match="sagemaker:CreateTransformJob"):
        BatchInference(CONTAINER, sagemaker).start("m", windows_manifest())
