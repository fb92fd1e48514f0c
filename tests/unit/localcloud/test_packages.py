"""Which modules are a function's own."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from localcloud.errors import DeployError
from localcloud.runtime.packages import check_versions, own_modules


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def ship(folder: Path, name: str, version: str, *files: str) -> None:
    touch(folder, *files)
    info = touch(folder, f"{name}-{version}.dist-info/RECORD") / f"{name}-{version}.dist-info"
    (info / "RECORD").write_text("".join(f"{each},,\n" for each in files), encoding="utf-8")


def test_own_is_what_no_distribution_installed(tmp_path: Path) -> None:
    code = touch(tmp_path / "code", "app.py", "requirements.txt", "__pycache__/app.pyc")
    layer = touch(tmp_path / "layer", "signalbox/__init__.py", "app.py", "not-a-module.py")
    ship(layer, "pydantic", "2.0", "pydantic/__init__.py", "six.py", "../bin/tool", "a.libs/x.so")
    touch(layer, "bin/tool", "compiled/_core.so", "compiled/__init__.py")
    assert own_modules([code, layer, tmp_path / "gone"]) == {"app": code, "signalbox": layer}


def test_shipped_versions_must_be_those_of_this_environment(tmp_path: Path) -> None:
    ship(tmp_path, "pydantic", metadata.version("pydantic"), "pydantic/__init__.py")
    check_versions("Door", [tmp_path])
    ship(tmp_path, "boto3", "0.0.1", "boto3/__init__.py")
    with pytest.raises(DeployError, match=r"Door: .* ships boto3 0\.0\.1, this environment has"):
        check_versions("Door", [tmp_path])


def test_a_shipped_distribution_that_is_not_here_is_an_error(tmp_path: Path) -> None:
    ship(tmp_path, "no_such_distribution_anywhere", "1.0", "x/__init__.py")
    with pytest.raises(DeployError, match="has none"):
        check_versions("Door", [tmp_path])
