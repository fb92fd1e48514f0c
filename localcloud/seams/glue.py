"""Glue in moto: jobs, and runs that tell their true state."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import ConcurrentRunsExceededException
from moto.glue.models import FakeJob, FakeJobRun

from localcloud.cuts import Seam
from localcloud.wiring import Hooks


class LocalJobRun(FakeJobRun):  # type: ignore[misc]
    """A Glue job run that tells its true state; `facts` are merged into the API's answer."""

    def __init__(
        self, job_name: str, arguments: dict[str, str], facts: dict[str, Any], run_id: str | None
    ) -> None:
        super().__init__(job_name=job_name, arguments=arguments)
        if run_id is not None:
            self.job_run_id = run_id
        self.facts = facts

    def advance(self) -> None:
        """Looking at a run does not move it (moto's does)."""

    def as_dict(self) -> dict[str, Any]:
        """The JobRun structure of GetJobRun."""
        run = {"Id": self.job_run_id, "JobName": self.job_name, "Arguments": self.arguments}
        return {**run, **self.facts}


class StoredJob:
    """A Glue job as moto keeps it (a `wiring.Job`)."""

    def __init__(self, fake: FakeJob) -> None:
        self._fake = fake

    @property
    def definition(self) -> dict[str, Any]:
        """The Job structure of GetJob."""
        definition: dict[str, Any] = self._fake.as_dict()
        fixed = self._fake.non_overridable_arguments
        notify = self._fake.notification_property
        return {**definition, "NonOverridableArguments": fixed, "NotificationProperty": notify}

    def add_run(
        self, arguments: dict[str, str], facts: dict[str, Any], run_id: str | None = None
    ) -> str:
        """A new run, to be seen in GetJobRun(s) with these facts; returns its id."""
        run = LocalJobRun(self._fake.name, arguments, facts, run_id)
        self._fake.job_runs.append(run)
        return str(run.job_run_id)

    def tell(self, run_id: str, **facts: Any) -> None:
        """Change what GetJobRun says of a run, such as JobRunState."""
        next(run for run in self._fake.job_runs if run.job_run_id == run_id).facts.update(facts)

    def refuse_concurrent(self) -> None:
        """Answer StartJobRun as Glue does above MaxConcurrentRuns."""
        raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {self._fake.name}")


def _start_job_run(hooks: Hooks, original: Any, self: Any) -> Any:
    del original
    job = StoredJob(self.glue_backend.get_job(self._get_param("JobName")))
    return ActionResult({"JobRunId": hooks.start_job_run(job, dict(self.parameters))})


def _batch_stop_job_run(hooks: Hooks, self: Any) -> Any:
    job = StoredJob(self.glue_backend.get_job(self._get_param("JobName")))
    return ActionResult(hooks.stop_job_runs(job, list(self._get_param("JobRunIds"))))


SEAMS = (
    Seam("moto.glue.responses:GlueResponse", "start_job_run", "(self)", _start_job_run),
    Seam("moto.glue.responses:GlueResponse", "batch_stop_job_run", None, _batch_stop_job_run),
)
