"""A promoted model's deploy pipeline is called, at most once for each promotion.

Neither GitLab's trigger nor GitHub's dispatch knows a key by which it would drop a repeat. So a note
stands before the call; who finds one without an outcome cannot know whether the call came through, does
not call again, and says so. The promotion's name goes along, so that it can be looked up there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signalbox.contracts.operations import Deploy, Operations
from signalbox.contracts.own import ModelPromoted
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import deploy_call_failed, deploy_called
from signalbox.domain.claims import Claims
from signalbox.domain.model_mail import deploy_failed_mail
from signalbox.domain.telling import Topic
from signalbox.errors import Misconfigured, Transient

Outcome = Literal["called", "failed", "nothing", "repeated"]

LOCAL = "127.0.0.1"
_BROKE_OFF = (
    "an earlier attempt broke off, and whether it came through is not known; it is not repeated"
)


class Secrets(Protocol):
    """Where tokens lie."""

    def read(self, name: str) -> str:
        """Return a token.

        Raises:
            Misconfigured: there is none of this name, or it may not be read.
        """


class Pipelines(Protocol):
    """The services that deploy."""

    def call(self, deploy: Deploy, token: str, variables: Mapping[str, str]) -> str | None:
        """Start a pipeline; return why that did not work, or None. The token is in neither."""


def variables_of(promoted: ModelPromoted) -> dict[str, str]:
    """Return what a pipeline is told, by names that both services allow."""
    return {
        "SIGNALBOX_PROMOTION": promoted.promotion,
        "SIGNALBOX_WORKLOAD": promoted.workload,
        "SIGNALBOX_PACKAGE": promoted.package,
        "SIGNALBOX_VERSION": str(promoted.version),
        "SIGNALBOX_ENDPOINT": promoted.endpoint or "",
    }


def hosts_of(text: str) -> frozenset[str]:
    """Return the hosts that may be called, given as a list with commas.

    >>> sorted(hosts_of("gitlab.example.com, api.github.com,"))
    ['api.github.com', 'gitlab.example.com']
    """
    return frozenset(host.strip() for host in text.split(",") if host.strip())


def allowed(host: str, hosts: Collection[str]) -> bool:
    """Whether a host may be called: it is named, with its port; of this machine every port may be.

    >>> allowed("127.0.0.1:8080", {"127.0.0.1"}), allowed("a.example.com:1", {"a.example.com"})
    (True, False)
    """
    return host in hosts or (LOCAL in hosts and host.partition(":")[0] == LOCAL)


@dataclass(frozen=True, slots=True)
class Deploying:
    """Everything a promoted model meets; ``operations`` are those of all workloads that have some."""

    operations: Mapping[str, Operations]
    hosts: Collection[str]
    claims: Claims
    secrets: Secrets
    pipelines: Pipelines
    topic: Topic
    bus: Bus

    def deploy(self, promoted: ModelPromoted, now: datetime) -> Outcome:
        """Call the deploy pipeline of a promoted model.

        Raises:
            Transient: somebody else is calling it right now, or its token cannot be read right now.
        """
        operations = self.operations.get(promoted.workload)
        if operations is None or operations.deploy is None:
            return "nothing"
        token, why_none = self._token(operations.deploy)
        attempt = f"{promoted.promotion}#{promoted.began.isoformat()}"
        key = f"promotion#{promoted.workload}", f"deploy#{attempt}"
        claim = self.claims.claim(*key, now)
        if claim.state == "done":
            return "repeated"
        if claim.state == "busy":
            raise Transient(f"the deploy pipeline for {promoted.promotion} is being called")
        why = claim.outcome
        if why is None:
            broke_off = _BROKE_OFF if claim.state == "inherited" else ""
            why = broke_off or why_none or self._called(operations.deploy, token, promoted)
            self.claims.keep(*key, why)
        self._say(operations, operations.deploy, promoted, why)
        self.claims.done(*key, now)
        return "failed" if why else "called"

    def _token(self, deploy: Deploy) -> tuple[str, str]:
        """The token and "", or "" and why there is none; read before anything is claimed."""
        if not allowed(deploy.host, self.hosts):
            return "", f"{deploy.host} is none of the hosts that template.yaml allows (DeployHosts)"
        try:
            return self.secrets.read(deploy.secret), ""
        except Misconfigured as problem:
            return "", f"its token cannot be read: {problem}"

    def _called(self, deploy: Deploy, token: str, promoted: ModelPromoted) -> str:
        """Why the pipeline was not called, "" if it was."""
        return self.pipelines.call(deploy, token, variables_of(promoted)) or ""

    def _say(
        self, operations: Operations, deploy: Deploy, promoted: ModelPromoted, why: str
    ) -> None:
        if not why:
            self.bus.emit(deploy_called(promoted, deploy))
            return
        event = deploy_call_failed(promoted, deploy, why)
        self.bus.emit(event)
        self.topic.publish(deploy_failed_mail(event, operations))
