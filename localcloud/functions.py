"""The deployed functions: their environments, credentials and logs, and invoking them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from localcloud.chaos import KILLED
from localcloud.clients import client_of, session_with
from localcloud.deploy.stack import Resource
from localcloud.iam.deployed import role_of
from localcloud.iam.evaluate import Decision, Principal
from localcloud.runtime.base import Executor, FunctionSpec, Outcome
from localcloud.runtime.imports import import_troubles
from localcloud.runtime.packages import check_versions
from localcloud.wiring import Call, Refused
from localcloud.world import World

_LONGEST_LINE = 4000  # of a log line in the journal; CloudWatch gets all of it


class Functions:
    """Every function of the stack.

    Args:
        world: the cloud.
        executor: who runs them.
    """

    def __init__(self, world: World, executor: Executor) -> None:
        self._world = world
        self._executor = executor
        self._specs: dict[str, FunctionSpec] = {}
        self._at_work: dict[str, list[tuple[str, int]]] = {}  # by access key: name, record
        self._changing = threading.Lock()
        # in this process one runs at a time, and what is called is what that one calls
        self._turn = nullcontext() if executor.outside else threading.RLock()
        world.guard.fault = self._disturb
        self._streams: set[tuple[str, str]] = set()
        self._clients: dict[tuple[str, str], Any] = {}

    def check(self) -> None:
        """See that every function's layers fit this environment.

        Raises:
            DeployError: they do not.
        """
        checked: set[Path] = set()
        for resource in self._world.stack.of_type("AWS::Lambda::Function"):
            folders = [Path(each) / "python" for each in resource.facts["layers"]]
            fresh = [each for each in (resource.facts["code"], *folders) if each not in checked]
            check_versions(resource.logical_id, fresh)
            checked.update(fresh)

    def import_troubles(self) -> dict[str, str]:
        """By logical id, why a function's handler cannot be imported."""
        functions = list(self._world.stack.of_type("AWS::Lambda::Function"))
        found = import_troubles(self._made(each) for each in functions)
        return {
            each.logical_id: found[each.physical_id]
            for each in functions
            if each.physical_id in found
        }

    def invoke(
        self,
        name: str,
        payload: Any,
        *,
        cause: int | None = None,
        detail: Mapping[str, Any] | None = None,
        heard: list[str] | None = None,
    ) -> tuple[Outcome, str]:
        """Run one invocation now; returns what came of it and its request id.

        What the function prints is also put into `heard`, line by line.
        """
        spec = self._spec(name)
        request_id = self._world.new_id()
        access_key = spec.environment["AWS_ACCESS_KEY_ID"]
        lines: list[str] = [] if heard is None else heard
        journal = self._world.journal
        with journal.entry("invocation", name, cause=cause) as entry:
            entry.detail.update(request_id=request_id, **(detail or {}))

            def log(line: str) -> None:
                lines.append(line)
                short = line[:_LONGEST_LINE]
                journal.add("log", name, cause=entry.id, line=short)
                self._world.metrics.line(line)

            with self._turn, self._working(access_key, name, entry.id):
                begun = time.perf_counter()
                with journal.held():
                    outcome = self._executor.invoke(
                        spec, payload, request_id, log, self._world.clock.now()
                    )
                entry.detail.update(outcome.facts)
            self._measure(name, outcome, (time.perf_counter() - begun) * 1000)
            if outcome.error is not None:
                entry.status = "failed"
                entry.detail.update(error=outcome.error.type, message=outcome.error.message[:1000])
        self._write_logs(spec, lines, entry.id)
        return outcome, request_id

    @contextmanager
    def _working(self, access_key: str, name: str, record: int) -> Iterator[None]:
        """An invocation is under way; what carries its key is its doing, or that of the last of several
        of one function, which share their role's session.
        """
        with self._changing:
            live = self._at_work.setdefault(access_key, [])
            live.append((name, record))
            self._world.callers[access_key] = record
        try:
            yield
        finally:
            with self._changing:
                live.remove((name, record))
                self._world.callers[access_key] = live[-1][1] if live else None

    def _disturb(self, call: Call, _principal: Principal) -> None:
        """Let chaos have its way with a function's call: refuse it, or kill the function.

        Raises:
            Refused: the call is not served.
        """
        with self._changing:
            live = list(self._at_work.get(call.access_key or "", ()))
        if not live:
            return
        (name, record), disorder = live[-1], self._world.disorder
        strike = disorder.strikes(call.service, call.operation(), record)
        if strike == KILLED:
            self._executor.kill(name)  # in this process, that is the end of it
        if strike is not None:
            raise Refused(strike, f"struck by chaos: {disorder.chaos}")

    def client(self, name: str, service: str) -> Any:
        """A boto3 client with the credentials of a function's role, as Lambda itself uses them to
        send what becomes of asynchronous invocations.
        """
        if (name, service) not in self._clients:
            environment = self._spec(name).environment
            keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            session = session_with(self._world.region, *(environment[key] for key in keys))
            self._clients[name, service] = client_of(session, service)
        return self._clients[name, service]

    def _measure(self, name: str, outcome: Outcome, milliseconds: float) -> None:
        """The metrics of one invocation ("Types of metrics for Lambda functions"), of the function
        and of all of them. Durations are real ones, also while time is virtual.
        """
        failed = float(outcome.error is not None)
        values = (("Invocations", 1.0), ("Errors", failed), ("Throttles", 0.0))
        for dimensions in ({"FunctionName": name}, {}):
            for metric, value in values:
                self._world.metrics.put("AWS/Lambda", metric, dimensions, value, "Count")
            self._world.metrics.put(
                "AWS/Lambda", "Duration", dimensions, milliseconds, "Milliseconds"
            )

    def _spec(self, name: str) -> FunctionSpec:
        if name not in self._specs:
            found = self._world.stack.find("AWS::Lambda::Function", name)
            if found is None:
                raise KeyError(f"function {name} was not deployed from the template")
            self._specs[name] = self._made(found)
        return self._specs[name]

    def _made(self, resource: Resource) -> FunctionSpec:
        request, logging = resource.facts["request"], resource.facts["logging"]
        name = resource.physical_id
        started = self._world.clock.now().strftime("%Y/%m/%d")
        stream = f"{started}/[$LATEST]{self._world.new_id().replace('-', '')}"
        environment = {
            **request["Environment"]["Variables"],
            **self._runtime_environment(resource, stream),
            **self._credentials(name, request["Role"]),
        }
        if self._executor.outside:
            environment["AWS_ENDPOINT_URL"] = self._world.endpoint()
        return FunctionSpec(
            name=name,
            arn=resource.attributes["Arn"],
            handler=request["Handler"],
            code=resource.facts["code"],
            layers=tuple(resource.facts["layers"]),
            environment=environment,
            timeout_s=request["Timeout"],
            memory_mb=request["MemorySize"],
            region=self._world.region,
            log_group=logging["group"],
            log_stream=stream,
        )

    def _runtime_environment(self, resource: Resource, stream: str) -> dict[str, str]:
        """Lambda's reserved variables ("Using Lambda environment variables")."""
        request, logging = resource.facts["request"], resource.facts["logging"]
        values = {
            "AWS_DEFAULT_REGION": self._world.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{request['Runtime']}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(request["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_NAME": resource.physical_id,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": logging["format"],
            "AWS_LAMBDA_LOG_GROUP_NAME": logging["group"],
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_REGION": self._world.region,
            "LAMBDA_TASK_ROOT": str(resource.facts["code"]),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
            "_HANDLER": request["Handler"],
        }
        if logging["level"]:
            values["AWS_LAMBDA_LOG_LEVEL"] = logging["level"]
        return values

    def _credentials(self, name: str, role_arn: str) -> dict[str, str]:
        sts = self._world.client("sts")
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName=name)["Credentials"]
        self._world.callers[given["AccessKeyId"]] = None
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def _may_log(self, spec: FunctionSpec, action: str, cause: int) -> bool:
        """Lambda writes logs in the role's name; without permission they are lost, as on AWS."""
        stream = "" if action == "CreateLogGroup" else spec.log_stream
        arn = self._world.arn("logs", f"log-group:{spec.log_group}:log-stream:{stream}")
        return self.act(spec.name, f"logs:{action}", arn, cause).allowed

    def act(self, name: str, action: str, arn: str, cause: int | None = None) -> Decision:
        """What Lambda does in the name of a function's role, such as polling its queue."""
        by = "lambda.amazonaws.com"
        return self._world.guard.act(self.role(name), action, arn, by=by, cause=cause)

    def role(self, name: str) -> str:
        """ARN of a function's role."""
        function = self._world.stack.find("AWS::Lambda::Function", name)
        if function is None:
            raise KeyError(f"function {name} was not deployed from the template")
        return role_of(function)

    def _write_logs(self, spec: FunctionSpec, lines: list[str], cause: int) -> None:
        """Put the lines into CloudWatch Logs."""
        if not lines:
            return
        logs = self._world.client("logs")
        place = (spec.log_group, spec.log_stream)
        if place not in self._streams:
            if not logs.describe_log_groups(logGroupNamePrefix=spec.log_group)["logGroups"]:
                if not self._may_log(spec, "CreateLogGroup", cause):
                    return
                logs.create_log_group(logGroupName=spec.log_group)
            if not self._may_log(spec, "CreateLogStream", cause):
                return
            logs.create_log_stream(logGroupName=spec.log_group, logStreamName=spec.log_stream)
            self._streams.add(place)
        if not self._may_log(spec, "PutLogEvents", cause):
            return
        now = int(self._world.clock.now().timestamp() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        logs.put_log_events(
            logGroupName=spec.log_group, logStreamName=spec.log_stream, logEvents=events
        )
