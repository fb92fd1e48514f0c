"""`signalbox up` as a user runs it: another process, any AWS client, Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys

import boto3
import pytest

from tests.conftest import ROOT


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of its own for the note and the trace of the running cloud."""
    monkeypatch.setenv("SIGNALBOX_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def up(build, home, executor):
    command = [sys.executable, "-u", "-m", "cli.main", "up", "--port", "0", "--executor", executor]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ),
    ) as running:
        try:
            line = next(line for line in running.stdout if "is up at" in line)
            yield running, re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        finally:
            if running.poll() is None:
                running.kill()


def signalbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def until(running: subprocess.Popen[str], words: str) -> str:
    """Read what the cloud says until it says this."""
    return next(line for line in running.stdout if words in line)


def test_files_dropped_by_any_client_become_features_and_ctrl_c_ends_it(
    up, home, tmp_path, hvac_file
):
    running, endpoint = up
    file = tmp_path / "day.parquet"
    file.write_bytes(hvac_file())
    second = signalbox("up", "--port", "0")
    assert second.returncode == 2
    assert "a local cloud is up at" in " ".join(second.stderr.split())
    sent = signalbox("upload", str(file), "--workload", "hvac", "--unit", "A1")
    assert sent.returncode == 0, sent.stderr
    until(running, "CycleFeaturesReady")

    bucket = json.loads((home / "up.json").read_text())["bucket"]
    s3 = boto3.client("s3", endpoint_url=endpoint)
    fragments = s3.list_objects_v2(Bucket=bucket, Prefix="fragments/raw/hvac/unit=A1/day.parquet/")
    assert fragments["KeyCount"] == 1
    upload = s3.create_multipart_upload(Bucket=bucket, Key="raw/hvac/unit=A1/again.csv")["UploadId"]
    part = s3.upload_part(
        Bucket=bucket,
        Key="raw/hvac/unit=A1/again.csv",
        UploadId=upload,
        PartNumber=1,
        Body=b"no,csv\n",
    )
    s3.complete_multipart_upload(
        Bucket=bucket, Key="raw/hvac/unit=A1/again.csv", UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )  # fmt: skip
    until(running, "FileRejected")

    traced = signalbox("trace")
    words = " ".join(traced.stdout.split())
    assert "OnSensorFile" in words
    assert "day.parquet" in words
    assert signalbox("trace", "again.csv").returncode == 0
    assert signalbox("trace", "no-such-file").returncode == 1

    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    assert not (home / "up.json").exists()
    port = int(endpoint.rsplit(":", 1)[1])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_in_use_is_one_clear_message(build, home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = signalbox("up", "--port", str(taken.getsockname()[1]))
    assert ran.returncode == 2
    assert "port" in ran.stderr
    assert "Traceback" not in ran.stderr
