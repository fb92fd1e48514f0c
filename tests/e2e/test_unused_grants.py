"""Least privilege, the other way round: what the template grants, the suite makes use of."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT
from tests.reviewed_grants import reason


def in_suite() -> set[str]:
    """Every test function of the end-to-end suite."""
    names = set()
    for path in (ROOT / "tests" / "e2e").glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                names.add(f"{path.name}::{node.name}")
    return names


def test_nothing_is_granted_that_the_suite_never_uses(request, permissions):
    ran = {
        f"{i.path.name}::{i.originalname}"
        for i in request.session.items
        if hasattr(i, "originalname")
    }
    if missing := in_suite() - ran:
        pytest.skip(
            f"says nothing after a part of the suite: {len(missing)} tests were not asked for"
        )
    unused = [each for each in permissions.granted if each not in permissions.used]
    unreviewed = [each for each in unused if not reason(each)]
    assert not unreviewed, "granted and never used:\n" + "\n".join(map(str, unreviewed))
    idle = [each for each in permissions.used if reason(each)]
    assert not idle, "reviewed as never used, but used:\n" + "\n".join(map(str, idle))
