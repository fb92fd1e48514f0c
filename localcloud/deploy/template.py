"""Reading the built template: YAML with CloudFormation's short forms, and where things stand."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from localcloud.errors import DeployError

SECTIONS = (
    "AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Mappings", "Metadata",
    "Outputs", "Parameters", "Resources", "Transform",
)  # fmt: skip
SAM = "AWS::Serverless-2016-10-31"


class _Loader(yaml.CSafeLoader):
    """SafeLoader (libyaml's, ten times as fast) that knows !Ref, !Sub and the other short forms."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# a date such as 2012-10-17 (a policy's Version) is text in CloudFormation
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


class Lines:
    """Where resources and their properties stand in the built template (1-based lines)."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._lines: dict[tuple[str, ...], int] = {}
        if root is not None:
            self._walk(root, ())

    def of(self, logical_id: str, prop: str | None = None) -> int | None:
        """The line of a resource, or of the innermost part of a property that is written there.

        What SAM generates is looked for under the longest resource name that begins its own.
        """
        path = ["Resources", logical_id]
        if prop:
            path += ["Properties", *(part.partition("[")[0] for part in prop.split("."))]
        while len(path) > 1:
            if tuple(path) in self._lines:
                return self._lines[tuple(path)]
            path.pop()
        ids = (key[1] for key in self._lines if len(key) == 2 and key[0] == "Resources")
        begins = [each for each in ids if logical_id.startswith(each)]
        return self._lines[("Resources", max(begins, key=len))] if begins else None

    def _walk(self, node: yaml.Node, path: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode) and len(path) < 6:
            for key, value in node.value:
                inner = (*path, str(key.value))
                self._lines[inner] = key.start_mark.line + 1
                self._walk(value, inner)


def read_template(path: Path) -> tuple[dict[str, Any], Lines]:
    """The template as plain data with long-form functions, and the lines its parts stand on.

    Raises:
        DeployError: there is no template, it is not YAML, or it has a section nobody here reads.
    """
    if not path.is_file():
        raise DeployError(f"there is no built template at {path}: run `make build` first")
    try:
        template, lines = _read(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DeployError(f"{path} is not YAML: {error}") from error
    if not isinstance(template, Mapping) or not isinstance(template.get("Resources"), Mapping):
        raise DeployError(f"{path} has no Resources")
    for section in template:
        if section not in SECTIONS:
            raise DeployError(f"section {section!r} of the template is not supported")
    if template.get("Transform", SAM) != SAM:
        raise DeployError(f"transform {template['Transform']!r} is not supported, only {SAM}")
    return copy.deepcopy(dict(template)), lines


@lru_cache(maxsize=8)  # a fresh cloud a test is common
def _read(text: str) -> tuple[Any, Lines]:
    loader = _Loader(text)
    root = loader.get_single_node()
    return (loader.construct_document(root) if root is not None else None), Lines(root)
