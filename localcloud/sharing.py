"""What crosses the seams about model cards and resource shares; `localcloud.wiring` has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Asked:
    """One request about model cards or resource shares.

    Attributes:
        operation: botocore's name of it.
        members: what it says, without what it leaves out.
        account: the account it is made in.
        access_key: whose it is; None if it carries none.
    """

    operation: str
    members: Mapping[str, Any]
    account: str
    access_key: str | None = None


@dataclass
class CardVersion:
    """One version of a model card; instants are epoch seconds."""

    number: int
    content: str
    status: str
    created: float
    modified: float


@dataclass
class Card:
    """A model card as it is kept in moto, which adds, lists and removes its tags.

    Attributes:
        name: unique in its account.
        arn: the card's ARN.
        account: whose it is.
        created: epoch seconds.
        security: SecurityConfig, empty if it has none.
        tags: as the API writes them.
        versions: the oldest first.
        exports: export jobs by name, each what DescribeModelCardExportJob answers, instants as
            epoch seconds.
    """

    name: str
    arn: str
    account: str
    created: float
    security: dict[str, Any] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    versions: list[CardVersion] = field(default_factory=list)
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def latest(self) -> CardVersion:
        """The newest version."""
        return self.versions[-1]


class Sharing(Protocol):
    """What the local cloud does about model cards and AWS RAM."""

    def model_card(self, asked: Asked) -> dict[str, Any]:
        """A request of SageMaker about model cards: returns the answer.

        Raises:
            Refused: the service's error.
        """

    def resource_share(self, asked: Asked) -> dict[str, Any]:
        """A request of AWS RAM: returns the answer as JSON data, instants as epoch seconds.

        Raises:
            Refused: the service's error.
        """
