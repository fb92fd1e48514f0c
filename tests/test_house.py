"""The house's rules, executed: template ↔ code ↔ events ↔ docs, and how large anything may grow."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from cli.workloads import WORKLOADS, load, spec_of
from localcloud import pattern
from localcloud.deploy.template import read_template
from signalbox.contracts import workload
from signalbox.contracts.own import OWN_EVENTS
from signalbox.contracts.s3 import ObjectCreated
from signalbox.runtime.settings import DoorSettings
from tests.conftest import ROOT

TEMPLATES = [read_template(ROOT / name)[0] for name in ("template.yaml", "consumer.yaml")]
RESOURCES: dict[str, Any] = TEMPLATES[0]["Resources"]
CONSUMER: dict[str, Any] = TEMPLATES[1]["Resources"]
DOORS = {
    name: body
    for resources in (RESOURCES, CONSUMER)
    for name, body in resources.items()
    if body["Type"] == "AWS::Serverless::Function"
}
EXAMPLE_NAMES = {
    "DataBucket": "signalbox-databucket-example",
    "CycleFeaturesJob": "CycleFeaturesJob-example",
    "TrainPipeline": "signalbox-example-train",
    "TunePipeline": "signalbox-example-tune",
    "BatchPipeline": "signalbox-example-batch",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
}
FORBIDDEN_NAMES = {"utils", "common", "helpers", "manager", "base", "misc"}
NAMED_BY_SEAM = {"localcloud/runtime/base.py", "localcloud/engines/base.py"}


def found(pattern_: str, at_least: int, below: str = ".") -> list[Path]:
    """Files by a recursive glob; too few means the glob, not the house, is wrong."""
    files = [
        path
        for path in sorted((ROOT / below).rglob(pattern_))
        if not {"__pycache__", ".venv", ".venv-sam", ".venv-awscli", ".aws-sam", ".git", "out"}
        & set(path.relative_to(ROOT).parts)
    ]
    assert len(files) >= at_least, f"{pattern_} below {below}: only {len(files)}"
    return files


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def first_sentence(path: Path) -> str:
    return (
        (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
        .split("\n\n")[0]
        .replace("\n", " ")
    )


def table_rows(path: Path) -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows if not set(row[0]) <= {"-", ":"}]


def listed(cell: str) -> set[str]:
    return set() if cell in {"—", "-"} else {name.strip(" `") for name in cell.split(",")}


# ---- doors ----------------------------------------------------------------------------------


def test_every_function_folder_is_a_function_of_the_template_a_test_and_a_row_in_the_docs():
    folders = {path.parent.name for path in found("app.py", 4, "functions")}
    assert folders == {snake(name) for name in DOORS}
    for name, body in DOORS.items():
        assert body["Properties"]["CodeUri"] == f"functions/{snake(name)}"
    tests = {
        path.stem.removeprefix("test_") for path in found("test_*.py", 4, "tests/unit/functions")
    }
    assert folders <= tests
    documented = set().union(*(listed(row[0]) for row in table_rows(ROOT / "docs" / "doors.md")))
    assert folders <= documented, folders - documented


@pytest.mark.parametrize("name", sorted(DOORS))
def test_a_functions_description_is_its_doors_docstring(name):
    described = DOORS[name]["Properties"]["Description"]
    assert described == first_sentence(ROOT / "functions" / snake(name) / "app.py")
    assert "→" in described


@pytest.mark.parametrize("name", sorted(DOORS))
def test_settings_fields_are_the_environment_the_template_gives(name):
    template = TEMPLATES[name in CONSUMER]
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = DOORS[name]["Properties"].get("Environment", {}).get("Variables", {})
    classes = {c.door: c for c in _below(DoorSettings) if c.door}
    fields = {field.upper() for field in classes[snake(name)].model_fields}
    assert fields == set(shared) | set(own)


def _below(cls: type[DoorSettings]) -> list[type[DoorSettings]]:
    return [cls, *(inner for sub in cls.__subclasses__() for inner in _below(sub))]


# ---- events ---------------------------------------------------------------------------------


def _named(value: Any) -> Any:
    """The template's patterns with example names in place of references."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return EXAMPLE_NAMES[value["Ref"]]
        if set(value) == {"Fn::Sub"}:
            return re.sub(r"\$\{([^}]+)\}", lambda m: EXAMPLE_NAMES[m[1]], value["Fn::Sub"])
        return {k: _named(v) for k, v in value.items()}
    return [_named(item) for item in value] if isinstance(value, list) else value


