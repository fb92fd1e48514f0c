"""What is known of a fleet: its units, and the faults they had.

Files under ``registry/<workload>/`` and ``faults/<workload>/`` bring rows of these; CSV (with a header),
JSON lines or Parquet.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ROW = ConfigDict(extra="ignore", frozen=True)
"""Files of others carry further columns; those are passed over."""

UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:+-]{1,128}$")]
Text = Annotated[str, Field(min_length=1, max_length=256)]


class UnitRecord(BaseModel):
    """One unit: what it is, who looks after it, where it stands, since when."""

    model_config = ROW

    unit: UnitName
    model: Text
    dealer: Text
    location: Text
    installed: date


class FaultRecord(BaseModel):
    """One fault of a unit: it failed at this time, and was repaired at that, if it was.

    A row with the same unit and ``failed_at`` corrects the one before; ``withdrawn`` takes it back.
    """

    model_config = ROW

    unit: UnitName
    fault: Text
    failed_at: AwareDatetime
    repaired_at: AwareDatetime | None = None
    withdrawn: bool = False
