from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from localcloud.engines.process import Ended, Processes

ENV = {"PATH": "/usr/bin:/bin"}


def run(tmp_path: Path, program: str, timeout_s: float = 60) -> tuple[Ended, list[str]]:
    lines: list[str] = []
    command = [sys.executable, "-u", "-c", program]
    return Processes().run(command, ENV, tmp_path, timeout_s, lines.append), lines


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
    child = tmp_path / "child"
    program = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(child)!r}, 'w').write(str(p.pid))\n"
        "print('started', flush=True)\n"
        "time.sleep(600)\n"
    )
    began = time.monotonic()
    ended, lines = run(tmp_path, program, timeout_s=2)
    assert ended.code is None
    assert lines == ["started"]
    assert time.monotonic() - began < 60
    stat = Path(f"/proc/{child.read_text()}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_closing_stops_what_runs(tmp_path: Path) -> None:
    processes, ended = Processes(), []
    started = threading.Event()

    def work() -> None:
        command = [sys.executable, "-u", "-c", "print('on'); import time; time.sleep(600)"]
        ended.append(processes.run(command, ENV, tmp_path, 600, lambda _: started.set()))

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(30)
    processes.close()
    thread.join(30)
    assert [each.code for each in ended] == [-15]
