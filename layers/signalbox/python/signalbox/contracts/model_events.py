"""The events of the house about models: pending, promoted, deployed or not (``signalbox.contracts.own``)."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from signalbox.contracts.own_event import Count, OwnEvent


class ModelPendingApproval(OwnEvent):
    """A model package waits for somebody's decision, and its owner was told.

    ``approved`` is the package that counts now, ``approved_metrics`` are its numbers; none if there is none.
    """

    workload: str
    package: str
    version: Count
    retuned: bool
    metrics: dict[str, float]
    approved: str | None
    approved_metrics: dict[str, float]


class ModelPromoted(OwnEvent):
    """A model is in service: it is the latest approved one, and answers where there is an endpoint.

    ``promotion`` is its name everywhere, with ``began`` that of this attempt; ``endpoint`` None where the
    workload has none; ``former`` the package that was promoted before.
    """

    workload: str
    promotion: str
    began: AwareDatetime
    package: str
    version: Count
    run: str | None
    endpoint: str | None
    former: str | None


class PromotionFailed(OwnEvent):
    """A model did not come into service; ``serving`` is the endpoint configuration that answers.

    ``serving`` None: nothing does, because nothing did before.
    """

    workload: str
    promotion: str
    package: str
    version: Count
    endpoint: str
    serving: str | None
    reason: str


class DeployCalled(OwnEvent):
    """The deploy pipeline of a promoted model was called, and took the call."""

    workload: str
    promotion: str
    package: str
    service: Literal["gitlab", "github"]
    host: str
    project: str


class DeployCallFailed(OwnEvent):
    """The deploy pipeline of a promoted model could not be called; the model is in service even so."""

    workload: str
    promotion: str
    package: str
    service: Literal["gitlab", "github"]
    host: str
    project: str
    reason: str
