"""Days that go by without what happens by the clock: hundreds of ticks that find nothing to do."""

from __future__ import annotations

from localcloud import Cloud

OFTEN = ("StartPipelines", "StartScoring")
"""Doors that look every five minutes."""


def stop_schedules(cloud: Cloud, *doors: str) -> None:
    """Delete the schedules of these doors; of all, if none is named."""
    scheduler = cloud.client("scheduler")
    for each in scheduler.list_schedules()["Schedules"]:
        if not doors or each["Name"].startswith(doors):
            scheduler.delete_schedule(Name=each["Name"], GroupName=each["GroupName"])
