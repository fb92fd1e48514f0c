"""What Glue says when a run of a job ends.

Source: AWS Glue User Guide, "Automating AWS Glue with EventBridge". Delivery is best effort. The
event does not carry the run's arguments: ask GetJobRun for them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from signalbox.contracts.eventbridge import AWS, Envelope


class _Detail(BaseModel):
    model_config = AWS

    job_name: str = Field(alias="jobName")
    job_run_id: str = Field(alias="jobRunId")
    state: str  # SUCCEEDED FAILED TIMEOUT STOPPED; others are tolerated and count as failures
    message: str = ""


class JobStateChange(Envelope):
    """A run of a Glue job reached its end."""

    source: Literal["aws.glue"]
    detail_type: Literal["Glue Job State Change"] = Field(alias="detail-type")
    detail: _Detail

    @property
    def succeeded(self) -> bool:
        """Whether the run did all it was asked to."""
        return self.detail.state == "SUCCEEDED"
