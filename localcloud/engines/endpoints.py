"""SageMaker endpoints: real containers behind InvokeEndpoint, and their states and events.

Citations: CreateEndpointConfig, CreateEndpoint, UpdateEndpoint, DeleteEndpoint and DescribeEndpoint
of the SageMaker API Reference; "Use Your Own Inference Code with Hosting Services" and "Events that
Amazon SageMaker AI sends to Amazon EventBridge" of its Developer Guide.
"""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from localcloud.bus import Bus
from localcloud.engines import asynchronous
from localcloud.engines.base import Outside, RunError
from localcloud.engines.calls import asked_of, judged, measure
from localcloud.engines.guardrails import STEP_S, Guardrail, guardrail, tripped
from localcloud.engines.models import Models, variant_summary
from localcloud.engines.process import Processes
from localcloud.engines.sagemaker import NAME, in_milliseconds, must_match, only, refuse
from localcloud.engines.server import CALL_S, Server
from localcloud.hosting import Answer, Invocation
from localcloud.wiring import Refused, RefusedError
from localcloud.world import World

_HEALTH_S = 240  # "within 4 minutes", unless the variant says more
_LONGEST_REASON = 1024
_NOT_OF_CONFIG = (
    "CrossRegionTrafficConfig", "DataCaptureConfig",
    "EnableNetworkIsolation", "ExecutionRoleArn", "ExplainerConfig", "MetricsConfig",
    "ShadowProductionVariants", "VpcConfig",
)  # fmt: skip
_NOT_OF_VARIANT = (
    "AcceleratorPartitionLayouts", "AcceleratorType", "CapacityReservationConfig",
    "CoreDumpConfig", "EnableSSMAccess", "InstancePools", "ManagedInstanceScaling",
    "RoutingConfig", "ServerlessConfig",
)  # fmt: skip


@dataclass(eq=False)
class _Endpoint:
    """One endpoint.

    Attributes:
        facts: what Describe answers.
        record: journal record of what was asked last, which causes what follows.
        server: who answers; None before the first is healthy.
    """

    facts: dict[str, Any]
    record: int = 0
    server: Server | None = None

    @property
    def name(self) -> str:
        return str(self.facts["EndpointName"])

    @property
    def account(self) -> str:
        return str(self.facts["EndpointArn"]).split(":")[4]


