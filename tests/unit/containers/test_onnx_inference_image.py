"""The image that cannot be built here: its Dockerfile is linted, and what it names exists."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

FOLDER = ROOT / "containers" / "onnx_inference"
DOCKERFILE = FOLDER / "Dockerfile"


def instructions():
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    joined = text.replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]


def named(name):
    return [rest for word, rest in instructions() if word == name]


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_base_is_one_image_with_cuda_13_and_cudnn():
    (base,) = named("FROM")
    assert re.fullmatch(r"nvidia/cuda:13\.\d+\.\d+-cudnn-runtime-ubuntu\d\d\.04", base)


def test_what_is_copied_exists_and_nothing_is_fetched():
    assert not named("ADD")
    for copied in named("COPY"):
        source, _ = copied.split()
        assert (ROOT / source).exists(), source
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == {
        "containers/__init__.py",
        "containers/onnx_inference",
    }


def test_it_starts_the_module_that_is_here_and_not_as_root():
    (entry,), (command,), (user,) = named("ENTRYPOINT"), named("CMD"), named("USER")
    *python, module = json.loads(entry)
    assert python == ["python3", "-m"]
    assert (ROOT / module.replace(".", "/") / "__main__.py").is_file()
    assert json.loads(command) == ["serve"]
    assert user.split(":")[0] not in {"root", "0"}
    assert named("LABEL") == ["com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true"]


def pins(path):
    return dict(line.split("==") for line in path.read_text().splitlines())


def test_its_packages_are_those_of_the_lock():
    locked = {name.lower(): version for name, version in pins(ROOT / "requirements.lock").items()}
    own = pins(FOLDER / "requirements.txt")
    assert own == {name: locked.get(name.lower()) for name in own}


def test_it_imports_what_the_image_has_and_nothing_else():
    provided = {
        "numpy": "numpy", "onnxruntime": "onnxruntime-gpu", "orjson": "orjson",
        "pyarrow": "pyarrow", "simdjson": "pysimdjson", "uvicorn": "uvicorn",
    }  # fmt: skip
    imported = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    foreign = imported - sys.stdlib_module_names - {"containers"}
    assert foreign == set(provided)
    assert set(provided.values()) <= set(pins(FOLDER / "requirements.txt"))
