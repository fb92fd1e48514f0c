"""What was deployed must be able to work now, not fail when the first event is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from localcloud.deploy.engine import Deployment
from localcloud.errors import DeliveryError
from localcloud.iam.deployed import missing
from localcloud.reactions import Reactions
from localcloud.targets import Targets
from localcloud.world import World


class Checks:
    """Of one deployment, once all its resources are there.

    Args:
        world: the cloud.
        reactions: its parts.
        targets: whom rules and schedules reach.
        deployment: tells where in the template things stand.
    """

    def __init__(
        self, world: World, reactions: Reactions, targets: Targets, deployment: Deployment
    ) -> None:
        self._world = world
        self._reactions = reactions
        self._targets = targets
        self._deployment = deployment

    def run(self, import_handlers: bool) -> None:
        """See that everything that is named can be used.

        Raises:
            DeployError: it cannot; names the resource, the property and the line.
        """
        functions = self._reactions.functions
        functions.check()
        for lack in missing(self._world):
            raise self._deployment.error(lack.message, lack.logical_id, lack.prop)
        self._rules()
        self._schedules()
        self._subscriptions()
        self._alarms()
        for logical_id, trouble in (functions.import_troubles() if import_handlers else {}).items():
            raise self._deployment.error(trouble, logical_id, "Handler")

    def _rules(self) -> None:
        for resource in self._world.stack.of_type("AWS::Events::Rule"):
            rules = self._world.state.rules(resource.facts["bus"])
            rule = next(each for each in rules if each.name == resource.facts["name"])
            for place, target in enumerate(rule.targets):
                check = partial(self._targets.check, rule.arn, role_arn=target.get("RoleArn"))
                self._target(resource.logical_id, f"Targets[{place}]", target, check)

    def _schedules(self) -> None:
        for resource in self._world.stack.of_type("AWS::Scheduler::Schedule"):
            target, arn = resource.facts["target"], resource.attributes["Arn"]
            check = partial(self._targets.check_schedule, arn, role_arn=target["RoleArn"])
            self._target(resource.logical_id, "Target", target, check)

    def _target(
        self, logical_id: str, place: str, target: Mapping[str, Any], check: Callable[[str], None]
    ) -> None:
        dead = target.get("DeadLetterConfig", {}).get("Arn")
        for prop, arn in (("Arn", target["Arn"]), ("DeadLetterConfig", dead)):
            if arn is not None:
                self._held(partial(check, arn), logical_id, f"{place}.{prop}")

    def _subscriptions(self) -> None:
        for resource in self._world.stack.of_type("AWS::SNS::Subscription"):
            check = partial(self._reactions.topics.check, **resource.facts["check"])
            self._held(check, resource.logical_id, "Endpoint")

    def _alarms(self) -> None:
        for resource in self._world.stack.of_type("AWS::CloudWatch::Alarm"):
            for prop, arn in resource.facts["actions"]:
                check = partial(self._reactions.alarms.check, resource.attributes["Arn"], arn)
                self._held(check, resource.logical_id, prop)

    def _held(self, check: Callable[[], None], logical_id: str, prop: str) -> None:
        try:
            check()
        except DeliveryError as error:
            raise self._deployment.error(str(error), logical_id, prop) from error
