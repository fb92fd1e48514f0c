"""Model cards in moto: it keeps them and their tags; everything else about them is from here.

moto's own take any text for content, make a version of a change of status, know no ARN of another
account, and are never exported. Citations: the operations' pages of the SageMaker API Reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.models import sagemaker_backends

from localcloud.cuts import Seam
from localcloud.seams.requests import call_of
from localcloud.sharing import Asked, Card
from localcloud.wiring import Hooks

_OPERATIONS = {
    "CreateModelCard": "(self)",
    "CreateModelCardExportJob": None,
    "DeleteModelCard": "(self)",
    "DescribeModelCard": "(self)",
    "DescribeModelCardExportJob": None,
    "ListModelCardExportJobs": None,
    "ListModelCardVersions": "(self)",
    "ListModelCards": "(self)",
    "UpdateModelCard": "(self)",
}


class Cards:
    """The model cards of every account in one region.

    Args:
        region: the region.
    """

    def __init__(self, region: str) -> None:
        self._region = region

    def of(self, account: str) -> dict[str, Card]:
        """The cards of an account by name: moto's own mapping, to be changed in place."""
        cards: dict[str, Card] = sagemaker_backends[account][self._region].model_cards
        return cards

    def find(self, arn: str) -> Card | None:
        """The card of an ARN, or the one that an export job's ARN begins with; None if none."""
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[3] != self._region or not parts[5].startswith("model-card/"):
            return None
        return self.of(parts[4]).get(parts[5].split("/")[1])

    def everyone(self) -> Iterator[Card]:
        """Every card of every account."""
        for account in list(sagemaker_backends):
            yield from list(self.of(account).values())


def asked_of(response: Any) -> Asked:
    """The request that a response of moto answers."""
    call = call_of(response)
    members = {name: value for name, value in call.params().items() if value is not None}
    return Asked(call.operation(), members, call.account, call.access_key)


def _answer(hooks: Hooks, *rest: Any) -> Any:
    self = rest[-1]  # after moto's own, where it has one
    return ActionResult(hooks.model_card(asked_of(self)))


SEAMS = tuple(
    Seam(
        "moto.sagemaker.responses:SageMakerResponse",
        camelcase_to_underscores(operation),
        looks,
        _answer,
    )
    for operation, looks in _OPERATIONS.items()
)
