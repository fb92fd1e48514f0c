"""Every run of every service, status by status: started, counted, run, stopped, ended.

WAITING → STARTING → RUNNING → SUCCEEDED, FAILED or TIMEOUT; and STOPPING → STOPPED from anywhere
before the end. Each status is first visible in the API, then in the journal, then an event.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.engines import identity
from localcloud.engines.base import OVER, Outside, Run, RunError, Service, State
from localcloud.engines.logs import RunLog
from localcloud.engines.process import Ended, Processes
from localcloud.world import World

_LONGEST_LINE = 2000


class Runs:
    """All runs.

    Args:
        world: the cloud.
        outside: does the work.

    Attributes:
        lock: held while a run changes its state.
        second_s: real seconds that one second of a run's limit lasts.
        listeners: told the id of everything that is over, last of all; from any thread, so they do
            no more than put something on the agenda.
    """

    def __init__(self, world: World, outside: Outside) -> None:
        self._world = world
        self._outside = outside
        self._processes = Processes()
        self._runs: dict[str, Run] = {}
        self.lock = threading.RLock()
        self.second_s = 1.0
        self.listeners: list[Callable[[str], None]] = []

    def find(self, run_id: str) -> Run | None:
        """The run with this id."""
        return self._runs.get(run_id)

    def active(self, service: Service, name: str) -> int:
        """How many runs of a name are neither over nor waiting."""
        of_name = (r for r in self._runs.values() if r.service is service and r.name == name)
        return sum(run.state not in OVER and run.state != "WAITING" for run in of_name)

    def start(self, run: Run, cause: int | None) -> None:
        """Begin a run; if its state is WAITING, it begins when another of its name is over."""
        with self.lock:
            self._runs[run.id] = run
            record = self._world.journal.add(
                "job", run.name, run.service.word(run), cause=cause, run_id=run.id
            )
            run.record = record.id
            if run.state == "STARTING":
                self._starting(run, record.id)

    def stop(self, run: Run, cause: int | None) -> bool:
        """Stop a run wherever it is; False if it is over or being stopped already."""
        with self.lock:
            before = run.state
            if before in OVER or before == "STOPPING":
                return False
            if before == "WAITING":
                self._tell(run, "STOPPED", cause=cause)
                return True
            self._tell(run, "STOPPING", cause=cause)
            if before == "RUNNING" and run.ended is None:
                self._processes.stop(run.id)
            else:
                self._soon(run.service.stop_s, partial(self._finish, run))
        return True

    def close(self) -> None:
        """End every program that still runs."""
        self._processes.close()

    def clean(self) -> None:
        """Remove the folders of runs that the cloud's end left behind; after `close`."""
        for run in self._runs.values():
            _remove(run.place)

    def _starting(self, run: Run, record: int) -> None:
        run.service.emit(run, record)
        self._soon(run.service.start_s, partial(self._begin, run))

    def _begin(self, run: Run) -> None:
        with self.lock:
            if run.state != "STARTING":
                return
            run.since = self._world.clock.now()
            self._tell(run, "RUNNING")
        self._outside(partial(self._execute, run), partial(self._executed, run))

    def _execute(self, run: Run) -> Ended | str:
        """Run the program to its end; a text says why it could not start."""
        service = run.service
        if run.state != "RUNNING":
            return Ended(-signal.SIGTERM, cut="stopped")
        run.place = Path(tempfile.mkdtemp(prefix="run-"))
        try:
            given = self._credentials(run)
            clients = identity.clients(self._world, given)
            program = service.prepare(run, clients)
            own = identity.environment(self._world, given, run.folder)
            environment = {**own, **program.environment}
            stream, now = service.stream(run), self._world.clock.now
            log = RunLog(clients("logs"), service.groups, stream, now)
            try:
                return self._processes.run(
                    run.id,
                    program.command,
                    environment,
                    program.folder,
                    timeout_s=run.limit_s * self.second_s,
                    grace_s=service.grace_s,
                    on_line=partial(self._heard, run, log),
                )
            finally:
                log.flush()
        except (RunError, ClientError, BotoCoreError, OSError) as error:
            return str(error)

    def _heard(self, run: Run, log: RunLog, stream: str, line: str) -> None:
        log.add(stream, line)
        run.service.heard(run, line)
        short = line[:_LONGEST_LINE]
        self._world.journal.add("log", run.name, cause=run.running, line=short, run_id=run.id)

    def _executed(self, run: Run, ended: Ended | str) -> None:
        with self.lock:
            run.ended = ended
            service = run.service
            stopping = run.state == "STOPPING"
            wait = service.stop_s if stopping else min(service.run_s, run.limit_s)
            self._soon(wait, partial(self._finish, run))

    def _finish(self, run: Run) -> None:
        with self.lock:
            if run.finishing:
                return
            run.finishing = True
        self._outside(partial(self._collect, run), lambda end: self._over(run, *end))

    def _collect(self, run: Run) -> tuple[State, str]:
        state = outcome(run)
        try:
            given = self._credentials(run) if run.place is not None else {}
            clients = identity.clients(self._world, given)
            return state, run.service.finish(run, state, clients)
        except (RunError, ClientError, BotoCoreError, OSError) as error:
            return "FAILED", str(error)

    def _over(self, run: Run, state: State, reason: str) -> None:
        with self.lock:
            _remove(run.place)
            if run.state == "STOPPING" and state == "SUCCEEDED":  # stopped at the very end
                state = "STOPPED"
            record = self._tell(run, state, reason=reason)
            if state == "FAILED":
                run.service.again(run, record)
            self._next(run)
        self.tell(run.id)

    def tell(self, run_id: str) -> None:
        """Tell the listeners that something is over, such as a tuning job, which is no run itself."""
        for listener in self.listeners:
            listener(run_id)

    def _next(self, over: Run) -> None:
        """Let the run that has waited longest begin, if there is room for it now."""
        service, name = over.service, over.name
        for run in self._runs.values():
            if run.service is service and run.name == name and run.state == "WAITING":
                if run.most is None or self.active(service, name) < run.most:
                    run.state = "STARTING"
                    service.show(run)
                    self._starting(run, self._note(run, run.record))
                return

    def _tell(self, run: Run, state: State, *, cause: int | None = None, reason: str = "") -> int:
        run.state, run.reason = state, reason
        run.service.show(run)
        record = self._note(run, cause or run.record)
        if state == "RUNNING":
            run.running = record
        if run.state == state:  # else a listener of the journal has moved it on already
            run.service.emit(run, record)
        return record

    def _note(self, run: Run, cause: int) -> int:
        shown = {"ErrorMessage": run.reason} if run.reason else {}
        word = run.service.word(run)
        journal = self._world.journal
        return journal.add("job", run.name, word, cause=cause, run_id=run.id, **shown).id

    def _credentials(self, run: Run) -> dict[str, str]:
        return identity.credentials(self._world, run.role, run.session, run.running)

    def _soon(self, virtual_s: float, task: Callable[[], None]) -> None:
        self._world.clock.after(0.0 if self._world.real_time else virtual_s, task)


def _remove(place: Path | None) -> None:
    if place is not None and place.exists():
        shutil.rmtree(place)


def outcome(run: Run) -> State:
    """The state a run ends in, from how its program ended."""
    if run.state == "STOPPING":
        return "STOPPED"
    if not isinstance(run.ended, Ended):
        return "FAILED"
    if run.ended.cut == "timeout":
        return "TIMEOUT"
    return "SUCCEEDED" if run.ended.code == 0 else "FAILED"
