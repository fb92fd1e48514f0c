"""Small pipelines of the tests, and what is asked of them."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

from localcloud import Cloud
from tests.integration.localcloud.shapes import assert_shape

ROLE_ARN = "arn:aws:iam::123456789012:role/signalbox-Role"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools:1"
DATA = "signalbox-bucket"
TOKEN = "t" * 32
EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
PACKAGE = "SageMaker Model Package State Change"
# writes report.json with a score, or fails when told so
REPORT = """
import json, os, pathlib, sys
root = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
if "fail" in sys.argv:
    sys.exit("told to fail")
made = root / "processing/made"
report = {"metrics": {"score": {"value": float(os.environ.get("SCORE", "0.5"))}}, "list": [1, 2]}
(made / "report.json").write_text(json.dumps(report))
print("report", sys.argv[1:])
"""
# a model whose loss is the square of its distance from 3
TRAIN = """
import json, os, pathlib
root = pathlib.Path(os.environ["SIGNALBOX_ML_ROOT"])
hyper = json.loads((root / "input/config/hyperparameters.json").read_text())
x = float(hyper.get("x", 3))
if hyper.get("kind") == "broken":
    raise SystemExit("a broken kind")
print(f"loss={(x - 3) ** 2:.6f};")
(root / "model/weights").write_text(json.dumps(hyper))
"""


def definition(*steps: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Steps": list(steps), **more})


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(*parts: Any, on: str = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(parts)}}


def json_get(step: str, file: str, path: str) -> dict[str, Any]:
    return {
        "Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}
    }


def processing(name: str, *words: Any, environment: Any = None, **more: Any) -> dict[str, Any]:
    code = {
        "S3Uri": f"s3://{DATA}/code/report.py",
        "LocalPath": "/opt/ml/processing/code",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    output = {
        "S3Uri": f"s3://{DATA}/out/{name}",
        "LocalPath": "/opt/ml/processing/made",
        "S3UploadMode": "EndOfJob",
    }
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE_ARN,
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/report.py"],
                **({"ContainerArguments": list(words)} if words else {}),
            },
            "ProcessingInputs": [{"InputName": "code", "S3Input": code}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "made", "S3Output": output}]},
            **({"Environment": environment} if environment else {}),
        },
        "PropertyFiles": [
            {"PropertyFileName": "Report", "OutputName": "made", "FilePath": "report.json"}
        ],
        **more,
    }


def training(name: str, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "RoleArn": ROLE_ARN,
            "AlgorithmSpecification": algorithm(),
            "HyperParameters": {"x": "2"},
            "OutputDataConfig": {"S3OutputPath": f"s3://{DATA}/models"},
            "ResourceConfig": {
                "InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
        **more,
    }  # fmt: skip


def algorithm() -> dict[str, Any]:
    return {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=([\d.]+);"}],
    }


def condition(name: str, *given: Any, then: Any = (), other: Any = (), **more: Any) -> Any:
    arguments = {"Conditions": list(given), "IfSteps": list(then), "ElseSteps": list(other)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def fail(name: str, message: Any = "too weak", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def prepare(cloud: Cloud, program: str = REPORT) -> Cloud:
    """Put the program of processing steps where they fetch it."""
    s3 = cloud.client("s3")
    s3.put_object(Bucket=DATA, Key="code/report.py", Body=dedent(program).encode())
    return cloud


def create(cloud: Cloud, body: str, name: str = "p", **more: Any) -> str:
    answer = cloud.client("sagemaker").create_pipeline(
        PipelineName=name, PipelineDefinition=body, RoleArn=ROLE_ARN, **more
    )
    return str(answer["PipelineArn"])


def start(cloud: Cloud, name: str = "p", token: str = TOKEN, **parameters: Any) -> str:
    answer = cloud.client("sagemaker").start_pipeline_execution(
        PipelineName=name,
        ClientRequestToken=token,
        PipelineParameters=[{"Name": key, "Value": each} for key, each in parameters.items()],
    )
    return str(answer["PipelineExecutionArn"])


def execution(cloud: Cloud, arn: str) -> dict[str, Any]:
    answer = cloud.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", "DescribePipelineExecutionResponse", answer)
    return dict(answer)


def steps(cloud: Cloud, arn: str) -> dict[str, dict[str, Any]]:
    answer = cloud.client("sagemaker").list_pipeline_execution_steps(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    answer.pop("ResponseMetadata")
    assert_shape("sagemaker", "ListPipelineExecutionStepsResponse", answer)
    return {each["StepName"]: each for each in answer["PipelineExecutionSteps"]}


def statuses(cloud: Cloud, arn: str) -> dict[str, str]:
    return {name: each["StepStatus"] for name, each in steps(cloud, arn).items()}


def played(cloud: Cloud, body: str, **parameters: Any) -> tuple[str, dict[str, dict[str, Any]]]:
    """Create, start and run to the end: the execution's ARN and its steps."""
    create(cloud, body)
    arn = start(cloud, **parameters)
    cloud.run_until_idle()
    return arn, steps(cloud, arn)


def details(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    return [each.detail["detail"] for each in cloud.journal if each.name == name]
