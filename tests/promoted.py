"""A small world of model packages and one endpoint, for tests of approval and promotion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from signalbox.contracts.alerts import Message
from signalbox.contracts.operations import Operations
from signalbox.contracts.packages import (
    APPROVED,
    PENDING,
    REJECTED,
    ModelPackageChange,
    Package,
    Smoke,
    promotion_of,
)
from signalbox.contracts.promotion import Promotion, Standing
from signalbox.contracts.registry import group_of
from signalbox.domain.approving import Approval
from signalbox.domain.claims import LEASE, Claim
from signalbox.domain.endpoints import Endpoint
from signalbox.domain.in_service import InService
from signalbox.domain.promoting import Promoting
from signalbox.errors import Transient
from tests.fakes import BUCKET, NOON, Fuse, HeardBus, InMemoryObjects, sample

RUN = "5d0c2f0e9a6b4c7d8e1f2a3b4c5d6e7f"
SMOKE = {"content_type": "text/csv", "body": "1,2\n", "accept": "text/csv"}
DEPLOY = {
    "service": "gitlab", "host": "gitlab.example.com", "project": "42", "secret": "signalbox/gitlab",
}  # fmt: skip


def arn(version: int, workload: str = "hvac") -> str:
    place = "arn:aws:sagemaker:eu-west-1:123456789012:model-package"
    return f"{place}/{group_of(workload)}/{version}"


def registered(version: int, **changes: Any) -> Package:
    """A version that was approved and has all that a batch run needs."""
    made = Package(
        arn=arn(version), status="Completed", approval=APPROVED, statistics=f"s3://b/{version}/evaluation.json",
        artifacts=(f"s3://b/{version}/model.tar.gz",), constraints=f"s3://b/{version}/constraints.json",
    )  # fmt: skip
    return made.model_copy(update=changes)


def operations(**changes: Any) -> Operations:
    told = {"owner": "models@example.com", "card": {"purpose": "foretell faults"}}
    return Operations.model_validate(told | changes)


def evaluation(**metrics: float) -> bytes:
    told = {name: {"value": value, "standard_deviation": "NaN"} for name, value in metrics.items()}
    return json.dumps({"regression_metrics": told}).encode()


def change_of(package: Package, approval: str | None = None, **envelope: Any) -> ModelPackageChange:
    """What SageMaker says of a package, or once said."""
    event = sample("aws.sagemaker/model-package-state-change.json") | envelope
    event["detail"] |= {
        "ModelPackageArn": package.arn,
        "ModelPackageGroupName": package.group,
        "ModelPackageVersion": package.version,
        "ModelApprovalStatus": approval or package.approval,
    }
    return ModelPackageChange.model_validate(event)


@dataclass
class InMemoryRegistry:
    """Packages by ARN."""

    fuse: Fuse = field(default_factory=Fuse)
    packages: dict[str, Package] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def find(self, arn: str) -> Package | None:
        return self.packages.get(arn)

    def approved(self, group: str) -> list[Package]:
        own = [p for p in self.packages.values() if (p.group, p.approval) == (group, APPROVED)]
        return sorted(own, key=lambda each: -each.version)

    def put_back(self, package: Package, why: str) -> None:
        with self.fuse.around():
            self.set(package.arn, approval=PENDING)

    def reject(self, package: Package, why: str) -> None:
        with self.fuse.around():
            self.set(package.arn, approval=REJECTED)
            self.reasons[package.arn] = why

    def set(self, arn: str, **changes: Any) -> Package:
        self.packages[arn] = self.packages[arn].model_copy(update=changes)
        return self.packages[arn]


@dataclass
class InMemoryEndpoints:
    """Endpoints by name; what is asked of one happens when `rest` lets it come to rest."""

    fuse: Fuse = field(default_factory=Fuse)
    there: dict[str, Endpoint] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    prepared: set[str] = field(default_factory=set)
    updates: list[tuple[str, bool]] = field(default_factory=list)
    invoked: list[tuple[str, Smoke]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)  # by configuration: why not
    changes: int = 0

    def look(self, name: str) -> Endpoint | None:
        return self.there.get(name)

    def prepare(self, package: str, config: str) -> None:
        with self.fuse.around():
            self.prepared.add(config)

    def create(self, name: str, config: str) -> None:
        assert config in self.prepared
        with self.fuse.around():
            if name not in self.there:
                self.asked[name] = config
                self.put(name, "Creating", config)

    def update(self, name: str, config: str, *, guarded: bool) -> None:
        with self.fuse.around():
            found = self.there[name]
            if found.status != "InService":
                raise Transient(f"{name} is {found.status}")
            self.asked[name] = config
            self.updates.append((config, guarded))
            self.put(name, "Updating", found.config)

    def delete(self, name: str) -> None:
        with self.fuse.around():
            if name in self.there and self.there[name].status != "Deleting":
                self.put(name, "Deleting", self.there[name].config)

    def invoke(self, name: str, sample: Smoke) -> str | None:
        self.invoked.append((self.there[name].config, sample))
        return self.answers.get(self.there[name].config)

    def put(self, name: str, status: str, config: str, reason: str = "") -> None:
        self.changes += 1
        self.there[name] = Endpoint(status, config, f"change {self.changes}", reason)

    def rest(self, name: str, *, healthy: bool = True) -> None:
        """Let what was asked for happen."""
        found = self.there[name]
        if found.status == "Deleting":
            del self.there[name]
        elif healthy:
            self.put(name, "InService", self.asked[name])
        elif found.status == "Creating":
            self.put(name, "Failed", self.asked[name], "did not pass the ping health check")
        else:
            self.put(name, "InService", found.config, "the model is broken")


@dataclass
class InMemoryPromotions:
    """Standings, ends and claims."""

    fuse: Fuse = field(default_factory=Fuse)
    standings: dict[str, Standing] = field(default_factory=dict)
    ends: dict[tuple[str, str], Promotion] = field(default_factory=dict)
    claims: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def standing(self, workload: str) -> Standing:
        return self.standings.get(workload, Standing())

    def change(self, workload: str, before: Standing, **changes: Any) -> Standing:
        with self.fuse.around():
            if self.standing(workload).revision != before.revision:
                raise Transient(f"{workload} was changed by somebody else")
            after = before.model_copy(update={**changes, "revision": before.revision + 1})
            self.standings[workload] = after
        return after

    def ended(self, workload: str, promotion: Promotion) -> None:
        with self.fuse.around():
            self.ends[workload, promotion_of(promotion.package)] = promotion

    def promotion(self, workload: str, package: str) -> Promotion | None:
        return self.ends.get((workload, promotion_of(package)))

    def claim(self, about: str, what: str, now: datetime) -> Claim:
        with self.fuse.around():
            known = self.claims.setdefault((about, what), {})
            if not known:
                known["at"] = now
                return Claim("mine")
            if "done" in known:
                return Claim("done")
            if now - known["at"] < LEASE:
                return Claim("busy")
            known["at"] = now
            return Claim("inherited", known.get("outcome"))

    def keep(self, about: str, what: str, outcome: str) -> None:
        with self.fuse.around():
            self.claims[about, what]["outcome"] = outcome

    def done(self, about: str, what: str, now: datetime) -> None:
        with self.fuse.around():
            self.claims.setdefault((about, what), {"at": now})["done"] = now

    def forget(self, about: str, what: str) -> None:
        with self.fuse.around():
            self.claims.pop((about, what), None)


@dataclass
class HeardTopic:
    """Remembers what was published."""

    fuse: Fuse = field(default_factory=Fuse)
    messages: list[Message] = field(default_factory=list)

    def publish(self, message: Message) -> None:
        with self.fuse.around():
            self.messages.append(message)

    def statuses(self) -> list[str]:
        return [each.attributes["status"] for each in self.messages]


class World:
    """Packages, endpoint, table, topic and bus under one fuse."""

    def __init__(self, *, endpoint: bool = False, fuse: Fuse | None = None, **told: Any) -> None:
        self.fuse = fuse or Fuse()
        self.operations = {"hvac": operations(endpoint=endpoint, **told)}
        self.packages = InMemoryRegistry(self.fuse)
        self.table = InMemoryPromotions(self.fuse)
        self.endpoints = InMemoryEndpoints(self.fuse)
        self.files = InMemoryObjects()
        self.topic, self.bus = HeardTopic(self.fuse), HeardBus(self.fuse)
        self.now = NOON
        self.scored: frozenset[str] = frozenset()

    @property
    def promoting(self) -> Promoting:
        return Promoting(
            self.operations, self.packages, self.table, self.endpoints, self.files, self.table,
            self.topic, self.bus, InService(self.scored, self.packages, self.files),
        )  # fmt: skip

    @property
    def approval(self) -> Approval:
        return Approval(self.promoting, self.files)

    def register(
        self,
        version: int,
        approval: str = PENDING,
        rmse: float = 2.0,
        metrics: Mapping[str, float] | None = None,
        **changes: Any,
    ) -> Package:
        """A package with its evaluation, and a request to try it with."""
        key = f"operations/hvac/{RUN[:-1]}{version}/evaluation.json"
        self.files.put(key, evaluation(rmse=rmse, **(metrics or {})))
        self.smoke(version)
        told: dict[str, Any] = {
            "arn": arn(version), "status": "Completed", "approval": approval,
            "statistics": f"s3://{BUCKET}/{key}",
            "constraints": f"s3://{BUCKET}/operations/hvac/constraints.json",
            "artifacts": (f"s3://{BUCKET}/packages/hvac/{version}/model.tar.gz",),
            "metadata": {"workload": "hvac", "run": f"{RUN[:-1]}{version}"},
        }  # fmt: skip
        self.packages.packages[arn(version)] = Package.model_validate(told | changes)
        return self.packages.packages[arn(version)]

    def approve(self, version: int) -> str:
        """Approve a package, a minute later than the one before, and deliver its event."""
        self.now += timedelta(minutes=1)
        return self.deliver(self.packages.set(arn(version), approval=APPROVED))

    def deliver(self, package: Package, approval: str | None = None) -> str:
        return self.approval.judge(change_of(package, approval), self.now)

    def rest(self, *, healthy: bool = True) -> str:
        """The endpoint comes to rest, and its event is delivered."""
        self.endpoints.rest(group_of("hvac"), healthy=healthy)
        return self.promoting.settled(group_of("hvac"), self.now)

    def serving(self) -> str | None:
        """The configuration that answers."""
        found = self.endpoints.look(group_of("hvac"))
        return None if found is None or found.status == "Failed" else found.config

    def smoke(self, version: int, content: bytes | None = None) -> None:
        body = json.dumps(SMOKE).encode() if content is None else content
        self.files.put(f"operations/hvac/{RUN[:-1]}{version}/smoke.json", body)

    def said(self) -> list[str]:
        """Every different event, with the version it is about."""
        told = [f"{e.detail_type()} {getattr(e, 'version', '')}".strip() for e in self.bus.heard]
        return list(dict.fromkeys(told))
