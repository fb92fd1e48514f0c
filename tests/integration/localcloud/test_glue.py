"""Glue jobs: the shipped script really runs, and the events AWS emits come out."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from textwrap import dedent
from typing import Any

import pytest

from localcloud import Cloud, Record
from localcloud.engines.base import RunError
from localcloud.engines.python import check_modules
from tests.integration.localcloud.builds import BUCKET, ROLE
from tests.integration.localcloud.conftest import START, Deploy

JOB = (
    BUCKET
    + ROLE
    + """
  Job:
    Type: AWS::Glue::Job
    Properties:
      Role: !Ref Role
      GlueVersion: "5.1"
      Command: {Name: glueetl, PythonVersion: "3", ScriptLocation: !Sub "s3://${Packages}/job.py"}
      DefaultArguments:
        "--extra-py-files": !Sub "s3://${Packages}/kernel.zip"
        "--bucket": !Ref Bucket
        "--mode": default
      NonOverridableArguments: {"--fixed": "yes"}
      Timeout: 2
      ExecutionProperty: {MaxConcurrentRuns: 1}
      JobRunQueuingEnabled: %s
"""
)
HEAD = "Parameters: {Packages: {Type: String, Default: signalbox-packages-123456789012}}"

SCRIPT = """
import os, sys, boto3, kernel
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("arguments", sorted(arguments.items()))
print("kernel", kernel.NAME)
boto3.client("s3").put_object(
    Bucket=arguments["--bucket"], Key="made/" + arguments["--mode"], Body=b"x"
)
print("who", boto3.client("sts").get_caller_identity()["Arn"])
if arguments["--mode"] == "fail":
    sys.exit("it went wrong")
