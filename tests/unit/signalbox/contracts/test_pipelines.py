"""Changes of pipelines as AWS tells them, and as it may tell them tomorrow."""

import pytest
from pydantic import ValidationError

from signalbox.contracts.pipelines import PipelineChange, StepChange
from tests.fakes import sample
from tests.operated import RUN_EVENT, STEP_EVENT, run_change, step_change


def test_both_events_are_read_alike():
    run, step = run_change().detail, step_change().detail
    assert (run.step, run.status, run.previous, run.failed) == (None, "Failed", "Executing", True)
    assert (step.step, step.step_type, step.status) == ("ModelQuality", "Processing", "Failed")
    assert run.pipeline_name == step.pipeline_name == "signalbox-example-batch"
    assert run.execution_id == step.execution_id == "p4jn9xou8a8s"
    assert run.ended.isoformat() == "2026-07-02T00:16:10+00:00"


@pytest.mark.parametrize("status", ["CompletedWithFailures", "Pausing", "executing"])
def test_a_status_of_tomorrow_is_read(status):
    assert run_change(status).detail.status == step_change(status=status).detail.status == status


@pytest.mark.parametrize(
    "moment", ["2026-07-02T00:16:10Z", "2026-07-02T00:16:10", 1782951370, "1782951370000", 1782951370000.0]
)  # fmt: skip
def test_times_come_in_many_spellings(moment):
    assert (
        run_change(executionEndTime=moment).detail.ended.isoformat() == "2026-07-02T00:16:10+00:00"
    )


@pytest.mark.parametrize("name", ["stepEndTime", "previousStepStatus", "metadata", "failureReason"])
def test_what_may_be_missing_may(name):
    event = sample(STEP_EVENT)
    del event["detail"][name]
    assert StepChange.model_validate(event).detail.step == "ModelQuality"


def test_a_step_without_a_name_and_a_run_with_one_are_refused():
    event = sample(STEP_EVENT)
    del event["detail"]["stepName"]
    with pytest.raises(ValidationError, match="stepName"):
        PipelineChange.model_validate(event)
    event = sample(RUN_EVENT)
    event["detail"]["stepName"] = "Train"
    with pytest.raises(ValidationError, match="stepName"):
        PipelineChange.model_validate(event)
    with pytest.raises(ValidationError, match="detail-type"):
        StepChange.model_validate(sample(RUN_EVENT))


@pytest.mark.parametrize("arn", ["", "p4jn9xou8a8s", "arn:aws:sagemaker:eu-west-1:1:pipeline/x"])
def test_what_is_no_execution_is_refused(arn):
    with pytest.raises(ValidationError, match="pipelineExecutionArn"):
        run_change(pipelineExecutionArn=arn)
