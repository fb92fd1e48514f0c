"""boto3 clients of the cloud's administrator, shared by all clouds of the process.

Making a client costs 13 to 70 ms and a client keeps no state of ours, so each is made once. moto
must be imported before any client is made (its stub is one of botocore's built-in handlers):
`localcloud.cloud` does so by importing the seams.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

ADMIN_KEY = "AKIALOCALCLOUDADMIN0"  # 20 characters, as moto expects of access keys
_SECRET = "local-cloud"  # noqa: S105 - nothing checks it
# a retry would only repeat what moto has already decided
CONFIG = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})


def session_with(region: str, access_key: str, secret_key: str, token: str | None) -> Any:
    """A boto3 session with these credentials; API descriptions are read once per process."""
    core = botocore.session.Session()
    core.register_component("data_loader", _loader())
    return boto3.Session(
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        aws_session_token=token,
        region_name=region,
        botocore_session=core,
    )


def client_of(session: Any, service: str) -> Any:
    """A client of a session, for use in this process."""
    return session.client(service, config=CONFIG)


@cache
def _loader() -> Loader:
    return Loader()


@cache
def admin_client(service: str, region: str) -> Any:
    """The administrator's client of a service, for use in this process."""
    return client_of(session_with(region, ADMIN_KEY, _SECRET, None), service)
