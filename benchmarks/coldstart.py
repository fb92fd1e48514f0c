"""Cold start: importing each built door against making a bare boto3 S3 client.

Each run is a fresh interpreter that sees what Lambda would show it and nothing else: the door's folder, its
layers in order, and boto3 with what boto3 itself requires, which the runtime brings. Compiled bytecode counts
where it is shipped, as on Lambda, where a layer cannot be written to. CPU is that of the whole interpreter,
from its own start; the order is shuffled every round.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Ratio
from cli.build import BUILD, check_build
from localcloud.deploy.template import read_template

TARGET = 1.0
CLIENT = "import boto3; boto3.client('s3', 'eu-west-1', aws_access_key_id='x', aws_secret_access_key='x')"
PROGRAM = """
import sys
sys.path[:0] = sys.argv[2:]
exec(sys.argv[1])
import time
print(time.process_time())
"""


@dataclass(frozen=True)
class Door:
    """A built function: its logical id, what its handler imports, and its folders in order."""

    name: str
    module: str
    folders: tuple[Path, ...]


def coldstart(folder: Path, rounds: int) -> list[Figure]:
    """Importing every built door, and a bare boto3 S3 client."""
    check_build(BUILD)
    runtime = folder / "runtime"
    link_distribution("boto3", runtime)
    runs: dict[str, tuple[str, tuple[Path, ...]]] = {"client": (CLIENT, (runtime,))}
    for door in built_doors(BUILD):
        runs[door.name] = (f"import {door.module}", (*door.folders, runtime))
    spent: dict[str, list[float]] = {name: [] for name in runs}
    rng = random.Random(7)
    for _ in range(rounds):
        order = list(runs)
        rng.shuffle(order)
        for name in order:
            spent[name].append(_cpu_s(*runs[name]))
    client = Ratio.of(spent["client"]).median * 1e3
    return [
        Figure(
            f"cold import of {name} / boto3 S3 client",
            Ratio.of([a / b for a, b in zip(spent[name], spent["client"], strict=True)]),
            "at most", TARGET,
            note=f"{Ratio.of(spent[name]).median * 1e3:.0f} ms, client {client:.0f} ms",
        )
        for name in runs
        if name != "client"
    ]  # fmt: skip


def built_doors(build: Path) -> list[Door]:
    """Every function of the built template that is code in a folder."""
    template, _ = read_template(build / "template.yaml")
    shared = template.get("Globals", {}).get("Function", {})
    resources: dict[str, dict[str, Any]] = template["Resources"]
    doors = []
    for name, resource in resources.items():
        told = shared | resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in told:
            layers = [*shared.get("Layers", []), *resource["Properties"].get("Layers", [])]
            places = [resources[layer["Ref"]]["Properties"]["ContentUri"] for layer in layers]
            folders = (build / told["CodeUri"], *(build / place / "python" for place in places))
            doors.append(Door(name, told["Handler"].rpartition(".")[0], folders))
    return doors


def link_distribution(name: str, folder: Path) -> None:
    """Link a distribution's modules into a folder, and those of all it requires."""
    folder.mkdir(exist_ok=True)
    found = metadata.distribution(name)
    for top in {file.parts[0] for file in found.files or ()}:
        source, target = Path(str(found.locate_file(top))), folder / top
        if source.exists() and top != ".." and not target.exists():
            target.symlink_to(source)
    for required in found.requires or ():
        if "extra ==" not in required:
            other = re.match(r"[\w.-]+", required)
            if other and not (folder / f".{other[0]}").exists():
                (folder / f".{other[0]}").touch()
                link_distribution(other[0], folder)


def _cpu_s(statement: str, folders: tuple[Path, ...]) -> float:
    paths = [str(folder) for folder in folders]
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, statement, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{statement}: {done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])
