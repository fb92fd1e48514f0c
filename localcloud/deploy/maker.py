"""What a resource type's maker has at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.clients import admin_client
from localcloud.deploy.stack import Stack
from localcloud.package import Artefact
from localcloud.seams import State


@dataclass(frozen=True)
class Maker:
    """The surroundings of one resource while it is made.

    Attributes:
        logical_id: its name in the template.
        account: the account id.
        region: the region.
        stack: what was deployed before it.
        artefacts: packaged folders by S3 URI.
        state: moto's state, for what boto3 cannot do.
    """

    logical_id: str
    account: str
    region: str
    stack: Stack
    artefacts: Mapping[str, Artefact]
    state: State

    def client(self, service: str) -> Any:
        """The administrator's boto3 client."""
        return admin_client(service, self.region)

    def name(self, longest: int = 64, *, lower: bool = False) -> str:
        """The physical name: `<stack>-<LogicalId>`, the same at every deployment.

        A name over the service's limit is cut and ends in a hash of the whole.
        """
        name = f"{self.stack.name}-{self.logical_id}"
        name = name.lower() if lower else name
        if len(name) <= longest:
            return name
        return f"{name[: longest - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
