from __future__ import annotations

import os
import select
import signal
import sys
import threading
from pathlib import Path

import pytest

from localcloud.engines.process import Ended, Processes

ENV = {"PATH": "/usr/bin:/bin"}


def run(tmp_path: Path, program: str, timeout_s: float = 60) -> tuple[Ended, list[str]]:
    lines: list[str] = []
    command = [sys.executable, "-u", "-c", program]
    ended = Processes().run(
        "key",
        command,
        ENV,
        tmp_path,
        timeout_s=timeout_s,
        grace_s=5,
        on_line=lambda _, line: lines.append(line),
    )
    return ended, lines


def test_lines_of_both_streams_are_heard_and_the_last_errors_kept(tmp_path: Path) -> None:
    ended, lines = run(
        tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    )
    assert ended == Ended(3, ("err",))
    assert sorted(lines) == ["err", "out"]


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    _, lines = run(tmp_path, r"import sys; sys.stdout.buffer.write(b'\xff\n')")
    assert lines == ["�"]


def test_a_program_past_its_time_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    children: list[int] = []
    ended = Processes().run(
        "key",
        [sys.executable, "-c", program],
        ENV,
        tmp_path,
        timeout_s=2,
        grace_s=5,
        on_line=lambda _, line: children.append(os.pidfd_open(int(line))),
    )
    assert (ended.code, ended.cut) == (-signal.SIGTERM, "timeout")
    assert select.select(children, [], [], 60)[0] == children  # readable once it has ended
    os.close(children[0])


def test_closing_stops_what_runs(tmp_path: Path) -> None:
    processes = Processes()
    ended: list[Ended] = []
    started = threading.Event()

    def work() -> None:
        command = [sys.executable, "-u", "-c", "print('on'); import time; time.sleep(600)"]
        ended.append(
            processes.run(
                "key",
                command,
                ENV,
                tmp_path,
                timeout_s=600,
                grace_s=600,
                on_line=lambda *_: started.set(),
            )
        )

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert started.wait(30)
    processes.close()
    thread.join(30)
    assert [(each.code, each.cut) for each in ended] == [(-signal.SIGTERM, "stopped")]


@pytest.mark.parametrize("how", ["stop", "close"])
def test_what_is_stopped_before_it_starts_never_does(tmp_path: Path, how: str) -> None:
    processes = Processes()
    if how == "stop":
        processes.stop("key")
    else:
        processes.close()
    ended = processes.run(
        "key",
        ["/bin/sh", "-c", "echo ran > here"],
        ENV,
        tmp_path,
        timeout_s=60,
        grace_s=5,
        on_line=lambda *_: None,
    )
    assert ended.cut == "stopped"
    assert list(tmp_path.iterdir()) == []
