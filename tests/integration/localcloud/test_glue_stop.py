"""Glue runs that are stopped, attempted again, or tell that they are late."""

from __future__ import annotations

import os
import select
import signal
from textwrap import dedent
from typing import Any

from localcloud import Cloud, Record
from tests.integration.localcloud.builds import ROLE
from tests.integration.localcloud.conftest import START, Deploy
from tests.integration.localcloud.shapes import assert_shape

JOB = (
    ROLE
    + """
  Job:
    Type: AWS::Glue::Job
    Properties:
      Role: !Ref Role
      GlueVersion: "5.1"
      Command: {Name: pythonshell, ScriptLocation: "s3://signalbox-packages-123456789012/job.py"}
      ExecutionProperty: {MaxConcurrentRuns: 1}
"""
)
FOREVER = "import time\nprint('on')\ntime.sleep(600)\n"


def deployed(deploy: Deploy, script: str, extra: str = "") -> Cloud:
    cloud = deploy(JOB + extra)
    cloud.client("s3").put_object(Bucket=cloud.packages, Key="job.py", Body=dedent(script).encode())
    return cloud


def start(cloud: Cloud, **request: Any) -> str:
    return str(cloud.client("glue").start_job_run(JobName="signalbox-Job", **request)["JobRunId"])


def stop(cloud: Cloud, *run_ids: str) -> dict[str, Any]:
    answer = cloud.client("glue").batch_stop_job_run(JobName="signalbox-Job", JobRunIds=run_ids)
    return {key: answer[key] for key in ("SuccessfulSubmissions", "Errors")}


def runs(cloud: Cloud) -> list[dict[str, Any]]:
    found = cloud.client("glue").get_job_runs(JobName="signalbox-Job")["JobRuns"]
    for run in found:
        assert_shape("glue", "JobRun", run)
    return list(found)


def states(cloud: Cloud) -> list[str]:
    return [record.status for record in cloud.journal if record.kind == "job"]


def events(cloud: Cloud, name: str = "Glue Job State Change") -> list[Record]:
    return [record for record in cloud.journal if record.name == name]


def test_a_run_is_stopped_while_its_script_runs(deploy: Deploy) -> None:
    cloud = deployed(deploy, FOREVER)
    run_id = start(cloud)
    answers = []

    def watch(record: Record) -> None:
        if record.kind == "log":
            answers.append(stop(cloud, run_id))

    cloud.run_until_idle(watch)
    assert answers == [
        {
            "SuccessfulSubmissions": [{"JobName": "signalbox-Job", "JobRunId": run_id}],
            "Errors": [],
        }
    ]
    assert states(cloud) == ["STARTING", "RUNNING", "STOPPING", "STOPPED"]
    (run,) = runs(cloud)
    assert (run["JobRunState"], run["ExecutionTime"]) == ("STOPPED", 1)
    assert "ErrorMessage" not in run
    (event,) = events(cloud)
    assert event.detail["detail"]["severity"] == "INFO"
    assert event.detail["detail"]["message"] == "Job run stopped"


def test_a_script_that_will_not_end_is_killed_with_all_it_started(deploy: Deploy) -> None:
    cloud = deployed(
        deploy,
        """
        import signal, subprocess, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])  # holds the streams open
        print(child.pid, flush=True)
        time.sleep(600)
        """,
    )
    cloud._reactions.glue.grace_s = 0.1
    run_id = start(cloud)
    pids = []

    def watch(record: Record) -> None:
        if record.kind == "log":
            pids.append(os.pidfd_open(int(record.detail["line"])))
            stop(cloud, run_id)

    cloud.run_until_idle(watch)
    assert runs(cloud)[0]["JobRunState"] == "STOPPED"
    run = cloud._reactions.runs.find(run_id)
    assert run is not None
    assert run.ended is not None
    assert run.ended.code == -signal.SIGKILL  # type: ignore[union-attr]
    assert select.select(pids, [], [], 60)[0] == pids  # readable when the process is over
    os.close(pids[0])


def test_what_the_script_leaves_running_ends_with_it(deploy: Deploy) -> None:
    cloud = deployed(deploy, "import subprocess\nsubprocess.Popen(['sleep', '600'])\nprint('over')")
    start(cloud)
    cloud.run_until_idle()
    assert runs(cloud)[0]["JobRunState"] == "SUCCEEDED"


