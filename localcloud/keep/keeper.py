"""Keeps a cloud's state in a folder: takes it up after deploying, saves it when nothing is going on."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.deploy.stack import Stack
from localcloud.errors import StateError
from localcloud.journal import from_line, to_line
from localcloud.keep import agenda, services, sharing
from localcloud.keep.folder import StateFolder
from localcloud.reactions import Reactions
from localcloud.seams import other_ids
from localcloud.world import World

_SAVE_EVERY_S = 5.0
_UNFIT = (AttributeError, KeyError, TypeError, ValueError)  # by data of another form
_HOLDS_STATE = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")


class Keeper:
    """Saves and takes up the state of one cloud.

    Not kept: functions that are warm, job runs, executions of pipelines, alarms' states,
    subscriptions and resources made through the APIs save buckets, secrets, model packages, model
    cards and shares, unfinished multipart uploads.

    Args:
        folder: where; it was checked when it was opened.
        packages: the bucket of packaged code, which every start fills.
    """

    def __init__(self, folder: StateFolder, packages: str) -> None:
        self._folder = folder
        self._packages = packages
        self._manifest: dict[str, Any] = folder.kept.get("manifest", {})
        self._starts: int = self._manifest.get("starts", 0) + 1
        self._known: dict[tuple[Any, ...], str] = {}
        self._taken_up = False
        self._saved: tuple[int, int] | None = None
        self._next_save = 0.0
        self.lost: list[str] = []

    @property
    def earliest(self) -> datetime:
        """Virtual time goes on after the last save, even where the machine's clock went back."""
        real, saved = datetime.now(UTC), self._manifest.get("now")
        if saved is None:
            return real
        return max(real, datetime.fromisoformat(saved) + timedelta(seconds=1))

    def remember(self, world: World) -> None:
        """Begin with the trace of the clouds before this one; before anything else happens.

        Raises:
            StateError: there is something else in its place.
        """
        try:
            before = [from_line(json.dumps(each)) for each in self._kept("journal", [])]
            world.journal.take_over(before)
        except _UNFIT as error:
            raise self._unfit(error) from error

    def take_up(self, world: World, reactions: Reactions) -> None:
        """Give a deployed cloud what was kept; no event is told of it.

        Raises:
            StateError: what is kept does not fit what was deployed.
        """
        if self._manifest:
            self._compare(world.stack)
            try:
                services.fill_buckets(world, self._kept("buckets", {}), self._folder.blob)
                services.fill_tables(world, self._kept("tables", {}))
                services.fill_logs(world, self._kept("logs", {}))
                services.fill_secrets(world, self._kept("secrets", {}))
                sharing.fill_cards(world, self._kept("cards", []))
                sharing.fill_shares(world, self._kept("shares", {}))
                services.fill_registry(world, self._kept("registry", {}))
                brought = list(services.fill_queues(world, self._kept("queues", {})))
                agenda.taken_up(
                    self._kept("agenda", []),
                    world.clock,
                    *(reactions.bus, reactions.invocations, reactions.topics),
                )
            except _UNFIT as error:
                raise self._unfit(error) from error
            # ids must not come again: they would be taken for repetitions
            world.reseed(random.Random(f"20/{self._starts}"))  # noqa: S311 - ids, not secrets
            other_ids(self._starts)
            for arn, message_id, cause in brought:
                reactions.pollers.causes[message_id] = cause
                reactions.pollers.arrived(arn, message_id, cause)
        self._taken_up = True

    def save_if_changed(self, world: World, reactions: Reactions) -> None:
        """Save, but not more often than every few seconds, nor if nothing happened."""
        if self._taken_up and time.monotonic() >= self._next_save:
            if self._stamp(world) != self._saved:
                self.save(world, reactions)
            self._next_save = time.monotonic() + _SAVE_EVERY_S

    def save(self, world: World, reactions: Reactions) -> None:
        """Save everything; does nothing before `take_up` was done."""
        if not self._taken_up:
            return
        stamp, world.uncounted = self._stamp(world), threading.get_ident()
        try:
            self._save(world, reactions)
        finally:
            world.uncounted = None
        self._saved = stamp

    def _save(self, world: World, reactions: Reactions) -> None:
        waiting, self.lost = agenda.written(world.clock.agenda())
        buckets = services.buckets_of(world, self._packages, self._folder.add_blob, self._known)
        parts = {
            "agenda": waiting,
            "buckets": buckets,
            "cards": sharing.cards_of(world),
            "journal": [json.loads(to_line(record)) for record in world.journal],
            "logs": services.logs_of(world),
            "queues": services.queues_of(world, reactions.pollers.causes),
            "registry": services.registry_of(world),
            "secrets": services.secrets_of(world),
            "shares": sharing.shares_of(world),
            "tables": services.tables_of(world),
        }
        blobs = [
            facts["sha256"]
            for bucket in buckets.values()
            for facts in bucket["versions"]
            if "sha256" in facts
        ]
        facts = {
            "stack": world.stack.name,
            "resources": _resources(world.stack),
            "now": world.clock.now().isoformat(),
            "starts": self._starts,
            "not_kept": self.lost,
        }
        self._folder.save(parts, blobs, facts)

    def _stamp(self, world: World) -> tuple[int, int]:
        return world.requests, len(world.clock)

    def _unfit(self, error: Exception) -> StateError:
        return StateError(f"{self._folder.path} cannot be taken up: {error!r}")

    def _kept(self, name: str, otherwise: Any) -> Any:
        return self._folder.kept.get(name, otherwise)

    def _compare(self, stack: Stack) -> None:
        """What holds state must still be in the template under the same name."""
        there = _resources(stack)
        for logical_id, what in self._manifest.get("resources", {}).items():
            if there.get(logical_id) != what:
                raise StateError(
                    f"{self._folder.path} is the state of another template: it holds {logical_id} "
                    f"({', '.join(what)}), here that is {', '.join(there.get(logical_id, ['missing']))}; "
                    "take another folder, or remove this one to begin anew"
                )


def _resources(stack: Stack) -> dict[str, list[str]]:
    return {
        each.logical_id: [each.type, each.physical_id]
        for kind in _HOLDS_STATE
        for each in stack.of_type(kind)
    }
