"""What `make build` made: it imports with nothing but its layers, fits Lambda, and loads on its glibc."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from cli.build import NOTE, StaleBuild, check_build, sources_digest
from cli.ship import kernel_zip
from cycles import native
from localcloud.deploy.template import read_template
from tests.conftest import BUILD, ROOT

pytestmark = pytest.mark.built

LIMIT = 262_144_000  # Lambda quotas: function and layers, unzipped
GLIBC = (2, 26)  # Amazon Linux 2, which Lambda python3.11 runs on
# What the Lambda runtime itself brings (AWS, "Runtime-included SDK versions").
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")

TEMPLATE, _ = read_template(ROOT / "template.yaml")
FUNCTIONS = {
    name: body["Properties"]
    for name, body in TEMPLATE["Resources"].items()
    if body["Type"] == "AWS::Serverless::Function"
}
SHARED = TEMPLATE["Globals"]["Function"]["Layers"]


def layers_of(name: str) -> list[str]:
    return [ref["Ref"] for ref in [*SHARED, *FUNCTIONS[name].get("Layers", [])]]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory) -> Path:
    """A folder with the packages of the Lambda runtime and nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_door_imports_from_the_built_artefact_alone(name, build, runtime):
    path = [
        str(build / name),
        *(str(build / layer / "python") for layer in layers_of(name)),
        str(runtime),
    ]
    code = (
        "import sys, json; sys.path[:0] = json.loads(sys.argv[1]);"
        "import app; print(app.handler.__module__, app.__file__)"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-I", "-S", "-c", code, json.dumps(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert str(build / name) in ran.stdout


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_with_its_layers_fits(name, build):
    folders = [build / name, *(build / layer for layer in layers_of(name))]
    size = sum(
        path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()
    )
    assert 0 < size < LIMIT, f"{size:,} bytes"


def test_every_shared_library_loads_on_lambdas_glibc(build):
    libraries = [
        path
        for path in build.rglob("*")
        if path.is_file() and re.search(r"\.so(\.\d+)*$", path.name)
    ]
    assert len(libraries) > 20
    for library in libraries:
        wanted = {
            tuple(map(int, v.split(b".")))
            for v in re.findall(rb"GLIBC_(2\.\d+)", library.read_bytes())
        }
        assert max(wanted, default=GLIBC) <= GLIBC, f"{library.name} wants {max(wanted)}"


def test_the_kernel_is_shipped_with_its_sums_in_machine_code(build):
    (library,) = (build / "CyclesLayer").rglob(native.LIBRARY)
    code = "import sys; from cycles import native; sys.exit(native._LIBRARY is None)"
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "kernel.zip"
        archive.write_bytes(kernel_zip())
        numpy = Path(np.__file__).parent.parent
        for place in (archive, library.parent.parent):
            env = {"PYTHONPATH": os.pathsep.join([str(place), str(numpy)])}
            ran = subprocess.run([sys.executable, "-B", "-S", "-c", code], env=env, check=False)
            assert ran.returncode == 0, place
    assert b"GLIBC" not in library.read_bytes()


def test_a_functions_folder_holds_its_door_and_nothing_else(build):
    for name in FUNCTIONS:
        files = {path.name for path in (build / name).rglob("*.*") if path.suffix != ".pyc"}
        assert files <= {"app.py", "__init__.py"}


def test_the_build_is_the_sources_and_a_stale_one_is_refused(build, tmp_path):
    check_build(build)
    with pytest.raises(StaleBuild, match="make build"):
        check_build(tmp_path)
    (tmp_path / NOTE).write_text(json.dumps({"digest": "0" * 64}))
    with pytest.raises(StaleBuild, match="changed"):
        check_build(tmp_path)
    assert len(sources_digest()) == 64
    assert build == BUILD
