"""Working in real time: virtual time follows the machine's, and programs run beside the agenda."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from localcloud.world import World

T = TypeVar("T")
_LONGEST_WAIT_S = 0.5


class RealTime:
    """The agenda, worked off as its instants come.

    Args:
        world: the cloud.
        keep: called whenever nothing is due; None where no state is kept.
    """

    def __init__(self, world: World, keep: Callable[[], None] | None) -> None:
        self._world = world
        self._keep = keep
        self._beside = ThreadPoolExecutor(thread_name_prefix="local-cloud-job")
        self._under_way: set[Future[Any]] = set()

    def serve(self, stop: threading.Event, hurry: threading.Event | None = None) -> None:
        """Work until told to stop.

        Where state is kept, what is due is done before this returns, and programs that run are
        waited for.

        Args:
            stop: set it to end.
            hurry: set it as well to end at once: what is due stays on the agenda, and programs
                that run are not waited for.
        """
        clock = self._world.clock
        begun, real = clock.now(), time.monotonic()
        self._world.real_time = True
        try:
            while True:
                now = begun + timedelta(seconds=time.monotonic() - real)
                patient = self._keep is not None and not (hurry and hurry.is_set())
                at_once = stop.is_set() and not patient
                task = None if at_once else clock.take(until=now)
                if task is not None:
                    task()
                elif at_once or (stop.is_set() and not self._under_way):
                    clock.follow(now)
                    return
                else:
                    clock.follow(now)
                    self._idle()
                self._world.journal.flush()
        finally:
            self._world.real_time = False

    def outside(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """`engines.base.Outside`: now while time is virtual, beside the agenda while it is real."""
        if not self._world.real_time:
            then(work())
            return

        def done(future: Future[T]) -> None:
            self._world.clock.after(0, partial(ended, future))

        def ended(future: Future[T]) -> None:
            self._under_way.discard(future)
            then(future.result())

        future = self._beside.submit(work)
        self._under_way.add(future)
        future.add_done_callback(done)

    def close(self) -> None:
        """Wait for what runs beside."""
        self._beside.shutdown()

    def _idle(self) -> None:
        if self._keep is not None and not self._under_way:
            self._keep()
        self._world.clock.wait(_LONGEST_WAIT_S)
