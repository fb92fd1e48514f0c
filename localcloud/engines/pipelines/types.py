"""Which types of steps there are, and the operation that each one's arguments are a request of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """What a step asks of SageMaker.

    Attributes:
        create: the operation that its arguments are a request of.
        describe: the operation that answers its properties.
        name: member that names what is made; it comes from the pipeline.
        metadata: the step's member of Metadata.
    """

    create: str
    describe: str
    name: str
    metadata: str


CALLS: Mapping[str, Call] = {
    "Processing": Call(
        "CreateProcessingJob", "DescribeProcessingJob", "ProcessingJobName", "ProcessingJob"
    ),
    "Training": Call("CreateTrainingJob", "DescribeTrainingJob", "TrainingJobName", "TrainingJob"),
    "Tuning": Call(
        "CreateHyperParameterTuningJob", "DescribeHyperParameterTuningJob",
        "HyperParameterTuningJobName", "TuningJob",
    ),
    "Transform": Call(
        "CreateTransformJob", "DescribeTransformJob", "TransformJobName", "TransformJob"
    ),
    "Model": Call("CreateModel", "DescribeModel", "ModelName", "Model"),
    "RegisterModel": Call(
        "CreateModelPackage", "DescribeModelPackage", "ModelPackageName", "RegisterModel"
    ),
}  # fmt: skip
JOBS = ("Processing", "Training", "Tuning", "Transform")
TYPES = (*CALLS, "Condition", "Fail", "Lambda", "Callback")
OWN_KEYS: Mapping[str, set[str]] = {
    "Callback": {"OutputParameters", "SqsQueueUrl"},
    "Lambda": {"FunctionArn", "OutputParameters"},
    "Processing": {"PropertyFiles"},
}
"""Members that only steps of a type have."""
