"""SageMaker's model registry: groups of model packages, their versions, and what it tells of them.

Citations: CreateModelPackage, UpdateModelPackage, DescribeModelPackage and the operations on groups
of the SageMaker API Reference; "SageMaker model package state change" in "Events that Amazon
SageMaker AI sends to Amazon EventBridge" of its Developer Guide: a package tells when it is made and
at every update, a group never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from localcloud.bus import Bus
from localcloud.engines import constraints
from localcloud.engines.paging import ordered, page, within
from localcloud.operations import Answers, Asked, Shelf
from localcloud.wiring import Refused
from localcloud.world import World, iso_seconds

_GROUPS, _PACKAGES = "model_package_groups", "model_packages"
_EVENT = "SageMaker Model Package State Change"
_REPLACED = (
    "ApprovalDescription", "InferenceSpecification", "ModelApprovalStatus", "ModelCard",
    "ModelLifeCycle", "ModelPackageRegistrationType", "SourceUri",
)  # fmt: skip
_UNPLAYED = ("ManagedStorageType", "SecurityConfig", "SourceAlgorithmSpecification",
             "ValidationSpecification")  # fmt: skip
_SUMMARY = (
    "ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn",
    "ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus",
    "ModelLifeCycle", "ModelPackageRegistrationType",
)  # fmt: skip
_GROUP_SUMMARY = (
    "ModelPackageGroupName", "ModelPackageGroupArn", "ModelPackageGroupDescription",
    "CreationTime", "ModelPackageGroupStatus",
)  # fmt: skip
_NEWEST = "newest"  # a version number is not given twice; kept beside what Describe answers


class Registry:
    """The registry of every account.

    Args:
        world: the cloud.
        bus: where changes of packages go.
    """

    def __init__(self, world: World, bus: Bus) -> None:
        self._world = world
        self._bus = bus

    def answers(self) -> Mapping[str, Answers]:
        """Who answers which operation."""
        looks: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": lambda asked: _shown(_group(asked)),
            "ListModelPackageGroups": _list_groups,
            "DeleteModelPackageGroup": _delete_group,
            "DescribeModelPackage": lambda asked: dict(_package(asked, "ModelPackageName")),
            "ListModelPackages": _list_packages,
            "DeleteModelPackage": _delete_package,
        }

        def looking(look: Callable[[Asked], dict[str, Any]]) -> Answers:
            def answered(asked: Asked, cause: int | None) -> dict[str, Any]:
                del cause
                constraints.check(asked.operation, asked.params)
                return look(asked)

            return answered

        return {
            **{name: looking(look) for name, look in looks.items()},
            "CreateModelPackage": self._create,
            "UpdateModelPackage": self._update,
        }

    def _create_group(self, asked: Asked) -> dict[str, Any]:
        params, shelf = asked.params, asked.shelf(_GROUPS)
        name = str(params["ModelPackageGroupName"])
        arn = self._arn(asked, f"model-package-group/{name}")
        if shelf.find(name) is not None:
            raise _invalid(f"Model Package Group already exists: {arn}")
        facts = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn,
            "CreationTime": self._world.clock.now(),
            "ModelPackageGroupStatus": "Completed",
            "CreatedBy": {},
            _NEWEST: 0,
        }
        if "ModelPackageGroupDescription" in params:
            facts["ModelPackageGroupDescription"] = params["ModelPackageGroupDescription"]
        shelf.put(name, arn, facts, params.get("Tags") or [])
        return {"ModelPackageGroupArn": arn}

    def _create(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        params = asked.params
        constraints.check(asked.operation, params)
        for name in _UNPLAYED:
            if params.get(name):
                raise _invalid(f"{name} is not supported by the local cloud")
        if bool(params.get("ModelPackageName")) == bool(params.get("ModelPackageGroupName")):
            raise _invalid("exactly one of ModelPackageName and ModelPackageGroupName is needed")
        shelf = asked.shelf(_PACKAGES)
        named = self._version(asked) if "ModelPackageGroupName" in params else self._single(asked)
        now = self._world.clock.now()
        leave = {"ClientToken", "ModelPackageGroupName", "ModelPackageName", "Tags"}
        facts = {
            **named,
            **{name: value for name, value in params.items() if name not in leave},
            "CreationTime": now,
            "LastModifiedTime": now,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": bool(params.get("CertifyForMarketplace")),
        }
        if "ModelPackageVersion" in named:
            facts.setdefault("ModelApprovalStatus", "PendingManualApproval")
        shelf.put(
            facts["ModelPackageArn"], facts["ModelPackageArn"], facts, params.get("Tags") or []
        )
        self._tell(facts, [], cause)
        return {"ModelPackageArn": facts["ModelPackageArn"]}

    def _version(self, asked: Asked) -> dict[str, Any]:
        group = _group(asked)
        if asked.params.get("Tags"):
            raise _invalid("Tags of a versioned model package are those of its group")
        group[_NEWEST] += 1
        name, version = group["ModelPackageGroupName"], group[_NEWEST]
        arn = self._arn(asked, f"model-package/{name}/{version}")
        return {
            "ModelPackageGroupName": name,
            "ModelPackageName": name,
            "ModelPackageVersion": version,
            "ModelPackageArn": arn,
        }

    def _single(self, asked: Asked) -> dict[str, Any]:
        name = str(asked.params["ModelPackageName"])
        arn = self._arn(asked, f"model-package/{name}")
        if asked.shelf(_PACKAGES).find(arn) is not None:
            raise _invalid(f"Model Package already exists: {arn}")
        return {"ModelPackageName": name, "ModelPackageArn": arn}

    def _update(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        params = asked.params
        constraints.check(asked.operation, params)
        facts = _package(asked, "ModelPackageArn")
        changed = [name for name in _REPLACED if name in params]
        facts.update({name: params[name] for name in changed})
        added = params.get("CustomerMetadataProperties") or {}
        removed = params.get("CustomerMetadataPropertiesToRemove") or []
        if added or removed:
            own = {**facts.get("CustomerMetadataProperties", {}), **added}
            left = {key: value for key, value in own.items() if key not in removed}
            facts["CustomerMetadataProperties"] = left
            changed.append("CustomerMetadataProperties")
        if more := params.get("AdditionalInferenceSpecificationsToAdd"):
            kept = facts.get("AdditionalInferenceSpecifications", [])
            facts["AdditionalInferenceSpecifications"] = [*kept, *more]
            changed.append("AdditionalInferenceSpecifications")
        facts["LastModifiedTime"] = self._world.clock.now()
        self._tell(facts, sorted(changed), cause)
        return {"ModelPackageArn": facts["ModelPackageArn"]}

    def _tell(self, facts: Mapping[str, Any], changed: list[str], cause: int | None) -> None:
        leave = {"ModelCard", *(("ModelPackageName",) if "ModelPackageVersion" in facts else ())}
        detail = _plain({key: value for key, value in facts.items() if key not in leave})
        if changed:
            detail["UpdatedModelPackageFields"] = changed
        arn = str(facts["ModelPackageArn"])
        self._bus.publish(
            "aws.sagemaker", _EVENT, detail, resources=[arn], cause=cause,
            account=arn.split(":")[4],
        )  # fmt: skip

    def _arn(self, asked: Asked, resource: str) -> str:
        return f"arn:aws:sagemaker:{self._world.region}:{asked.account}:{resource}"


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


def _group(asked: Asked) -> dict[str, Any]:
    given = str(asked.params["ModelPackageGroupName"])
    facts = asked.shelf(_GROUPS).find(given.rpartition("/")[2])
    if facts is None:
        raise _invalid(f"ModelPackageGroup {given} does not exist.")
    return facts


def _shown(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != _NEWEST}


def _package(asked: Asked, member: str) -> dict[str, Any]:
    """By ARN, or by name where it is no version of a group."""
    given, shelf = str(asked.params[member]), asked.shelf(_PACKAGES)
    facts = shelf.find(given) if given.startswith("arn:") else _by_name(shelf, given)
    if facts is None:
        raise _invalid(f"ModelPackage {given} does not exist.")
    return facts


def _by_name(shelf: Shelf, name: str) -> dict[str, Any] | None:
    single = (each for each in shelf.all() if "ModelPackageVersion" not in each)
    return next((each for each in single if each["ModelPackageName"] == name), None)


def _list_packages(asked: Asked) -> dict[str, Any]:
    params, group = asked.params, asked.params.get("ModelPackageGroupName")
    kind = str(params.get("ModelPackageType") or ("Versioned" if group else "Unversioned"))
    group = None if group is None else str(group).rpartition("/")[2]

    def wanted(facts: Mapping[str, Any]) -> bool:
        versioned = "ModelPackageVersion" in facts
        return (
            (kind == "Both" or versioned == (kind == "Versioned"))
            and (group is None or facts.get("ModelPackageGroupName") == group)
            and str(params.get("NameContains") or "") in facts["ModelPackageName"]
            and params.get("ModelApprovalStatus") in {None, facts.get("ModelApprovalStatus")}
            and within(facts, params, "CreationTimeAfter", "CreationTimeBefore")
        )

    found = [each for each in asked.shelf(_PACKAGES).all() if wanted(each)]
    keys = {"CreationTime": "CreationTime", "Name": "ModelPackageName"}
    return page("ModelPackageSummaryList", ordered(found, params, keys), params, _summary)


def _summary(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in _SUMMARY if name in facts}


def _list_groups(asked: Asked) -> dict[str, Any]:
    params = asked.params
    found = [
        each
        for each in asked.shelf(_GROUPS).all()
        if str(params.get("NameContains") or "") in each["ModelPackageGroupName"]
        and within(each, params, "CreationTimeAfter", "CreationTimeBefore")
    ]
    keys = {"CreationTime": "CreationTime", "Name": "ModelPackageGroupName"}

    def summary(facts: Mapping[str, Any]) -> dict[str, Any]:
        return {name: facts[name] for name in _GROUP_SUMMARY if name in facts}

    return page("ModelPackageGroupSummaryList", ordered(found, params, keys), params, summary)


def _delete_package(asked: Asked) -> dict[str, Any]:
    facts = _package(asked, "ModelPackageName")
    asked.shelf(_PACKAGES).drop(facts["ModelPackageArn"])
    return {}


def _delete_group(asked: Asked) -> dict[str, Any]:
    """A group must be empty."""
    name = _group(asked)["ModelPackageGroupName"]
    packages = asked.shelf(_PACKAGES).all()
    if any(each.get("ModelPackageGroupName") == name for each in packages):
        raise Refused("ConflictException", f"Model Package Group {name} is not empty")
    asked.shelf(_GROUPS).drop(name)
    return {}


def _plain(value: Any) -> Any:
    """A value with every instant in it as an event has it: 2021-02-24T17:00:14Z."""
    if isinstance(value, datetime):
        return iso_seconds(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
