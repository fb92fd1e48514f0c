"""What goes into a backfill run and what comes out: the manifest, and the run's report."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from signalbox.contracts.keys import HISTORY
from signalbox.contracts.objects import ObjectRef

STRICT = ConfigDict(extra="forbid", frozen=True)

Count = Annotated[int, Field(ge=0)]


class Manifest(BaseModel):
    """Which old files to turn into cycle features: named one by one, or by prefix.

    ``{"workload": "hvac", "keys": ["history/hvac/2024/unit-1.parquet"]}`` or
    ``{"workload": "hvac", "prefix": "history/hvac/"}``
    """

    model_config = STRICT

    workload: str = Field(min_length=1)
    keys: list[str] | None = Field(default=None, min_length=1)
    prefix: str | None = None

    @model_validator(mode="after")
    def _names_history(self) -> Self:
        if (self.keys is None) == (self.prefix is None):
            raise ValueError("give exactly one of keys or prefix")
        room = f"{HISTORY}{self.workload}/"
        for key in self.keys or [self.prefix or ""]:
            if not key.startswith(room):
                raise ValueError(
                    f"{key!r} lies outside {room}; a manifest names one workload's history"
                )
        if self.keys is not None and len(set(self.keys)) != len(self.keys):
            raise ValueError("keys: a file is named twice")
        return self


class DoneFile(BaseModel):
    """A file that was cut; ``output_key`` is its fragment, ``cycles`` counts what closed inside."""

    model_config = STRICT

    source: ObjectRef
    output_key: str
    units: list[str]
    cycles: Count
    rows: Count
    start: AwareDatetime
    end: AwareDatetime


class RejectedFile(BaseModel):
    """A file that can never be cut, or that another file contradicts."""

    model_config = STRICT

    source: ObjectRef
    reason: str
    message: str
    column: str | None = None
    row: int | None = None
    line: int | None = None
    row_group: int | None = None


class RunReport(BaseModel):
    """What became of every file of a manifest, and what the run as a whole made of them.

    ``cycles`` counts the rows of the stitched features, ``rows`` the readings; ``start`` and
    ``end`` span them and are None where no file was accepted.
    """

    model_config = STRICT

    workload: str
    run_key: str
    files: Count
    done: list[DoneFile]
    rejected: list[RejectedFile]
    units: list[str]
    cycles: Count
    rows: Count
    start: AwareDatetime | None
    end: AwareDatetime | None

    @model_validator(mode="after")
    def _accounts_for_every_file(self) -> Self:
        if self.files != len(self.done) + len(self.rejected):
            raise ValueError(
                f"files is {self.files}, but {len(self.done)} are done and {len(self.rejected)} "
                "rejected: every file must end in exactly one of the two"
            )
        if self.done and (self.start is None or self.end is None):
            raise ValueError("start and end must span the files that are done")
        return self
