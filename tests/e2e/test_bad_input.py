"""A template that cannot be honoured: one message with the logical id and the line of template.yaml."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.e2e.served import signalbox

SHARED = ("localcloud", "functions", "jobs", "layers", "pipelines", "simulator", "workloads")


@pytest.fixture
def project(build, tmp_path):
    """A copy of the project whose template may be spoilt, and its build with it."""
    root = tmp_path / "project"
    built = root / ".aws-sam" / "build"
    built.mkdir(parents=True)
    shutil.copytree(ROOT / "cli", root / "cli", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SHARED:
        (root / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "template.yaml", root)
    for path in build.iterdir():
        if path.is_dir():
            (built / path.name).symlink_to(path)
        elif path.name == "template.yaml":
            shutil.copy(path, built)
    return root


def note(root):
    """Say that the build is what the sources are: it was spoilt in the same way."""
    command = [sys.executable, "-m", "cli.build", "--note", ".aws-sam/build"]
    subprocess.run(command, cwd=root, check=True)


def spoil(root, old, new, built_old=None, built_new=None):
    """Change template.yaml and the built one; returns the line of the change."""
    for path, was, becomes in (
        (root / "template.yaml", old, new),
        (root / ".aws-sam" / "build" / "template.yaml", built_old or old, built_new or new),
    ):
        text = path.read_text()
        assert text.count(was) >= 1, was
        path.write_text(text.replace(was, becomes, 1))
    note(root)
    text = (root / "template.yaml").read_text()
    return text[: text.index(new.splitlines()[-1])].count("\n") + 1


def unsupported_type(root):
    line = spoil(root, "  DataBucketPolicy:\n    Type: AWS::S3::BucketPolicy\n",
                 "  Machine:\n    Type: AWS::StepFunctions::Activity\n"
                 "  DataBucketPolicy:\n    Type: AWS::S3::BucketPolicy\n")  # fmt: skip
    return "Machine: resource type 'AWS::StepFunctions::Activity' is not supported", line - 3


def unsupported_property(root):
    text = (root / ".aws-sam" / "build" / "template.yaml").read_text()
    built = re.search(r"  RawFileQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n", text)[0]
    head = "  RawFileQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n"
    line = spoil(root, head, head + "      Colour: red\n", built, built + "      Colour: red\n")
    return "RawFileQueue.Colour: is not supported for AWS::SQS::Queue", line


def invalid_pattern(root):
    text = (root / ".aws-sam" / "build" / "template.yaml").read_text()
    built = re.search(r"- prefix: raw/\n", text)[0]
    spoil(root, "key: [{prefix: raw/}]", "key: [{prefixx: raw/}]", built, "- prefixx: raw/\n")
    source = (root / "template.yaml").read_text()
    line = source[: source.index("      EventPattern:")].count("\n") + 1
    return "RawFiles.EventPattern", line


def handler_not_imported(root):
    return _door(root, "import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'")


def handler_missing(root):
    return _door(root, "def other(event, context):\n    return None\n", "no attribute 'handler'")


def _door(root, text, words):
    door = root / ".aws-sam" / "build" / "OnBackfill"
    door.unlink()
    door.mkdir()
    (door / "app.py").write_text(text)
    note(root)
    source = (root / "template.yaml").read_text()
    return ("OnBackfill.Handler", words), source[: source.index("\n  OnBackfill:")].count("\n") + 4


SPOILT = [
    unsupported_type, unsupported_property, invalid_pattern, handler_not_imported, handler_missing,
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "spoil_it"),
    [*(("up", each) for each in SPOILT), ("demo", unsupported_property)],
)
def test_one_message_names_the_resource_and_the_line_and_nothing_starts(
    project, tmp_path, command, spoil_it
):
    words, line = spoil_it(project)
    home, state = tmp_path / "home", tmp_path / "state"
    arguments = (
        ("up", "--port", "0", "--state", state)
        if command == "up"
        else ("demo", "--units", "1", "--days", "1", "-o", tmp_path / "out")
    )
    ran = signalbox(*arguments, home=home, root=project)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    said = " ".join(ran.stderr.split())
    for each in (words,) if isinstance(words, str) else words:
        assert each in said
    assert f"(template.yaml line {line})" in said
    assert said.count("signalbox:") == 1
    assert "Traceback" not in ran.stderr
    assert "is up at" not in ran.stdout
    assert not (home / "up.json").exists()
    assert not (state / "manifest.json").exists()


def test_a_stale_build_is_one_message(project, tmp_path):
    (project / "template.yaml").write_text((project / "template.yaml").read_text() + "\n# new\n")
    note_file = project / ".aws-sam" / "build" / ".sources.json"
    note_file.write_text((ROOT / ".aws-sam" / "build" / ".sources.json").read_text())
    ran = signalbox("up", "--port", "0", home=tmp_path, root=project)
    assert ran.returncode == 2
    assert "run `make build`" in " ".join(ran.stderr.split())