class Endpoints:
    """Every endpoint of every account.

    Args:
        world: the cloud.
        bus: where changes of state go.
        outside: starts and stops containers.

    Attributes:
        start_s: virtual seconds that creating, updating and rolling back take.
        second_s: real seconds that one second of a limit lasts.
    """

    start_s = 60.0
    second_s = 1.0

    def __init__(self, world: World, bus: Bus, outside: Outside) -> None:
        self._world = world
        self._bus = bus
        self._outside = outside
        self._models = Models(world)
        self._asynchronous = asynchronous.Asynchronous(world, outside)
        self._processes = Processes()
        self._there: dict[str, _Endpoint] = {}
        self._servers: set[Server] = set()
        self._lock = threading.RLock()

    def configure(self, facts: dict[str, Any]) -> None:
        """See that a configuration can be served by: one variant, one instance, one model.

        Raises:
            RefusedError: it cannot, or asks for what is not played.
        """
        must_match(facts, "EndpointConfigName", NAME)
        refuse(facts, *_NOT_OF_CONFIG)
        if "AsyncInferenceConfig" in facts:
            asynchronous.check(facts["AsyncInferenceConfig"])
        variants = facts["ProductionVariants"]
        if len(variants) != 1:
            raise RefusedError("only one production variant is supported by the local cloud")
        (variant,) = variants
        refuse(variant, *_NOT_OF_VARIANT)
        only(variant, "InitialInstanceCount", 1)
        for name in ("ModelName", "InstanceType"):
            if not variant.get(name):
                raise RefusedError(f"variant {variant['VariantName']}: {name} is needed")
        account = str(facts["EndpointConfigArn"]).split(":")[4]
        self._models.find(str(variant["ModelName"]), account)
        facts["CreationTime"] = self._world.clock.now()
        variant.setdefault("InitialInstanceCount", 1)
        variant.setdefault("InitialVariantWeight", 1.0)

    def create(self, facts: dict[str, Any], config: Mapping[str, Any], cause: int | None) -> None:
        """Begin to create an endpoint.

        Raises:
            RefusedError: it asks for what is not played.
        """
        must_match(facts, "EndpointName", NAME)
        refuse(facts, "DeploymentConfig")
        endpoint = _Endpoint(facts)
        facts["CreationTime"] = self._world.clock.now()
        with self._lock:
            self._there[str(facts["EndpointArn"])] = endpoint
            endpoint.record = self._tell(endpoint, "Creating", cause)
            self._soon(partial(self._begin, endpoint, copy.deepcopy(config), Guardrail()))

    def update(
        self,
        facts: dict[str, Any],
        asked: Mapping[str, Any],
        config: Mapping[str, Any],
        cause: int | None,
    ) -> None:
        """Begin to serve by another configuration; the one before serves until that is healthy.

        It comes back if the new one is not, or if an alarm trips while it bakes (`guardrails`).

        Raises:
            RefusedError: it is not InService, or what is asked for is not played.
        """
        refuse(asked, "RetainAllVariantProperties", "RetainDeploymentConfig")
        rail = guardrail(asked)
        with self._lock:
            endpoint = self._there[str(facts["EndpointArn"])]
            self._settled(endpoint, "InService")
            facts.pop("FailureReason", None)
            facts.pop("LastDeploymentConfig", None)
            if "DeploymentConfig" in asked:
                facts["LastDeploymentConfig"] = asked["DeploymentConfig"]
            endpoint.record = self._tell(endpoint, "Updating", cause)
            self._soon(partial(self._begin, endpoint, copy.deepcopy(config), rail))

    def delete(self, facts: dict[str, Any], forget: Callable[[], None], cause: int | None) -> None:
        """Begin to delete an endpoint; `forget` is called once its container has ended.

        Raises:
            RefusedError: it is just created, updated or deleted.
        """
        with self._lock:
            endpoint = self._there[str(facts["EndpointArn"])]
            self._settled(endpoint, "InService", "Failed")
            endpoint.record = self._tell(endpoint, "Deleting", cause)
            server, endpoint.server = endpoint.server, None

        self._world.clock.after(0.0, partial(self._remove, endpoint, server, forget))

    def invoke(self, invocation: Invocation) -> Answer:
        """InvokeEndpoint.

        Raises:
            Refused: ValidationError, for an endpoint that is not there or what is not played.
        """
        headers = asked_of(invocation)
        _, server, output = self._serving(invocation)
        if output is not None:
            message = f"Endpoint {invocation.endpoint} takes asynchronous calls only."
            raise Refused("ValidationError", message)
        if invocation.asked.get("TargetVariant") not in (None, server.variant):
            raise Refused("ValidationError", f"Endpoint {invocation.endpoint} has no such variant.")
        reply = server.call(invocation.body, headers, CALL_S * self.second_s)
        measure(self._world, invocation.endpoint, server.variant, reply)
        group = self._world.arn("logs", f"log-group:{server.group}")
        return judged(reply, server.variant, group)

    def invoke_later(self, invocation: Invocation, cause: int | None) -> Answer:
        """InvokeEndpointAsync.

        Raises:
            Refused: ValidationError, for an endpoint that is not there or not asynchronous.
        """
        endpoint, server, output = self._serving(invocation)
        if output is None:
            message = f"Endpoint {invocation.endpoint} takes no asynchronous calls."
            raise Refused("ValidationError", message)
        record = endpoint.record if cause is None else cause
        return self._asynchronous.begin(invocation, server, output, record, self.second_s)

    def _serving(
        self, invocation: Invocation
    ) -> tuple[_Endpoint, Server, Mapping[str, Any] | None]:
        """An endpoint, who answers for it, and the OutputConfig of one that is asynchronous."""
        name, account = invocation.endpoint, invocation.account
        with self._lock:
            for each in self._there.values():
                if (each.account, each.name) == (account, name) and each.server is not None:
                    config = each.facts.get("AsyncInferenceConfig")
                    return each, each.server, config and config["OutputConfig"]
        raise Refused("ValidationError", f"Endpoint {name} of account {account} not found.")

    def close(self) -> None:
        """End every container."""
        self._processes.close()
        for server in list(self._servers):
            server.end()

    def clean(self) -> None:
        """Remove the folders of containers that ended with the cloud; after `close`."""
        for server in self._servers:
            server.clean()

    def _begin(self, endpoint: _Endpoint, config: Mapping[str, Any], rail: Guardrail) -> None:
        self._outside(
            partial(self._start, endpoint, config), partial(self._started, endpoint, config, rail)
        )

    def _start(self, endpoint: _Endpoint, config: Mapping[str, Any]) -> Server | str:
        """A healthy server, or why there is none."""
        (variant,) = config["ProductionVariants"]
        limit = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _HEALTH_S)
        word, name = str(variant["VariantName"]), endpoint.name
        try:
            container = self._models.container(str(variant["ModelName"]), endpoint.account)
            server = Server(self._world, self._processes, container, name, word, endpoint.record)
            self._servers.add(server)
            server.start(limit * self.second_s)
        except (RunError, RefusedError) as error:
            return str(error)
        try:
            if "AsyncInferenceConfig" in config:
                output = config["AsyncInferenceConfig"]["OutputConfig"]
                self._asynchronous.try_topics(server, output, endpoint.record)
        except RunError as error:
            self._stop(server)
            return str(error)
        return server

    def _started(
        self,
        endpoint: _Endpoint,
        config: Mapping[str, Any],
        rail: Guardrail,
        result: Server | str,
    ) -> None:
        before = None
        with self._lock:
            if not isinstance(result, Server):
                self._fail(endpoint, result)
            elif rail.alarms and endpoint.server is not None:
                before, endpoint.server = endpoint.server, result
                self._bake(endpoint, config, rail, before, rail.bake_s)
                return
            else:
                before = self._serve(endpoint, config, result)
        self._end(before)

    def _bake(
        self,
        endpoint: _Endpoint,
        config: Mapping[str, Any],
        rail: Guardrail,
        before: Server,
        left_s: float,
    ) -> None:
        """Look at the alarms in a minute, and every minute, until the time is up."""
        wait_s = min(STEP_S, left_s)
        server = endpoint.server
        assert server is not None  # noqa: S101 - nothing else may happen to it meanwhile
        look = partial(tripped, self._world, server.container.role, endpoint.record, rail)
        baked = partial(self._baked, endpoint, config, rail, before, left_s - wait_s)
        self._world.clock.after(
            0.0 if self._world.real_time else wait_s, lambda: self._outside(look, baked)
        )

    def _baked(
        self,
        endpoint: _Endpoint,
        config: Mapping[str, Any],
        rail: Guardrail,
        before: Server,
        left_s: float,
        why: str,
    ) -> None:
        with self._lock:
            server = endpoint.server
            assert server is not None  # noqa: S101 - as above
            if why:
                endpoint.server = before
                self._fail(endpoint, why)
            elif left_s > 0:
                self._bake(endpoint, config, rail, before, left_s)
                return
            else:
                self._serve(endpoint, config, server)
        self._end(server if why else before)

    def _end(self, server: Server | None) -> None:
        if server is not None:
            self._outside(partial(self._stop, server), lambda _: None)

    def _serve(
        self, endpoint: _Endpoint, config: Mapping[str, Any], server: Server
    ) -> Server | None:
        """Serve by a healthy server from now on; returns the one before."""
        before, endpoint.server = endpoint.server, server
        facts = endpoint.facts
        facts["EndpointConfigName"] = config["EndpointConfigName"]
        image, now = server.container.image, self._world.clock.now()
        facts["ProductionVariants"] = [variant_summary(config, image, now)]
        facts.pop("AsyncInferenceConfig", None)
        if "AsyncInferenceConfig" in config:
            facts["AsyncInferenceConfig"] = config["AsyncInferenceConfig"]
        self._tell(endpoint, "InService")
        return before

    def _fail(self, endpoint: _Endpoint, reason: str) -> None:
        """Fail, or roll back to what serves still."""
        endpoint.facts["FailureReason"] = reason[:_LONGEST_REASON]
        if endpoint.server is None:
            self._tell(endpoint, "Failed")
        else:
            self._tell(endpoint, "RollingBack")
            self._soon(partial(self._rolled_back, endpoint))

    def _rolled_back(self, endpoint: _Endpoint) -> None:
        with self._lock:
            self._tell(endpoint, "InService")

    def _remove(
        self, endpoint: _Endpoint, server: Server | None, forget: Callable[[], None]
    ) -> None:
        def gone(_: None) -> None:
            with self._lock:
                del self._there[str(endpoint.facts["EndpointArn"])]
                forget()

        self._outside(partial(self._stop, server), gone)

    def _stop(self, server: Server | None) -> None:
        if server is not None:
            server.stop()
            self._servers.discard(server)

    def _settled(self, endpoint: _Endpoint, *states: str) -> None:
        """Refuse to change an endpoint that is not in one of these states."""
        status = endpoint.facts["EndpointStatus"]
        if status not in states:
            arn = endpoint.facts["EndpointArn"]
            raise RefusedError(f'Cannot update in-progress endpoint "{arn}": it is {status}.')

    def _tell(self, endpoint: _Endpoint, status: str, cause: int | None = None) -> int:
        """A new status: in the API, then in the journal, then as an event; returns its record."""
        facts = endpoint.facts
        facts["EndpointStatus"] = status
        facts["LastModifiedTime"] = self._world.clock.now()
        failed = status in {"Failed", "RollingBack"}
        shown = {"ErrorMessage": facts["FailureReason"]} if failed else {}
        record = self._world.journal.add(
            "job", endpoint.name, status, cause=cause or endpoint.record or None,
            run_id=facts["EndpointArn"], **shown,
        ).id  # fmt: skip
        detail = in_milliseconds({**facts, "EndpointStatus": _in_event(status), "Tags": {}})
        self._bus.publish(
            "aws.sagemaker", "SageMaker Endpoint State Change", detail,
            resources=[facts["EndpointArn"]], cause=record, account=endpoint.account,
        )  # fmt: skip
        return record

    def _soon(self, task: Callable[[], None]) -> None:
        self._world.clock.after(0.0 if self._world.real_time else self.start_s, task)


def _in_event(status: str) -> str:
    """The status as events have it: IN_SERVICE for InService."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).upper()
