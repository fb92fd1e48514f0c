"""Deployment guardrails of endpoints: what an update is watched by, and whether that went off.

Citations: UpdateEndpoint, DeploymentConfig, BlueGreenUpdatePolicy and AutoRollbackConfig of the
SageMaker API Reference; "Blue/Green Deployments" and "Auto-Rollback Configuration and Monitoring"
of its Developer Guide: all traffic goes to the new fleet at once, and back if one of the alarms
trips within the baking period; the model's execution role reads the alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engines import identity
from localcloud.engines.sagemaker import only, refuse
from localcloud.wiring import RefusedError
from localcloud.world import World

STEP_S = 60.0  # CloudWatch looks at alarms every minute


@dataclass(frozen=True)
class Guardrail:
    """How an update is watched.

    Attributes:
        alarms: names of alarms; none: it is not watched.
        bake_s: virtual seconds for which the former fleet is kept.
    """

    alarms: tuple[str, ...] = ()
    bake_s: float = 0.0


def guardrail(asked: Mapping[str, Any]) -> Guardrail:
    """How UpdateEndpoint's DeploymentConfig wants an update to be watched.

    Raises:
        RefusedError: it asks for traffic shifting in steps, which one instance has not.
    """
    config = asked.get("DeploymentConfig") or {}
    refuse(config, "RollingUpdatePolicy")
    policy = config.get("BlueGreenUpdatePolicy") or {}
    shift = policy.get("TrafficRoutingConfiguration") or {}
    only(shift, "Type", "ALL_AT_ONCE")
    alarms = (config.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
    if alarms and not policy:
        raise RefusedError(
            "AutoRollbackConfiguration without a BlueGreenUpdatePolicy is not played"
        )
    bake_s = float(shift.get("WaitIntervalInSeconds") or 0)
    return Guardrail(tuple(str(each["AlarmName"]) for each in alarms), bake_s)


def tripped(world: World, role: str, record: int, rail: Guardrail) -> str:
    """Why an update has to go back; "" while nothing speaks against it.

    Args:
        world: the cloud.
        role: ARN of the model's execution role, which reads the alarms.
        record: journal record of what was asked.
        rail: how the update is watched.
    """
    given = identity.credentials(world, role, "SageMaker", record)
    try:
        found = identity.clients(world, given)("cloudwatch").describe_alarms(
            AlarmNames=list(rail.alarms)
        )["MetricAlarms"]
    except ClientError as error:
        return f"the alarms of the deployment cannot be read: {error}"
    missing = set(rail.alarms) - {each["AlarmName"] for each in found}
    if missing:
        return f"there is no alarm {', '.join(sorted(missing))}"
    over = sorted(each["AlarmName"] for each in found if each["StateValue"] == "ALARM")
    return f"alarm {', '.join(over)} tripped during the deployment" if over else ""
