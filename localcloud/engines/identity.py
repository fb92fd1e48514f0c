"""As whom a program runs: credentials of its role, clients that use them, and its environment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from localcloud.clients import CONFIG, session_with
from localcloud.world import World


def credentials(world: World, role: str, session: str, record: int) -> dict[str, str]:
    """Of a role, as the service would assume it; what they do is caused by a record."""
    given: dict[str, str] = world.client("sts").assume_role(RoleArn=role, RoleSessionName=session)[
        "Credentials"
    ]
    world.callers[given["AccessKeyId"]] = record
    return given


def clients(world: World, given: Mapping[str, str]) -> Callable[[str], Any]:
    """Makes boto3 clients with credentials."""

    def client(service: str) -> Any:
        session = session_with(
            world.region, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )
        return session.client(service, config=CONFIG)

    return client


def environment(world: World, given: Mapping[str, str], home: Path) -> dict[str, str]:
    """What every program finds in its environment."""
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_DEFAULT_REGION": world.region,
        "AWS_ENDPOINT_URL": world.endpoint(),
        "AWS_REGION": world.region,
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "OMP_WAIT_POLICY": "PASSIVE",  # programs share the cores that each would have to itself
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": "UTC",
    }
