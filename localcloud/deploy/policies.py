"""Policy documents in the template: read now, so that an error names the resource and the line."""

from __future__ import annotations

from typing import Any

from localcloud.deploy.props import Props
from localcloud.iam.documents import read_policy
from localcloud.iam.errors import InvalidPolicy


def policy(props: Props, name: str, *, identity: bool = False) -> Any:
    """A policy document that the guard can judge by.

    Raises:
        DeployError: it says something that is not known here.
    """
    document = props.need(name)
    try:
        read_policy(document, name, identity=identity)
    except InvalidPolicy as error:
        raise props.error(name, str(error)) from error
    return document
