"""What happens by the clock: rules with a ScheduleExpression, and EventBridge Scheduler.

Citations: "Creating a rule that runs on a schedule" of the EventBridge User Guide; "Schedule types",
"Adding context attributes", "Managing a schedule" and "Configuring a schedule's dead-letter queue" of
the EventBridge Scheduler User Guide; the shape CreateScheduleInput of botocore.

Occurrences are background tasks of the clock: they come when time passes, nobody waits for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from localcloud.bus import Arrival, Bus
from localcloud.cron import Expression, parse, zone_of
from localcloud.deliveries import Deliveries
from localcloud.scheduled import Invocation, delivery_of
from localcloud.targets import Targets
from localcloud.wiring import StoredRule, StoredSchedule
from localcloud.world import World

Fire = Callable[[datetime], None]


class Schedules:
    """Every schedule of the account and region.

    Args:
        world: the cloud.
        bus: whose rules may have schedules.
        targets: who takes what schedules send.
    """

    def __init__(self, world: World, bus: Bus, targets: Targets) -> None:
        self._world = world
        self._bus = bus
        self._targets = targets
        self._deliveries = Deliveries(world)
        self._current: dict[tuple[str, ...], int] = {}

    def rule_put(self, bus: str, name: str) -> None:
        """Begin to follow a rule's schedule, in place of the one it had."""
        key = ("rule", bus, name)
        turn = self._begin(key)
        rule = self._rule(bus, name)
        if rule is None or rule.schedule is None:
            return
        expression, since = parse(rule.schedule), self._world.clock.now()
        # the first occurrence of a rate is one period after its beginning
        self._arm(expression, since, since, partial(self._rule_due, key, turn, expression, since))

    def schedule_put(self, group: str, name: str) -> None:
        """Begin to follow a schedule of EventBridge Scheduler, in place of what it was."""
        key = ("schedule", group, name)
        turn = self._begin(key)
        schedule = self._world.state.schedule(group, name)
        if schedule is None:
            return
        expression = parse(schedule.expression, zone_of(schedule.timezone))
        now = self._world.clock.now()
        start = now if schedule.start is None else _instant(schedule.start)
        if schedule.start is None and schedule.expression.startswith("rate"):
            first: datetime | None = now  # "starts invoking the target immediately"
        elif schedule.expression.startswith("at"):
            first = expression.next(now, now)  # StartDate and EndDate are ignored
        else:
            first = expression.next(max(now, _just_before(start)), start)
        fire = partial(self._schedule_due, key, turn, expression, start)
        if first is not None and _before_end(schedule, first):
            self._world.clock.at(first, partial(fire, first), background=True)

    def _begin(self, key: tuple[str, ...]) -> int:
        turn = self._current.get(key, 0) + 1
        self._current[key] = turn
        return turn

    def _arm(self, expression: Expression, after: datetime, since: datetime, fire: Fire) -> bool:
        """Put the next occurrence on the agenda; False if there is none."""
        due = expression.next(after, since)
        if due is not None:
            self._world.clock.at(due, partial(fire, due), background=True)
        return due is not None

    def _rule(self, bus: str, name: str) -> StoredRule | None:
        rules = self._world.state.rules(bus)
        return next((rule for rule in rules if rule.name == name), None)

    def _rule_due(
        self, key: tuple[str, ...], turn: int, expression: Expression, since: datetime,
        due: datetime,
    ) -> None:  # fmt: skip
        _, bus, name = key
        rule = self._rule(bus, name)
        if rule is None or self._current[key] != turn:
            return
        fire = partial(self._rule_due, key, turn, expression, since)
        self._arm(expression, due, since, fire)
        if rule.enabled:
            event = self._bus.event(
                "aws.events", "Scheduled Event", {}, [rule.arn], due.timestamp()
            )
            facts = {"event_id": event["id"], "source": "aws.events", "bus": bus}
            record = self._world.journal.add(
                "event", "Scheduled Event", **facts, resources=[rule.arn], detail={}
            )
            self._bus.matched(rule, Arrival(event, bus, record.id))

    def _schedule_due(
        self, key: tuple[str, ...], turn: int, expression: Expression, since: datetime,
        due: datetime,
    ) -> None:  # fmt: skip
        _, group, name = key
        schedule = self._world.state.schedule(group, name)
        if schedule is None or self._current[key] != turn:
            return
        if schedule.enabled:
            record = self._world.journal.add("schedule", name, arn=schedule.arn)
            invocation = Invocation(schedule, due, self._world.new_id(), record.id)
            self._deliveries.begin(delivery_of(invocation, self._world, self._bus, self._targets))
        later = expression.next(due, since)
        if later is not None and _before_end(schedule, later):
            fire = partial(self._schedule_due, key, turn, expression, since)
            self._world.clock.at(later, partial(fire, later), background=True)
        elif schedule.delete_after:
            scheduler = self._world.client("scheduler")
            scheduler.delete_schedule(GroupName=group, Name=name)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _just_before(instant: datetime) -> datetime:
    """An occurrence may fall on the start itself."""
    return instant.replace(microsecond=0) - datetime.resolution


def _before_end(schedule: StoredSchedule, due: datetime) -> bool:
    one_time = schedule.expression.startswith("at")
    return one_time or schedule.end is None or due.timestamp() <= schedule.end
