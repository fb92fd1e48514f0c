"""What references of a step stand for, in its execution and at that moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from localcloud.engines.base import RunError
from localcloud.engines.ml import split
from localcloud.engines.pipelines.execution import Execution
from localcloud.engines.pipelines.references import Scope
from localcloud.world import iso_seconds

Clients = Callable[[str], Any]
_LONGEST_JOB, _LONGEST_STEP = 63, 20
_TUNING_STEP = 7  # names of tuning jobs have 32 characters at most


def scope_of(
    execution: Execution, now: datetime, clients: Clients, job: Mapping[str, str]
) -> Scope:
    """The scope of a step that begins now.

    Args:
        execution: whose step.
        now: virtual.
        clients: with the credentials of the execution's role; property files are read by them.
        job: TrainingJobName or ProcessingJobName, where the step makes such a job.
    """

    def properties(step: str) -> Any:
        return execution.steps[step].properties

    def property_file(step: str, name: str) -> Any:
        run = execution.steps[step]
        output, path = run.step.files[name]
        outputs = run.properties["ProcessingOutputConfig"]["Outputs"]
        place = next(each for each in outputs if each["OutputName"] == output)["S3Output"]["S3Uri"]
        return _read(clients("s3"), f"{place.rstrip('/')}/{path}", name)

    variables = {
        "CurrentDateTime": iso_seconds(now),
        "PipelineArn": execution.pipeline,
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionId": execution.id,
        "PipelineName": execution.name,
        "StartDateTime": iso_seconds(execution.facts["CreationTime"]),
        **job,
    }
    return Scope(execution.parameters, variables, properties, property_file)


def _read(s3: Any, uri: str, name: str) -> Any:
    bucket, key = split(uri)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        return json.loads(body)
    except ValueError as error:
        raise RunError(f"ClientError: property file {name}: {uri} is no JSON: {error}") from error


def job_name(execution: str, step: str, word: str, *, tuning: bool = False) -> str:
    """`pipelines-<execution id>-<step>-<random>`, the step's name cut; a tuning job's is shorter.

    Args:
        execution: id of the execution.
        step: the step's name.
        word: ten random letters and digits.
        tuning: whether it names a tuning job.
    """
    short = step.replace("_", "-")[: _TUNING_STEP if tuning else _LONGEST_STEP].strip("-")
    parts = [execution, short, word] if tuning else ["pipelines", execution, short, word]
    return "-".join(each for each in parts if each)[:_LONGEST_JOB]