def test_a_run_is_stopped_before_it_began_and_while_it_waits(deploy: Deploy) -> None:
    cloud = deployed(deploy, "print('ran')", "      JobRunQueuingEnabled: true\n")
    first, second = start(cloud), start(cloud)
    assert len(stop(cloud, first, second)["SuccessfulSubmissions"]) == 2
    assert [run["JobRunState"] for run in runs(cloud)] == ["STOPPING", "STOPPED"]
    cloud.run_until_idle()
    assert [run["JobRunState"] for run in runs(cloud)] == ["STOPPED", "STOPPED"]
    assert not [record for record in cloud.journal if record.kind == "log"]
    assert len(events(cloud)) == 2


def test_stopping_frees_the_place_of_one_that_waits(deploy: Deploy) -> None:
    cloud = deployed(deploy, "print('ran')", "      JobRunQueuingEnabled: true\n")
    first, second = start(cloud), start(cloud)
    stop(cloud, first)
    cloud.run_until_idle()
    assert {run["Id"]: run["JobRunState"] for run in runs(cloud)} == {
        first: "STOPPED",
        second: "SUCCEEDED",
    }


def test_what_cannot_be_stopped_is_said_for_each(deploy: Deploy) -> None:
    cloud = deployed(deploy, "")
    run_id = start(cloud)
    cloud.run_until_idle()
    errors = stop(cloud, run_id, "jr_nobody")["Errors"]
    codes = {each["JobRunId"]: each["ErrorDetail"]["ErrorCode"] for each in errors}
    assert codes == {run_id: "InvalidStateException", "jr_nobody": "EntityNotFoundException"}
    assert len(events(cloud)) == 1


def test_a_failed_run_is_attempted_again(deploy: Deploy) -> None:
    script = """
    import sys, boto3
    s3 = boto3.client("s3")
    key = "tried"
    there = s3.list_objects_v2(Bucket="signalbox-packages-123456789012", Prefix=key)["KeyCount"]
    s3.put_object(Bucket="signalbox-packages-123456789012", Key=key)
    sys.exit(0 if there else "not yet")
    """
    cloud = deployed(deploy, script, "      MaxRetries: 2\n")
    run_id = start(cloud)
    cloud.run_until_idle()
    first, second = runs(cloud)
    assert (first["Attempt"], first["JobRunState"], first["ErrorMessage"]) == (
        0, "FAILED", "not yet",
    )  # fmt: skip
    assert second["Id"] == f"{run_id}_attempt_1"
    assert (second["Attempt"], second["PreviousRunId"], second["JobRunState"]) == (
        1, run_id, "SUCCEEDED",
    )  # fmt: skip
    assert [each.detail["detail"]["state"] for each in events(cloud)] == ["FAILED", "SUCCEEDED"]


def test_retries_end_and_a_timeout_has_none(deploy: Deploy) -> None:
    cloud = deployed(deploy, "import sys, time\nsys.exit('no')", "      MaxRetries: 1\n")
    start(cloud)
    cloud.run_until_idle()
    assert [run["JobRunState"] for run in runs(cloud)] == ["FAILED", "FAILED"]
    cloud.client("s3").put_object(Bucket=cloud.packages, Key="job.py", Body=FOREVER.encode())
    cloud._reactions.runs.second_s = 1 / 60
    start(cloud, Timeout=1)
    cloud.run_until_idle()
    assert [run["JobRunState"] for run in runs(cloud)] == ["FAILED", "FAILED", "TIMEOUT"]


def test_a_run_that_is_late_tells_so_once(deploy: Deploy) -> None:
    cloud = deployed(deploy, "")
    start(cloud, NotificationProperty={"NotifyDelayAfter": 1})
    cloud.run_until_idle()
    (event,) = events(cloud, "Glue Job Run Status")
    assert (event.at - START).total_seconds() == 60
    assert event.detail["detail"] | {"jobRunId": ""} == {
        "jobName": "signalbox-Job",
        "severity": "INFO",
        "notificationCondition": {"NotifyDelayAfter": 1.0},
        "state": "RUNNING",
        "jobRunId": "",
        "message": "Job run is in RUNNING state",
        "startedOn": "2026-01-01T00:00:00Z",
    }


def test_what_a_script_writes_is_in_its_log_groups(deploy: Deploy) -> None:
    cloud = deployed(deploy, "import sys\nprint('out')\nprint('err', file=sys.stderr)")
    run_id = start(cloud)
    cloud.run_until_idle()
    logs = cloud.client("logs")
    for group, line in (("/aws-glue/jobs/output", "out"), ("/aws-glue/jobs/error", "err")):
        found = logs.get_log_events(logGroupName=group, logStreamName=run_id)["events"]
        assert [each["message"] for each in found] == [line]
