"""`signalbox up` as a user runs it: any AWS client, an end that leaves nothing, state that stays."""

from __future__ import annotations

import json
import signal
import socket
import threading
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from localcloud.keep.folder import StateFolder
from tests.e2e.served import signalbox, up


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def refused(endpoint: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(endpoint.rsplit(":", 1)[1]))) != 0


def test_files_dropped_by_any_client_become_features_and_ctrl_c_ends_it(build, tmp_path, hvac_file):
    home, file = tmp_path / "home", tmp_path / "day.parquet"
    file.write_bytes(hvac_file())
    with up(home=home) as cloud:
        second = signalbox("up", "--port", "0", home=home)
        assert second.returncode == 2
        assert "a local cloud is up at" in " ".join(second.stderr.split())
        sent = signalbox("upload", file, "--workload", "hvac", "--unit", "A1", home=home)
        assert sent.returncode == 0, sent.stderr
        cloud.until("CycleFeaturesReady")

        bucket = cloud.note()["bucket"]
        s3 = boto3.client("s3", endpoint_url=cloud.endpoint)
        prefix = "fragments/raw/hvac/unit=A1/day.parquet/"
        assert s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"] == 1
        s3.put_object(Bucket=bucket, Key="raw/hvac/unit=A1/again.csv", Body=b"no,csv\n")
        cloud.until("FileRejected")

        traced = " ".join(signalbox("trace", home=home).stdout.split())
        assert "OnSensorFile → ScoreFleet → CycleFeaturesReady" in traced
        assert "day.parquet" in traced
        assert signalbox("trace", "again.csv", home=home).returncode == 0
        assert signalbox("trace", "no-such-file", home=home).returncode == 1
        assert cloud.end() == 0
        assert not (home / "up.json").exists()
        assert refused(cloud.endpoint)


