"""The Glue job of the house, and runs of any job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signalbox.adapters.aws import calling, connect


class GlueJob:
    """One Glue job: starts runs, and finds one again by an argument it was started with."""

    def __init__(self, name: str, client: Any = None) -> None:
        self.name = name
        self._glue = client or connect("glue")

    def start(self, arguments: Mapping[str, str]) -> str:
        """Start a run and return its identifier; no token makes this safe to repeat."""
        with calling("glue:StartJobRun", f"Glue job {self.name}"):
            answer = self._glue.start_job_run(JobName=self.name, Arguments=dict(arguments))
        return str(answer["JobRunId"])

    def find(self, argument: str, value: str) -> str | None:
        """Return the identifier of a run that was started with this argument, if there is one."""
        with calling("glue:GetJobRuns", f"Glue job {self.name}"):
            for page in self._glue.get_paginator("get_job_runs").paginate(JobName=self.name):
                for run in page["JobRuns"]:
                    if run.get("Arguments", {}).get(argument) == value:
                        return str(run["Id"])
        return None

    def arguments(self, job_run_id: str) -> Mapping[str, str]:
        """Return the arguments that a run was started with, beside the job's own."""
        with calling("glue:GetJobRun", f"run {job_run_id} of Glue job {self.name}"):
            answer = self._glue.get_job_run(JobName=self.name, RunId=job_run_id)
        return dict(answer["JobRun"].get("Arguments", {}))