"""

Job = Callable[..., Cloud]


@pytest.fixture
def job(deploy: Deploy) -> Job:
    def deployed(script: str = SCRIPT, queuing: str = "false") -> Cloud:
        cloud = deploy(JOB % queuing, head=HEAD)
        kernel = io.BytesIO()
        with zipfile.ZipFile(kernel, "w") as archive:
            archive.writestr("kernel.py", "NAME = 'shipped'\n")
        s3 = cloud.client("s3")
        s3.put_object(Bucket=cloud.packages, Key="job.py", Body=script.encode())
        s3.put_object(Bucket=cloud.packages, Key="kernel.zip", Body=kernel.getvalue())
        return cloud

    return deployed


def start(cloud: Cloud, **request: Any) -> str:
    started = cloud.client("glue").start_job_run(JobName=cloud.physical_id("Job"), **request)
    return str(started["JobRunId"])


def run_of(cloud: Cloud, run_id: str) -> dict[str, Any]:
    name = cloud.physical_id("Job")
    run: dict[str, Any] = cloud.client("glue").get_job_run(JobName=name, RunId=run_id)["JobRun"]
    return run


def lines(cloud: Cloud) -> list[str]:
    return [record.detail["line"] for record in cloud.journal if record.kind == "log"]


def told(cloud: Cloud) -> list[dict[str, Any]]:
    return [r.detail["detail"] for r in cloud.journal if r.name == "Glue Job State Change"]


def test_a_run_executes_the_script_with_glues_arguments(job: Job) -> None:
    cloud = job()
    run_id = start(cloud, Arguments={"--mode": "given", "--fixed": "no"})
    assert run_of(cloud, run_id)["JobRunState"] == "STARTING"
    cloud.run_until_idle()
    assert lines(cloud) == [
        "arguments [('--JOB_NAME', 'signalbox-Job'), ('--bucket', 'signalbox-bucket'), "
        "('--extra-py-files', 's3://signalbox-packages-123456789012/kernel.zip'), "
        "('--fixed', 'yes'), ('--mode', 'given')]",
        "kernel shipped",
        "who arn:aws:sts::123456789012:assumed-role/signalbox-Role/"
        f"GlueJobRunnerSession-{run_id[-12:]}",
    ]
    run = run_of(cloud, run_id)
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["Arguments"]["--mode"] == "given"
    assert run["CompletedOn"] - run["StartedOn"] == timedelta(seconds=70)
    assert run["ExecutionTime"] == 60
    assert "ErrorMessage" not in run
    (listed,) = cloud.client("glue").get_job_runs(JobName=cloud.physical_id("Job"))["JobRuns"]
    assert listed["Id"] == run_id


def test_its_end_is_told_as_glue_tells_it(job: Job) -> None:
    cloud = job()
    run_id = start(cloud)
    cloud.run_until_idle()
    assert told(cloud) == [
        {
            "jobName": "signalbox-Job",
            "severity": "INFO",
            "state": "SUCCEEDED",
            "jobRunId": run_id,
            "message": "Job run succeeded",
        }
    ]
    event = next(record for record in cloud.journal if record.name == "Glue Job State Change")
    assert event.detail["source"] == "aws.glue"
    assert event.detail["resources"] == []


def test_states_and_outputs_hang_together_in_the_journal(job: Job) -> None:
    cloud = job()
    start(cloud)
    cloud.run_until_idle()
    states = [record for record in cloud.journal if record.kind == "job"]
    assert [record.status for record in states] == ["STARTING", "RUNNING", "SUCCEEDED"]
    assert [(record.at - START).total_seconds() for record in states] == [0, 10, 70]
    starting, running, succeeded = states
    assert running.cause == succeeded.cause == starting.id
    made = next(record for record in cloud.journal if record.name == "Object Created")
    assert made.cause == running.id  # told by the credentials of the run, through the endpoint
    assert {r.cause for r in cloud.journal if r.kind == "log"} == {running.id}


def test_a_script_that_fails_says_why(job: Job) -> None:
    cloud = job()
    run_id = start(cloud, Arguments={"--mode": "fail"})
    cloud.run_until_idle()
    run = run_of(cloud, run_id)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "it went wrong")
    assert [(event["state"], event["severity"]) for event in told(cloud)] == [("FAILED", "ERROR")]


@pytest.mark.parametrize("lost", ["job.py", "kernel.zip"])
def test_what_was_not_shipped_cannot_run(job: Job, lost: str) -> None:
    cloud = job()
    cloud.client("s3").delete_object(Bucket=cloud.packages, Key=lost)
    run_id = start(cloud)
    cloud.run_until_idle()
    assert run_of(cloud, run_id)["JobRunState"] == "FAILED"
    assert "404" in run_of(cloud, run_id)["ErrorMessage"]


def test_a_run_past_its_timeout_is_stopped(job: Job) -> None:
    cloud = job("import time\nprint('on')\ntime.sleep(600)\n")
    cloud._reactions.runs.second_s = 1 / 60
    run_id = start(cloud)
    cloud.run_until_idle()
    run = run_of(cloud, run_id)
    assert run["JobRunState"] == "TIMEOUT"
    assert "2 minutes" in run["ErrorMessage"]
    assert [(event["state"], event["severity"]) for event in told(cloud)] == [("TIMEOUT", "WARN")]


def test_above_its_concurrency_a_run_is_refused(job: Job) -> None:
    cloud = job()
    start(cloud)
    with pytest.raises(cloud.client("glue").exceptions.ConcurrentRunsExceededException):
        start(cloud)
    cloud.run_until_idle()
    start(cloud)


def test_or_waits_where_queuing_is_on(job: Job) -> None:
    cloud = job(queuing="true")
    first, second = start(cloud), start(cloud)
    assert run_of(cloud, second)["JobRunState"] == "WAITING"
    with pytest.raises(cloud.client("glue").exceptions.ConcurrentRunsExceededException):
        start(cloud, JobRunQueuingEnabled=False)
    cloud.run_until_idle()
    assert {run_of(cloud, each)["JobRunState"] for each in (first, second)} == {"SUCCEEDED"}
    states = [(r.detail["run_id"], r.status) for r in cloud.journal if r.kind == "job"]
    assert states.index((second, "STARTING")) > states.index((first, "SUCCEEDED"))


def test_an_unknown_job_is_glues_error(job: Job) -> None:
    glue = job().client("glue")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.start_job_run(JobName="nobody")


def test_progress_is_told_while_the_script_runs(job: Job) -> None:
    cloud = job("for n in range(3): print('step', n)\n")
    heard: list[str] = []
    start(cloud)

    def hear(record: Record) -> None:
        if record.kind != "call":
            heard.append(record.detail.get("line") or record.status)

    cloud.run_until_idle(hear)
    assert heard == ["RUNNING", "step 0", "step 1", "step 2", "SUCCEEDED", "ok"]


def test_in_real_time_a_run_goes_on_beside_everything_else(job: Job) -> None:
    """The script waits for what only the cloud's own thread can do meanwhile."""
    script = """
    import os, sys, time, boto3
    s3 = boto3.client("s3")
    bucket = sys.argv[sys.argv.index("--bucket") + 1]
    s3.put_object(Bucket=bucket, Key="raw/asked", Body=b"")
    s3.get_waiter("object_exists").wait(
        Bucket=bucket, Key="answer", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    """
    cloud, stop = job(dedent(script)), threading.Event()
    bucket = cloud.physical_id("Bucket")

    def watch(record: Record) -> None:
        if record.name == "Object Created" and record.cause is not None:
            cloud.client("s3").put_object(Bucket=bucket, Key="answer", Body=b"")
        if record.name == "Glue Job State Change":
            stop.set()

    cloud._world.clock.after(0, lambda: start(cloud))
    cloud.serve(stop, watch)
    assert [event["state"] for event in told(cloud)] == ["SUCCEEDED"]


def test_closing_the_cloud_ends_what_runs(job: Job) -> None:
    cloud, stop = job("import time\nprint('on')\ntime.sleep(600)\n"), threading.Event()

    def watch(record: Record) -> None:
        if record.kind == "log":
            stop.set()

    cloud._world.clock.after(0, lambda: start(cloud))
    cloud.serve(stop, watch)
    began = time.monotonic()
    cloud.close()
    assert time.monotonic() - began < 60
    assert not [thread for thread in threading.enumerate() if "local-cloud" in thread.name]


def test_additional_modules_must_be_here_already(job: Job) -> None:
    cloud = job()
    run_id = start(cloud, Arguments={"--additional-python-modules": "boto3==0.0.1"})
    cloud.run_until_idle()
    assert "wants boto3==0.0.1" in run_of(cloud, run_id)["ErrorMessage"]
    check_modules("here", [""])
    with pytest.raises(RunError, match="wants no-such==1"):
        check_modules("here", ["no-such==1"])
