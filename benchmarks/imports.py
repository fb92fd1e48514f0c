"""Cold import of each built door against a bare boto3 S3 client: CPU of fresh processes, shuffled."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.rounds import Ratio
from cli.build import BUILD
from localcloud.deploy.template import read_template

# What the Lambda runtime itself brings.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
CLIENT = "import boto3; boto3.client('s3', region_name='eu-west-1')"


def cold_imports(rounds: int) -> list[Ratio]:
    """A ratio a door."""
    template, _ = read_template(BUILD / "template.yaml")
    shared = template["Globals"]["Function"]["Layers"]

    def own(body: dict[str, Any]) -> list[dict[str, str]]:
        return list(body["Properties"].get("Layers", []))

    doors = {
        name: [BUILD / name, *(BUILD / ref["Ref"] / "python" for ref in [*shared, *own(body)])]
        for name, body in template["Resources"].items()
        if body["Type"] == "AWS::Serverless::Function"
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        runtime = _runtime(Path(folder))
        programs = {name: ("import app", [*path, runtime]) for name, path in doors.items()}
        programs["boto3"] = (CLIENT, [runtime])
        spent: dict[str, list[float]] = {name: [] for name in programs}
        order = list(programs)
        for k in range(rounds + 1):
            random.Random(k).shuffle(order)
            for name in order:
                cpu = _cpu(*programs[name])
                if k:
                    spent[name].append(cpu)
    pairs = {name: zip(spent[name], spent["boto3"], strict=True) for name in doors}
    return [
        Ratio(f"cold import of {name} / boto3 S3 client", tuple(a / b for a, b in pairs[name]), "-")
        for name in sorted(doors)
    ]


def _runtime(folder: Path) -> Path:
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        origin = Path(str(spec.origin if spec else ""))
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def _cpu(code: str, path: list[Path]) -> float:
    """CPU seconds of a fresh process that runs this code with nothing but these folders on its path."""
    program = f"import sys, json; sys.path[:0] = json.loads(sys.argv[1]); {code}"
    command = [sys.executable, "-I", "-S", "-c", program, json.dumps([str(p) for p in path])]
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