def test_it_listens_on_this_machine_only_and_sigterm_leaves_nothing(build, tmp_path):
    with up("--state", str(tmp_path / "state"), home=tmp_path / "home") as cloud:
        port = int(cloud.endpoint.rsplit(":", 1)[1])
        listening = [
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/{cloud.process.pid}/net/{table}").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        ]
        assert listening == [f"0100007F:{port:04X}"]
        assert cloud.end(signal.SIGTERM) == 0
        assert "is down" in cloud.until("is down")
        assert refused(cloud.endpoint)
    assert not (tmp_path / "home" / "up.json").exists()
    folder = StateFolder(tmp_path / "state")
    folder.open()  # nobody holds it any more
    folder.close()


def test_state_is_there_again_and_nothing_is_processed_twice(build, tmp_path, hvac_file):
    home, state = tmp_path / "home", tmp_path / "state"
    key = "raw/hvac/unit=A1/day.parquet"
    with up("--state", str(state), home=home) as cloud:
        bucket = cloud.note()["bucket"]
        s3 = boto3.client("s3", endpoint_url=cloud.endpoint)
        s3.put_object(Bucket=bucket, Key=key, Body=hvac_file())
        cloud.until("CycleFeaturesReady")
        before = s3.list_object_versions(Bucket=bucket)["Versions"]
        assert cloud.end() == 0
    with up("--state", str(state), home=home) as cloud:
        s3 = boto3.client("s3", endpoint_url=cloud.endpoint)
        assert s3.list_object_versions(Bucket=bucket)["Versions"] == before
        table = boto3.client("dynamodb", endpoint_url=cloud.endpoint)
        assert table.scan(TableName="signalbox-IdempotencyTable")["Count"] == 1
        traced = signalbox("trace", key, home=home)
        assert "CycleFeaturesReady" in traced.stdout  # of the cloud before
        s3.put_object(Bucket=bucket, Key="raw/hvac/unit=A1/next.csv", Body=b"no,csv\n")
        cloud.until("FileRejected")
        assert not any("CycleFeaturesReady" in line for line in cloud.said)
        assert cloud.end() == 0


def saved_buckets(state: Path) -> str:
    """What the newest manifest names; a save may replace it at any moment."""
    try:
        manifest = json.loads((state / "manifest.json").read_text())
        return (state / manifest["files"]["buckets"]["file"]).read_text()
    except FileNotFoundError:
        return ""


@pytest.mark.soak
def test_what_was_saved_while_nothing_went_on_outlives_a_crash(build, tmp_path):
    home, state = tmp_path / "home", tmp_path / "state"
    with up("--state", str(state), home=home) as cloud:
        bucket = cloud.note()["bucket"]
        s3 = boto3.client("s3", endpoint_url=cloud.endpoint)
        s3.put_object(Bucket=bucket, Key="notes/a", Body=b"kept")
        # saved at the latest a few seconds later, by itself
        while "notes/a" not in saved_buckets(state):
            s3.head_object(Bucket=bucket, Key="notes/a")
        cloud.process.kill()
        cloud.process.wait()
    with up("--state", str(state), home=home) as cloud:
        s3 = boto3.client("s3", endpoint_url=cloud.endpoint)
        assert s3.get_object(Bucket=bucket, Key="notes/a")["Body"].read() == b"kept"
        assert cloud.end() == 0


def test_what_was_acknowledged_before_ctrl_c_is_kept(build, tmp_path):
    home, state = tmp_path / "home", tmp_path / "state"
    acknowledged, some = [], threading.Event()

    def write(s3, bucket):
        while True:
            key = f"notes/{len(acknowledged)}"
            try:
                s3.put_object(Bucket=bucket, Key=key, Body=b"kept")
            except BotoCoreError:  # it is down
                return
            acknowledged.append(key)
            if len(acknowledged) == 20:
                some.set()

    once = Config(retries={"total_max_attempts": 1})
    with up("--state", str(state), home=home) as cloud:
        bucket = cloud.note()["bucket"]
        s3 = boto3.client("s3", endpoint_url=cloud.endpoint, config=once)
        writing = threading.Thread(target=write, args=(s3, bucket))
        writing.start()
        some.wait()
        assert cloud.end() == 0
        writing.join()
    kept = StateFolder(state).kept["buckets"][bucket]["versions"]
    assert set(acknowledged) <= {each["key"] for each in kept}


def cut_manifest(state: Path) -> str:
    (state / "manifest.json").write_text('{"schema": 1')
    return "manifest.json"


def change_blob(state: Path) -> str:
    part = next((state / "parts").glob("tables-*"))
    part.write_text("{}")
    return part.name


def not_a_state(state: Path) -> str:
    (state / "manifest.json").rename(state / "holiday.jpg")
    return "holiday.jpg"


def set_now(state: Path) -> str:
    manifest = json.loads((state / "manifest.json").read_text())
    (state / "manifest.json").write_text(json.dumps({**manifest, "now": "x"}))
    return "manifest.json:nowismalformed"


@pytest.fixture(scope="module")
def kept(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    with up("--state", str(folder / "state"), home=folder / "home") as cloud:
        assert cloud.end() == 0
    return folder / "state"


@pytest.mark.parametrize("harm", [cut_manifest, change_blob, not_a_state, set_now])
def test_a_damaged_state_folder_is_one_message_and_nothing_starts(kept, tmp_path, harm):
    import shutil

    state, home = tmp_path / "state", tmp_path / "home"
    shutil.copytree(kept, state)
    named = harm(state)
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    ran = signalbox("up", "--port", "0", "--state", state, home=home)
    assert ran.returncode == 2
    words = "".join(ran.stderr.split())
    assert named in words
    assert "Traceback" not in ran.stderr
    assert "is up at" not in ran.stdout
    assert not (home / "up.json").exists()
    assert {p: p.read_bytes() for p in state.rglob("*") if p.is_file()} == before


def test_a_state_that_is_a_file_is_one_message(build, tmp_path):
    ran = signalbox("up", "--port", "0", "--state", "README.md", home=tmp_path)
    assert ran.returncode == 2
    assert "README.md is no folder" in " ".join(ran.stderr.split())


def test_a_port_in_use_is_one_clear_message(build, tmp_path):
    state = tmp_path / "state"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = signalbox("up", "--port", port, "--state", state, home=tmp_path / "home")
    assert ran.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be had" in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr
    assert not state.exists()
    assert not (tmp_path / "home" / "trace.jsonl").exists()


def test_a_note_tells_where_everything_is(build, tmp_path):
    with up(home=tmp_path) as cloud:
        note = cloud.note()
        assert note["functions"]["OnSensorFile"] == "signalbox-OnSensorFile"
        assert note["queues"]["RawFileQueue"].endswith("/signalbox-RawFileQueue")
        assert json.dumps(note)
        assert children(cloud.process.pid) == []  # imports were tried and are over
        assert cloud.end() == 0
