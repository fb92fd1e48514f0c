"""What SageMaker says when a job changes its state, and how the house names its jobs.

Source: SageMaker Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge"; names:
CreateProcessingJob and CreateTransformJob of its API Reference (63 letters, digits and hyphens). A
name ends with the run it is for, so that a state change leads back to it, and a repeated start
meets the job that is there.
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, Field

from signalbox.contracts.eventbridge import AWS, Envelope

MAX_NAME = 63
WINDOWS_JOB = "windows-"
SCORES_JOB = "scores-"

_NOT_IN_TAGS = re.compile(r"[^\w\s.:/=+\-@]")
_LONGEST_TAG = 256
_RUN = re.compile(r"-([0-9a-f]{32})$")


def windows_job(workload: str, run: str) -> str:
    """Return the name of the processing job that makes a run's windows.

    >>> windows_job("air_compressors-of-the-metro", "0" * 32)
    'windows-air-compressors-of-the-00000000000000000000000000000000'
    """
    return _job(WINDOWS_JOB, workload, run)


def scores_job(workload: str, run: str) -> str:
    """Return the name of the transform job that scores a run's windows."""
    return _job(SCORES_JOB, workload, run)


def run_of(job: str) -> str | None:
    """Return the run that a job was started for, or None if it is none of ours.

    >>> run_of("windows-hvac-" + "0" * 32)
    '00000000000000000000000000000000'
    """
    found = _RUN.search(job)
    return found[1] if found else None


def tag_value(text: str) -> str:
    """Return a text as the value of a tag may be (Tag of the API Reference).

    >>> tag_value("o'hara@example.com")
    'o_hara@example.com'
    """
    return _NOT_IN_TAGS.sub("_", text)[:_LONGEST_TAG] or "unknown"


def _job(kind: str, workload: str, run: str) -> str:
    room = MAX_NAME - len(kind) - len(run) - 1
    return f"{kind}{workload.replace('_', '-')[:room].rstrip('-')}-{run}"


class _ProcessingDetail(BaseModel):
    model_config = AWS

    job_name: str = Field(alias="ProcessingJobName")
    status: str = Field(alias="ProcessingJobStatus")
    failure_reason: str = Field(default="", alias="FailureReason")
    exit_message: str = Field(default="", alias="ExitMessage")


class ProcessingJobChange(Envelope):
    """A processing job changed its state."""

    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Processing Job State Change"] = Field(alias="detail-type")
    detail: _ProcessingDetail

    @property
    def reason(self) -> str:
        """What the program said last, or else what SageMaker says; may be nothing."""
        return self.detail.exit_message or self.detail.failure_reason


class _TransformDetail(BaseModel):
    model_config = AWS

    job_name: str = Field(alias="TransformJobName")
    status: str = Field(alias="TransformJobStatus")
    failure_reason: str = Field(default="", alias="FailureReason")


class TransformJobChange(Envelope):
    """A batch transform job changed its state."""

    source: Literal["aws.sagemaker"]
    detail_type: Literal["SageMaker Transform Job State Change"] = Field(alias="detail-type")
    detail: _TransformDetail

    @property
    def completed(self) -> bool:
        """Whether every window was scored."""
        return self.detail.status == "Completed"
