"""`signalbox up` in another process, and the command beside it, as a user runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT


class Up:
    """A running `signalbox up`.

    Everything it says is read by a thread, so that it never waits for a reader.
    """

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self.process, self.home, self.said = process, home, []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.endpoint = re.search(r"http://127\.0\.0\.1:\d+", self.until("is up at"))[0]
        self.until("elsewhere")

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._changed:
                self.said.append(line)
                self._changed.notify_all()
        with self._changed:
            self.said.append("")
            self._changed.notify_all()

    def until(self, words: str, times: int = 1) -> str:
        """Wait until it said this so many times; the test's own timeout ends the wait."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._count(words) >= times or (self.said and self.said[-1] == "")
            )
            assert self._count(words) >= times, "".join(self.said)
            return next(line for line in self.said if words in line)

    def _count(self, words: str) -> int:
        return sum(words in line for line in self.said)

    def note(self) -> dict:
        return json.loads((self.home / "up.json").read_text())

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join()
        return code


@contextmanager
def up(*arguments: str, home: Path, root: Path = ROOT) -> Iterator[Up]:
    """`signalbox up` on a free port until the block ends."""
    command = [sys.executable, "-u", "-m", "cli.main", "up", "--port", "0", *arguments]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "SIGNALBOX_HOME": str(home)},
    ) as process:  # fmt: skip
        try:
            yield Up(process, home)
        finally:
            if process.poll() is None:
                process.kill()


def signalbox(*arguments: object, home: Path, root: Path = ROOT, text: str | None = None):
    """The command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        cwd=root, capture_output=True, text=True, check=False, input=text,
        env={**os.environ, "SIGNALBOX_HOME": str(home), "COLUMNS": "200"},
    )  # fmt: skip
