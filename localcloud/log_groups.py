"""CloudWatch Logs as a target of rules.

Citations: "CloudWatch Logs permissions" in "Using resource-based policies for Amazon EventBridge" of
the EventBridge User Guide; "PutResourcePolicy" of the CloudWatch Logs API Reference.
"""

from __future__ import annotations

from localcloud.world import World

# log groups that are targets must be named so, or EventBridge does not find them
PREFIX = "/aws/events/"


def log_group_of(arn: str) -> str:
    """The name of the log group that an ARN names."""
    return arn.split(":", 6)[6]


class LogGroups:
    """Writes events to log groups, one log event each.

    Args:
        world: the cloud.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._streams: dict[str, str] = {}

    def write(self, arn: str, text: str) -> None:
        """Append one log event."""
        logs, group = self._world.client("logs"), log_group_of(arn)
        if group not in self._streams:
            stream = self._world.new_id()
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams[group] = stream
        event = {"timestamp": int(self._world.clock.now().timestamp() * 1000), "message": text}
        logs.put_log_events(
            logGroupName=group, logStreamName=self._streams[group], logEvents=[event]
        )
