"""A job sees what was shipped and nothing of this repository."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from localcloud.engines import launch


def run(script: Path, shipped: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, launch.__file__, str(script), *arguments],
        env={"PYTHONPATH": str(shipped)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_is_main_and_has_its_arguments_and_the_shipped_modules(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "kernel.py").write_text("NAME = 'shipped'\n", encoding="utf-8")
    script = tmp_path / "job.py"
    script.write_text(
        "import sys, kernel, boto3\nprint(__name__, kernel.NAME, sys.argv[1:])\n", "utf-8"
    )
    ended = run(script, tmp_path / "lib", "--key", "value")
    assert ended.stdout == "__main__ shipped ['--key', 'value']\n", ended.stderr


def test_this_repository_cannot_be_imported_unless_it_was_shipped(tmp_path: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text("import localcloud\n", encoding="utf-8")
    assert "No module named 'localcloud'" in run(script, tmp_path).stderr


def test_the_path_keeps_python_and_what_was_shipped() -> None:
    stdlib = sysconfig.get_path("stdlib")
    path = ["/repository", "/shipped.zip", stdlib, f"{stdlib}/lib-dynload", "/repository/layers"]
    assert launch.shipped_path(path, ["/shipped.zip"]) == [
        "/shipped.zip",
        stdlib,
        f"{stdlib}/lib-dynload",
    ]
