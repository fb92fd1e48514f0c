"""Pipeline definitions as they are shipped: with the network and the key of a deployment, where it has them.

Parameters of a pipeline hold one text each and cannot be absent ("Pipeline parameters", SageMaker Developer
Guide), while a VpcConfig is either wholly there, with lists of 1 to 16 subnets and 1 to 5 groups, or not at
all; an empty KmsKeyId is none. So the two are written into the definition when it is shipped. They are
parameters of the template as well, since the roles of the jobs need grants for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from cli.whereabouts import BadUse
from cli.workloads import ROOT

SUBNETS, GROUPS, KEY = "PipelineSubnets", "PipelineSecurityGroups", "PipelineKmsKey"
_MOST = {SUBNETS: 16, GROUPS: 5}  # VpcConfig of the SageMaker API Reference
_BEGINS = {SUBNETS: "subnet-", GROUPS: "sg-"}


@dataclass(frozen=True, slots=True)
class Confines:
    """Where jobs of pipelines run, and the key of what they write; empty where neither is said."""

    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    key: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self:
        """Read the parameters of the template.

        Raises:
            BadUse: one is malformed, or subnets come without security groups.
        """
        subnets, groups = _listed(parameters, SUBNETS), _listed(parameters, GROUPS)
        if bool(subnets) != bool(groups):
            raise BadUse(f"{SUBNETS} and {GROUPS} belong together: a job has both or neither")
        key = parameters.get(KEY, "")
        if key and ":key/" not in key:
            raise BadUse(f"{KEY} must be the ARN of a key, which roles are granted; not {key!r}")
        return cls(subnets, groups, key)

    def parameters(self) -> dict[str, str]:
        """Return them as parameters of the template: those that are there."""
        told = {SUBNETS: ",".join(self.subnets), GROUPS: ",".join(self.groups), KEY: self.key}
        return {name: value for name, value in told.items() if value}

    def put_on(self, step: dict[str, Any]) -> None:
        """Write them into the arguments of a step that starts a job."""
        arguments = step["Arguments"]
        network = {"SecurityGroupIds": list(self.groups), "Subnets": list(self.subnets)}
        if step["Type"] == "Processing":
            if self.subnets:
                arguments["NetworkConfig"] = {"VpcConfig": network}
            if self.key:
                arguments["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] = self.key
                arguments["ProcessingOutputConfig"]["KmsKeyId"] = self.key
            return
        tuning = step["Type"] == "Tuning"
        job = arguments["TrainingJobDefinition"] if tuning else arguments
        if self.subnets:
            job["VpcConfig"] = network
        if self.key:
            machine = "HyperParameterTuningResourceConfig" if tuning else "ResourceConfig"
            job[machine]["VolumeKmsKeyId"] = self.key
            job["OutputDataConfig"]["KmsKeyId"] = self.key


def definition(name: str, confines: Confines) -> bytes:
    """Return the definition of a pipeline, as it lies in ``pipelines/`` where nothing confines it."""
    written = (ROOT / "pipelines" / f"{name}.json").read_bytes()
    if confines == Confines():
        return written
    told = json.loads(written)
    for step in jobs(told["Steps"]):
        confines.put_on(step)
    return json.dumps(told, indent=1).encode()


def jobs(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give every step that starts a job, those under conditions too."""
    for step in steps:
        if step["Type"] in ("Processing", "Training", "Tuning"):
            yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from jobs(step.get("Arguments", {}).get(branch, []))


def _listed(parameters: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = tuple(each.strip() for each in parameters.get(name, "").split(",") if each.strip())
    odd = [each for each in found if not each.startswith(_BEGINS[name])]
    if odd or len(found) > _MOST[name]:
        raise BadUse(
            f"{name} takes at most {_MOST[name]} ids that begin with {_BEGINS[name]!r}, with commas "
            f"between; not {', '.join(odd or found)}"
        )
    return found
