"""A cloud deployed from resources written in the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localcloud import Cloud
from tests.integration.localcloud.builds import write_build

START = datetime(2026, 1, 1, tzinfo=UTC)
Deploy = Callable[..., Cloud]


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """deploy(resources, files={...}, parameters={...}, **cloud options) -> a deployed Cloud."""
    with ExitStack() as clouds:

        def deployed(
            resources: str,
            files: dict[str, str] | None = None,
            parameters: dict[str, Any] | None = None,
            head: str = "",
            **options: Any,
        ) -> Cloud:
            build = write_build(tmp_path, resources, files or {}, head)
            cloud = clouds.enter_context(Cloud(build=build, start=START, **options))
            cloud.deploy(parameters)
            return cloud

        yield deployed
