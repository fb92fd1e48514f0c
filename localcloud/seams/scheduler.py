"""EventBridge Scheduler in moto: it keeps schedules, we let them fire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.scheduler.exceptions import ValidationException

from localcloud.cuts import Seam
from localcloud.wiring import Hooks, Refused, StoredSchedule


def stored(fake: Any) -> StoredSchedule:
    """A schedule as moto keeps it."""
    return StoredSchedule(
        name=fake.name,
        group=fake.group_name,
        arn=fake.arn,
        expression=fake.schedule_expression,
        timezone=fake.schedule_expression_timezone,
        enabled=fake.state == "ENABLED",
        start=None if fake.start_date is None else float(fake.start_date),
        end=None if fake.end_date is None else float(fake.end_date),
        delete_after=fake.action_after_completion == "DELETE",
        target=fake.target,
    )


def _checked(hooks: Hooks, request: dict[str, Any]) -> None:
    zone = request["schedule_expression_timezone"] or "UTC"
    try:
        hooks.check_schedule(request["schedule_expression"], zone, request["target"])
    except Refused as refused:
        raise ValidationException(str(refused)) from refused


def _create_schedule(hooks: Hooks, original: Any, self: Any, **request: Any) -> Any:
    _checked(hooks, request)
    made = original(self, **request)
    hooks.schedule_put(made.group_name, made.name)
    return made


def _update_schedule(hooks: Hooks, original: Any, self: Any, **request: Any) -> Any:
    _checked(hooks, request)
    changed = original(self, **request)
    changed.state = changed.state or "ENABLED"  # an update leaves nothing as it was
    hooks.schedule_put(changed.group_name, changed.name)
    return changed


def _answer_update(hooks: Hooks, original: Any, self: Any) -> Any:
    """moto forgets what comes after completion; an update sets it, or back to its default."""
    del hooks
    answer = original(self)
    name = self.uri.split("?")[0].split("/")[-1]
    schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
    schedule.action_after_completion = self._get_param("ActionAfterCompletion")
    return answer


def _instant(hooks: Hooks) -> float:
    return hooks.instant()


def _now(hooks: Hooks) -> datetime:
    return datetime.fromtimestamp(hooks.instant(), UTC).replace(tzinfo=None)


_FIELDS = (
    "group_name, kms_key_arn, name, schedule_expression, schedule_expression_timezone, "
    "start_date, state, target"
)
SEAMS = (
    Seam("moto.scheduler.models", "unix_time", "(dt=None)", _instant, plain=True),
    Seam("moto.scheduler.models", "utcnow", "()", _now, plain=True),
    Seam("moto.scheduler.responses:EventBridgeSchedulerResponse", "update_schedule", "(self)",
         _answer_update),
    Seam("moto.scheduler.models:EventBridgeSchedulerBackend", "create_schedule",
         f"(self, description, end_date, flexible_time_window, {_FIELDS}, "
         "action_after_completion)", _create_schedule),
    Seam("moto.scheduler.models:EventBridgeSchedulerBackend", "update_schedule",
         f"(self, description, end_date, flexible_time_window, {_FIELDS})", _update_schedule),
)  # fmt: skip