def rules() -> dict[str, tuple[str, pattern.Pattern]]:
    """Every rule of the templates: bus and compiled pattern."""
    out = {}
    for name, body in [*RESOURCES.items(), *CONSUMER.items()]:
        if body["Type"] == "AWS::Events::Rule":
            out[name] = ("default", pattern.compile(_named(body["Properties"]["EventPattern"])))
        for event, source in body.get("Properties", {}).get("Events", {}).items():
            if source["Type"] == "EventBridgeRule":
                bus = "default" if "EventBusName" not in source["Properties"] else "SignalboxBus"
                out[name + event] = (bus, pattern.compile(_named(source["Properties"]["Pattern"])))
    return out


SAMPLES = found("*.json", 15, "events")
EVENT_ROWS = {row[0]: row for row in table_rows(ROOT / "events" / "README.md")[1:]}


def test_every_sample_has_its_row_and_every_row_its_sample():
    assert {str(path.relative_to(ROOT / "events")) for path in SAMPLES} == set(EVENT_ROWS)
    for _, provenance, *_ in EVENT_ROWS.values():
        assert provenance


def test_every_event_of_the_house_has_a_contract_and_a_sample_and_one_place_that_builds_it():
    samples = {path.stem for path in SAMPLES if path.parent.name == "signalbox"}
    assert samples == set(OWN_EVENTS)
    built: dict[str, set[str]] = {}
    for path in [*found("*.py", 20, "layers/signalbox"), *found("*.py", 4, "functions")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in OWN_EVENTS
            ):
                built.setdefault(node.func.id, set()).add(path.stem)
    assert built.keys() == OWN_EVENTS.keys()
    rooms = [each for each in built.values() if len(each) == 1]
    assert len(rooms) == len(built)
    assert set().union(*rooms) == {"announce", "announce_models"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_a_sample_matches_exactly_the_rules_listed_and_is_accepted_by_their_doors(path):
    event = json.loads(path.read_text(encoding="utf-8"))
    _, _, rules_cell, doors_cell = EVENT_ROWS[str(path.relative_to(ROOT / "events"))]
    # what comes by no bus, such as a notification of SNS, has no source
    source = event.get("source", "")
    bus = "SignalboxBus" if source.split(".")[0] == "signalbox" else "default"
    matching = {
        name for name, (on, compiled) in rules().items() if on == bus and compiled.matches(event)
    }
    assert matching == listed(rules_cell)
    for door in listed(doors_cell):
        app = importlib.import_module(f"functions.{door}.app")
        app.handler.contract.model_validate(event)
    if source == "signalbox":
        OWN_EVENTS[event["detail-type"]].model_validate(event["detail"])


def test_the_rules_are_all_exercised_by_samples():
    assert set().union(*(listed(row[2]) for row in EVENT_ROWS.values())) == set(rules())


def test_an_event_of_another_kind_is_refused_by_a_door():
    sample = json.loads((ROOT / "events" / "aws.s3" / "object-deleted.json").read_text())
    with pytest.raises(ValueError, match="Object Created"):
        ObjectCreated.model_validate(sample)


# ---- versions, workloads, docs, sizes --------------------------------------------------------


def test_layers_ship_the_versions_the_house_is_tested_with():
    lock = dict(
        line.lower().replace("_", "-").split("==")
        for line in (ROOT / "requirements.lock").read_text().split()
        if "==" in line
    )
    shipped = [
        line
        for path in [
            *found("requirements.txt", 2, "layers"),
            *found("requirements.txt", 1, "containers"),
        ]
        for line in path.read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(shipped) >= 4
    for line in shipped:
        name, version = line.lower().split("==")
        assert lock[name] == version, line
    modules = RESOURCES["CycleFeaturesJob"]["Properties"]["DefaultArguments"][
        "--additional-python-modules"
    ]
    assert set(modules.split(",")) <= {f"{n}=={v}" for n, v in lock.items()}


def test_locks_name_exact_versions_and_no_addresses():
    for path in found("*.lock", 3):
        lines = [
            line for line in path.read_text().splitlines() if line and not line.startswith("#")
        ]
        assert lines
        for line in lines:
            assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9][A-Za-z0-9.+!]*", line), line


@pytest.mark.parametrize("path", found("*.yaml", 3, "workloads"), ids=lambda p: p.stem)
def test_every_workload_builds_its_specification_and_is_in_the_docs(path):
    found_there = load(path.stem)
    assert found_there.name == path.stem
    if found_there.recording is not None:
        assert spec_of(found_there).result_names
    assert path.parent == WORKLOADS
    assert f"`{path.stem}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_cli_command_is_in_the_readme_and_help_teaches():
    from cli.main import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [(c.name or c.callback.__name__, c.callback) for c in app.registered_commands]
    assert len(commands) >= 11
    for name, command in commands:
        assert f"signalbox {name}" in readme, name
        assert len((command.__doc__ or "").split()) >= 6


def test_every_make_target_is_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ["demo", "test", "check", "bench", "soak", "build", "package", "up", "clean"]:
        assert f"make {target}" in readme, target


def test_links_between_documents_hold():
    documents = [
        *found("*.md", 3, "docs"),
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "events" / "README.md",
    ]
    for document in documents:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_nothing_grows_past_its_ceiling():
    assert len((ROOT / "template.yaml").read_text().splitlines()) <= 1200
    assert len((ROOT / "consumer.yaml").read_text().splitlines()) <= 200
    for path in found("*.py", 60):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        inside = path.relative_to(ROOT)
        ceiling = (
            60 if inside.parts[0] == "functions" else 600 if inside.parts[0] == "tests" else 400
        )
        assert lines <= ceiling, f"{inside}: {lines} lines, ceiling {ceiling}"


def test_functions_stay_readable():
    for path in found("*.py", 60):
        if path.relative_to(ROOT).parts[0] == "tests":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= 60, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def test_names_name_things():
    for path in found("*.py", 60):
        if str(path.relative_to(ROOT)) not in NAMED_BY_SEAM:
            assert path.stem not in FORBIDDEN_NAMES, path


def test_tests_use_no_mocks():
    for path in found("*.py", 10, "tests"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in imported if name.startswith(("unittest.mock", "mock"))}, path


def test_doors_import_nothing_heavy_unless_they_need_it():
    """A cold start pays for every import: only the door that cuts files may load arrays."""
    code = (
        "import sys, importlib; importlib.import_module(sys.argv[1]);"
        "print(' '.join(m for m in ('numpy','pyarrow','aws_xray_sdk','pandas','torch') if m in sys.modules))"
    )
    for name in DOORS:
        ran = subprocess.run(
            [sys.executable, "-c", code, f"functions.{snake(name)}.app"],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        allowed = (
            {"numpy", "pyarrow"} if name == "OnSensorFile" else set()
        )  # others import it lazily
        assert set(ran.stdout.split()) <= allowed, name


def test_the_command_loads_a_cloud_only_where_one_is_started():
    code = (
        "import sys, cli.main; print(' '.join(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    heavy = {"boto3", "botocore", "matplotlib", "moto", "onnxruntime", "sklearn", "torch"}
    assert not heavy & set(ran.stdout.split())


def test_every_field_of_a_workload_is_documented():
    def fields(model: type[BaseModel]) -> set[str]:
        out = set()
        for name, field in model.model_fields.items():
            out.add(name)
            for module, inner in re.findall(
                r"(signalbox\.contracts\.\w+)\.(\w+)", str(field.annotation)
            ):
                out |= fields(getattr(importlib.import_module(module), inner))
        return out

    text = (ROOT / "docs" / "workloads.md").read_text(encoding="utf-8")
    names = fields(workload.Workload)
    assert len(names) > 20
    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()
