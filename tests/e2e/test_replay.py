"""`signalbox replay` as a user runs it, against the template's archive of a cloud that is served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


def replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "replay", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def said(ran: subprocess.CompletedProcess[str]) -> str:
    return " ".join((ran.stdout + ran.stderr).split())


@pytest.fixture
def served(chain, hvac_file, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cloud in which one file became features, noted where the command looks for it."""
    chain.bucket.write("raw/hvac/unit=A1/day.parquet", hvac_file())
    chain.run()
    monkeypatch.setenv("SIGNALBOX_HOME", str(tmp_path))
    note = {
        "endpoint": chain.cloud.endpoint,
        "region": "eu-west-1",
        "bucket": chain.bucket.name,
        "pid": os.getpid(),
    }
    (tmp_path / "up.json").write_text(json.dumps(note))
    stop = threading.Event()
    serving = threading.Thread(target=chain.cloud.serve, args=(stop,))
    serving.start()
    yield chain
    stop.set()
    serving.join(30)


def test_what_the_house_said_is_said_again(served) -> None:
    before = served.events("CycleFeaturesReady")
    assert len(before) == 1
    ran = replay("--archive", "SignalboxArchive")
    assert ran.returncode == 0, said(ran)
    assert "completed; events of signalbox-SignalboxArchive from" in said(ran)
    assert "; last 20" in said(ran)
    assert served.events("CycleFeaturesReady") == before * 2
    replayed = [r for r in served.cloud.journal if r.detail.get("replay")]
    assert [record.name for record in replayed] == ["CycleFeaturesReady"]
    later = replay("--from", "2199-01-01", "--to", "2199-01-02T00:00:00+02:00")
    assert later.returncode == 0
    assert "there were none" in said(later)
    assert "from 2199-01-01T00:00:00Z to 2199-01-01T22:00:00Z" in said(later)


def test_what_cannot_be_replayed_is_one_message_and_exit_code_2(served) -> None:
    for arguments, words in (
        (("--archive", "Nothing"), "'Nothing'. Archives here: signalbox-SignalboxArchive"),
        (("--rule", "OnScores"), "no one rule is 'OnScores' on bus signalbox-signalbox"),
        (("--from", "yesterday"), "--from takes a time such as"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "is before --from"),
    ):
        ran = replay(*arguments)
        assert (ran.returncode, words in said(ran)) == (2, True), said(ran)
        assert "Traceback" not in ran.stderr


def test_without_a_cloud_the_message_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALBOX_HOME", str(tmp_path))
    ran = replay()
    assert ran.returncode == 2
    assert "signalbox up" in said(ran)
