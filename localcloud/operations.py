"""What crosses the seams where a whole operation of SageMaker is answered here.

Pipelines, tuning jobs and the model registry: moto parses the request, keeps facts and tags, and
writes the answer; what is in it is from `localcloud.engines`. `localcloud.wiring` has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Shelf(Protocol):
    """Things of one kind in one account, by their key; `facts` are what Describe answers."""

    def find(self, key: str) -> dict[str, Any] | None:
        """The facts of one, which may be changed; None if there is none."""

    def put(self, key: str, arn: str, facts: dict[str, Any], tags: Sequence[Any] = ()) -> None:
        """Keep one, with its tags."""

    def drop(self, key: str) -> None:
        """Forget one."""

    def all(self) -> list[dict[str, Any]]:
        """The facts of all, oldest first."""


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        operation: botocore's name of it.
        account: the account it is made in.
        params: its members as botocore's model names them, without those that are empty.
        shelf: by kind (pipelines, hyper_parameter_tuning_jobs, model_packages,
            model_package_groups), what the account has of it.
    """

    operation: str
    account: str
    params: Mapping[str, Any]
    shelf: Callable[[str], Shelf]


Answers = Callable[[Asked, int | None], dict[str, Any]]
"""Answers a request, given the record behind it; raises `wiring.Refused`."""


class Operations(Protocol):
    """What the local cloud answers as a whole."""

    def answered(self, asked: Asked) -> dict[str, Any]:
        """The answer to a request, as botocore's model has it.

        Raises:
            Refused: with the error it is answered with.
        """
