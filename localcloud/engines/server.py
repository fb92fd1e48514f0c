"""One container behind an endpoint: started, asked, stopped.

What it writes is held here and told at certain moments (when it became healthy, after each call, at
its end), so that nothing touches the cloud from a thread of its own.
"""

from __future__ import annotations

import http.client
import itertools
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.engines import identity
from localcloud.engines.base import RunError
from localcloud.engines.logs import RunLog
from localcloud.engines.ml import MlFolder
from localcloud.engines.models import Container, serving
from localcloud.engines.process import Ended, Processes
from localcloud.engines.serving import Reply, Unhealthy, free_port, request, wait_until_healthy
from localcloud.world import World

GRACE_S = 30.0  # "sends SIGTERM, and SIGKILL 30 seconds later"
CALL_S = 60.0  # "customer's model containers must respond to requests within 60 seconds"
_FOR_EVER_S = 10 * 365 * 86_400.0
_MOST_LINES = 10_000
_LONGEST_LINE = 2000
_keys = itertools.count()


class Server:
    """A container that serves a model.

    Args:
        world: the cloud.
        processes: who runs its program.
        container: what it is.
        endpoint: the endpoint's name.
        variant: the variant's.
        record: journal record of what made it start.
    """

    def __init__(
        self,
        world: World,
        processes: Processes,
        container: Container,
        endpoint: str,
        variant: str,
        record: int,
    ) -> None:
        self.container = container
        self.variant = variant
        self._world = world
        self._processes = processes
        self._endpoint = endpoint
        self._record = record
        self._key = str(next(_keys))
        self._lines: deque[tuple[str, str]] = deque(maxlen=_MOST_LINES)
        self._over = threading.Event()
        self._ended: Ended | str = ""
        self._telling = threading.Lock()
        self._thread: threading.Thread | None = None
        self._log: RunLog | None = None
        self._place = Path(tempfile.mkdtemp(prefix="endpoint-"))
        self._port = free_port()

    @property
    def group(self) -> str:
        """Its log group: "Log Groups and Streams that Amazon SageMaker AI Sends to CloudWatch"."""
        return f"/aws/sagemaker/Endpoints/{self._endpoint}"

    def start(self, health_s: float) -> None:
        """Start it and wait until it is healthy.

        Args:
            health_s: how long that may take.

        Raises:
            RunError: it is not, and does not run any more.
        """
        try:
            self._begin()
            wait_until_healthy(self._port, health_s, self._over.wait)
        except Unhealthy as unhealthy:
            self.stop()
            raise RunError(self._reason(str(unhealthy))) from unhealthy
        except (ClientError, BotoCoreError, OSError, RunError) as error:
            self.stop()
            raise RunError(str(error)) from error
        self.tell()

    def _begin(self) -> None:
        world, role = self._world, self.container.role
        given = identity.credentials(world, role, "SageMaker", self._record)
        clients = identity.clients(world, given)
        stream = f"{self.variant}/i-{int(self._key):017x}"
        groups = {"out": self.group, "err": self.group}
        self._log = RunLog(clients("logs"), groups, stream, world.clock.now)
        ml = MlFolder(self._place, clients("s3"))
        command, own = serving(self.container, world.images, ml, self._port, {})
        environment = {**identity.environment(world, given, self._place), **own}
        running = partial(self._run, command, environment)
        self._thread = threading.Thread(target=running, name="endpoint", daemon=True)
        self._thread.start()

    def _run(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        try:
            self._ended = self._processes.run(
                self._key,
                command,
                environment,
                self._place,
                timeout_s=_FOR_EVER_S,
                grace_s=GRACE_S,
                on_line=lambda stream, line: self._lines.append((stream, line)),
            )
        except OSError as error:
            self._ended = str(error)
        finally:
            self._over.set()

    def _reason(self, trouble: str) -> str:
        """Why it is not healthy: what happened, and the last it wrote to standard error."""
        if isinstance(self._ended, str):
            return f"ClientError: {self._ended}" if self._ended else trouble
        last = self._ended.last_errors[-1] if self._ended.last_errors else ""
        code = "" if self._ended.cut else f", exit code: {self._ended.code}"
        said = f": {last[:600]}" if last else ""
        return f"{trouble}{said}{code}"

    def call(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply | str:
        """One inference; a text says why there is no answer.

        Args:
            body: the payload.
            headers: for the container.
            timeout_s: real seconds it has.
        """
        try:
            return request(self._port, "POST", "/invocations", timeout_s, body, dict(headers))
        except TimeoutError:
            return "Your invocation timed out while waiting for a response from container primary."
        except (OSError, http.client.HTTPException) as error:
            return f"the container did not answer: {error!r}"
        finally:
            self.tell()

    def stop(self) -> None:
        """End it, wait for its end, and remove its folder."""
        self.end()
        self.clean()

    def end(self) -> None:
        """End it and wait for its end; it may just be starting, on another thread."""
        self._processes.stop(self._key)
        if self._thread is not None:
            self._thread.join()
        self.tell()

    def tell(self) -> None:
        """Put what it wrote into the trace and into its log group."""
        with self._telling:
            while self._lines:
                stream, line = self._lines.popleft()
                if self._log is not None:
                    self._log.add(stream, line)
                short = line[:_LONGEST_LINE]
                self._world.journal.add("log", self._endpoint, cause=self._record, line=short)
            if self._log is not None:
                self._log.flush()

    def clean(self) -> None:
        """Remove its folder; once it has ended."""
        if self._place.exists():
            shutil.rmtree(self._place)
