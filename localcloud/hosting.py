"""What crosses the seams about models and endpoints of SageMaker; `localcloud.wiring` has the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Invocation:
    """One InvokeEndpoint(Async): the endpoint, the other members of the request, and its body."""

    account: str
    endpoint: str
    asked: Mapping[str, Any]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What InvokeEndpoint(Async) answers: status, headers and body of HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Hosting(Protocol):
    """What the local cloud does about models and endpoints.

    `facts` are what Describe answers, from the request; those of an endpoint follow it from then on.
    """

    def create_model(self, facts: dict[str, Any]) -> None:
        """SageMaker's CreateModel.

        Raises:
            RefusedError: it asks for what is not played.
        """

    def create_endpoint_config(self, facts: dict[str, Any]) -> None:
        """SageMaker's CreateEndpointConfig.

        Raises:
            RefusedError: it asks for what is not played, or its model is not there.
        """

    def create_endpoint(self, facts: dict[str, Any], config: Mapping[str, Any]) -> None:
        """SageMaker's CreateEndpoint with what DescribeEndpointConfig answers.

        Raises:
            RefusedError: it asks for what is not played.
        """

    def update_endpoint(
        self, facts: dict[str, Any], asked: Mapping[str, Any], config: Mapping[str, Any]
    ) -> None:
        """SageMaker's UpdateEndpoint: the endpoint's facts, the request and its configuration.

        Raises:
            RefusedError: the endpoint is not InService, or it asks for what is not played.
        """

    def delete_endpoint(self, facts: dict[str, Any], forget: Callable[[], None]) -> None:
        """SageMaker's DeleteEndpoint; `forget` makes the endpoint unknown, once it has ended.

        Raises:
            RefusedError: the endpoint changes just now.
        """

    def invoke_endpoint(self, invocation: Invocation) -> Answer:
        """SageMaker Runtime's InvokeEndpoint."""

    def invoke_endpoint_async(self, invocation: Invocation) -> Answer:
        """SageMaker Runtime's InvokeEndpointAsync."""
