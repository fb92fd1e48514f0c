"""Least privilege over the whole suite: what all its clouds used, set against what is granted.

Two workers share the suite, so each hands in what its clouds used when it ends, and the last word is
said when both are done. After a part of the suite there is nothing to say.
"""

from __future__ import annotations

import ast
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from localcloud.iam import Grant
from tests.pace import SOAK
from tests.reviewed_grants import reason

E2E = Path(__file__).resolve().parent / "e2e"


@dataclass
class Permissions:
    """What the template grants, and what every cloud of this session made use of."""

    granted: set[Grant] = field(default_factory=set)
    used: set[Grant] = field(default_factory=set)

    def complaints(self) -> list[str]:
        """What is granted and never used, or reviewed as never used and yet used."""
        unused = [each for each in self.granted - self.used if not reason(each)]
        idle = [each for each in self.used if reason(each)]
        return sorted(
            [f"granted and never used: {each}" for each in unused]
            + [f"reviewed as never used, but used: {each}" for each in idle]
        )

    def hand_in(self, other: tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]) -> None:
        """Add what a worker saw."""
        self.granted |= {Grant(*each) for each in other[0]}
        self.used |= {Grant(*each) for each in other[1]}


def in_suite() -> set[str]:
    """Every test function of the end-to-end suite, but those that only the soak runs."""
    return {
        f"{path.name}::{node.name}"
        for path in E2E.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and (SOAK or not any("mark.soak" in ast.unparse(each) for each in node.decorator_list))
    }


class LeastPrivilege:
    """The plugin: gathers in a worker, judges where the session is held."""

    def __init__(self) -> None:
        self.seen = Permissions()
        self.whole = False
        self.said: list[str] | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See whether all of the end-to-end suite is asked for."""
        asked = {
            f"{item.path.name}::{item.originalname}"
            for item in session.items
            if isinstance(item, pytest.Function)
        }
        self.whole = not in_suite() - asked

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker saw."""
        output = getattr(node, "workeroutput", None) or {}
        if "permissions" in output:
            self.seen.hand_in(output["permissions"])
            self.whole = output["whole"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand in, or judge."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["permissions"] = [
                [astuple(each) for each in grants] for grants in (self.seen.granted, self.seen.used)
            ]
            output["whole"] = self.whole
        elif self.whole and self.seen.granted:
            self.said = self.seen.complaints()
            if self.said:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what came of it."""
        if self.said is None:
            return
        terminalreporter.section("least privilege")
        for complaint in self.said:
            terminalreporter.line(complaint, red=True)
        seen = self.seen
        terminalreporter.line(
            f"{len(seen.granted)} grants, {len(seen.granted & seen.used)} used, "
            f"{len(self.said)} to mend"
        )
