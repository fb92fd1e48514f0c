"""The deployed functions: their environments, credentials and logs, and invoking them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.deploy.stack import Resource
from localcloud.runtime.base import Executor, FunctionSpec, Outcome
from localcloud.runtime.imports import import_troubles
from localcloud.runtime.packages import check_versions
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
        self._streams: set[tuple[str, str]] = set()

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
        journal, callers = self._world.journal, self._world.callers
        with journal.entry("invocation", name, cause=cause) as entry:
            entry.detail.update(request_id=request_id, **(detail or {}))

            def log(line: str) -> None:
                lines.append(line)
                short = line[:_LONGEST_LINE]
                journal.add("log", name, cause=entry.id, line=short)

            before, callers[access_key] = callers.get(access_key), entry.id
            try:
                with journal.held():
                    outcome = self._executor.invoke(spec, payload, request_id, log)
            finally:
                callers[access_key] = before
            if outcome.error is not None:
                entry.status = "failed"
                entry.detail.update(error=outcome.error.type, message=outcome.error.message[:1000])
        self._write_logs(spec, lines)
        return outcome, request_id

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

    def _write_logs(self, spec: FunctionSpec, lines: list[str]) -> None:
        """Put the lines into CloudWatch Logs; in real time, since it refuses times far ahead."""
        if not lines:
            return
        logs = self._world.client("logs")
        place = (spec.log_group, spec.log_stream)
        if place not in self._streams:
            if not logs.describe_log_groups(logGroupNamePrefix=spec.log_group)["logGroups"]:
                logs.create_log_group(logGroupName=spec.log_group)
            logs.create_log_stream(logGroupName=spec.log_group, logStreamName=spec.log_stream)
            self._streams.add(place)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        logs.put_log_events(
            logGroupName=spec.log_group, logStreamName=spec.log_stream, logEvents=events
        )
