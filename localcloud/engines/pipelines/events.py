"""The events of pipelines: status changes of executions and of their steps.

Citation: "Events that Amazon SageMaker AI sends to Amazon EventBridge" of the SageMaker Developer
Guide. Only `processingJob` of a step's metadata is in its samples; the others are named likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.bus import Bus
from localcloud.engines.pipelines.execution import OVER, Execution, StepRun
from localcloud.world import iso_seconds

_EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
_STEP = "SageMaker Model Building Pipeline Execution Step Status Change"


def tell_execution(bus: Bus, execution: Execution, before: str, record: int) -> None:
    """An execution has another status; `before` is "" for the first one."""
    facts = execution.facts
    detail = {
        "pipelineExecutionDisplayName": facts["PipelineExecutionDisplayName"],
        "currentPipelineExecutionStatus": execution.status,
        "executionStartTime": iso_seconds(facts["CreationTime"]),
        "pipelineArn": execution.pipeline,
        "pipelineExecutionArn": execution.arn,
    }
    if before:
        detail["previousPipelineExecutionStatus"] = before
    if execution.status in OVER:
        detail["executionEndTime"] = iso_seconds(facts["LastModifiedTime"])
    if "PipelineExecutionDescription" in facts:
        detail["pipelineExecutionDescription"] = facts["PipelineExecutionDescription"]
    _publish(bus, _EXECUTION, execution, detail, record)


def tell_step(bus: Bus, execution: Execution, run: StepRun, before: str, record: int) -> None:
    """A step has another status; `before` is "" for the first one."""
    detail: dict[str, Any] = {
        "metadata": _lowered(run.metadata),
        "stepName": run.step.name,
        "stepType": run.step.type,
        "currentStepStatus": run.status,
        "pipelineArn": execution.pipeline,
        "pipelineExecutionArn": execution.arn,
    }
    if before:
        detail["previousStepStatus"] = before
    if run.started is not None:
        detail["stepStartTime"] = iso_seconds(run.started)
    if run.ended is not None:
        detail["stepEndTime"] = iso_seconds(run.ended)
    if run.status == "Failed":
        detail["failureReason"] = run.reason
    _publish(bus, _STEP, execution, detail, record)


def _publish(
    bus: Bus, name: str, execution: Execution, detail: Mapping[str, Any], record: int
) -> None:
    bus.publish(
        "aws.sagemaker", name, detail, resources=[execution.pipeline, execution.arn],
        cause=record, account=execution.account,
    )  # fmt: skip


def _lowered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: _lowered(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    return value
