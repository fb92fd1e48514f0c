"""SageMaker transform jobs: a model's container, fed with the objects of an S3 prefix.

The engine fetches the model and the input and uploads the output, all with the credentials of the
model's role; between them `batch.py` runs, which starts the container and talks to it.

Citations: CreateTransformJob, StopTransformJob, TransformInput, TransformOutput and DataProcessing
of the SageMaker API Reference; "Use Your Own Inference Code with Batch Transform" and "Events that
Amazon SageMaker AI sends to Amazon EventBridge" of its Developer Guide.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from localcloud.bus import Bus
from localcloud.engines.base import Program, Run, RunError, State
from localcloud.engines.ml import MlFolder
from localcloud.engines.models import Container, Models, serving
from localcloud.engines.process import Ended
from localcloud.engines.runs import Runs
from localcloud.engines.sagemaker import SageMakerJobs, failure, only, refuse
from localcloud.engines.serving import UNHEALTHY, free_port
from localcloud.wiring import RefusedError
from localcloud.world import World

_BATCH = str(Path(__file__).with_name("batch.py"))
_GROUP = "/aws/sagemaker/TransformJobs"
_HEALTH_S = 240.0
_MOST_MB = 100
_WHOLE = ("$", "")  # a JSONPath that takes everything
_INPUT, _OUTPUT = "/opt/ml/transform/input", "/opt/ml/transform/output"
_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}


class TransformJobs(SageMakerJobs):
    """Plays every transform job."""

    kind = "Transform"
    groups: Mapping[str, str] = {"out": _GROUP, "err": _GROUP}
    grace_s = 30.0  # "SageMaker sends SIGTERM, and SIGKILL 30 seconds later"
    longest_s = 432_000.0  # "Amazon SageMaker endpoints and quotas": five days

    def __init__(self, world: World, bus: Bus, runs: Runs) -> None:
        super().__init__(world, bus, runs)
        self._models = Models(world)

    def role(self, facts: Mapping[str, Any]) -> str:
        """That of the model: a transform job has none of its own."""
        return self._container(facts).role

    def check(self, facts: dict[str, Any]) -> None:
        """One instance, S3 objects as they are, whole or line by line."""
        only(facts["TransformResources"], "InstanceCount", 1)
        refuse(facts, "DataCaptureConfig", "ExperimentConfig")
        given = facts["TransformInput"]
        only(given, "CompressionType", "None")
        only(given, "SplitType", "None", "Line")
        only(given["DataSource"]["S3DataSource"], "S3DataType", "S3Prefix", "ManifestFile")
        processing = facts.get("DataProcessing") or {}
        only(processing, "InputFilter", *_WHOLE)
        only(processing, "OutputFilter", *_WHOLE)
        only(processing, "JoinSource", "None")
        for uri in (_source(facts), facts["TransformOutput"]["S3OutputPath"]):
            if not str(uri).startswith("s3://"):
                raise RefusedError(f"{uri!r} is not an S3 URI")
        most, payload = facts.get("MaxConcurrentTransforms"), facts.get("MaxPayloadInMB")
        if payload == 0:
            raise RefusedError("MaxPayloadInMB 0 (chunks) is not supported by the local cloud")
        if (most or 1) * (payload or 0) > _MOST_MB:
            message = f"MaxConcurrentTransforms * MaxPayloadInMB must not exceed {_MOST_MB} MB"
            raise RefusedError(message)

    def emit(self, run: Run, record: int) -> None:
        """Told when its status changes; RUNNING is InProgress still."""
        if run.state != "RUNNING":
            super().emit(run, record)

    def detail(self, run: Run) -> dict[str, Any]:
        """The Describe answer, and a place for tags."""
        told = super().detail(run)
        told.pop("LastModifiedTime")  # which only lists tell
        return {**told, "Tags": {}}

    def prepare(self, run: Run, client: Callable[[str], Any]) -> Program:
        """Fetch model and input, and write the plan that `batch.py` follows."""
        facts, ml = run.data, self.folder(run, client)
        port = free_port()
        try:
            container = self._container(facts)
        except RefusedError as error:  # deleted since
            raise RunError(f"ClientError: {error}") from error
        command, environment = serving(container, self.world.images, ml, port, _variables(facts))
        objects = self._fetch(facts, ml)
        plan = {
            "command": list(command),
            "folder": str(run.folder),
            "port": port,
            "health_s": _HEALTH_S * self.runs.second_s,
            "grace_s": self.grace_s * self.runs.second_s,
            "names": sorted(objects),
            "uris": objects,
            "input": str(ml.path(_INPUT)),
            "output": str(ml.path(_OUTPUT)),
            "failure": str(_said(run)),
            **self._sending(facts),
        }
        place = run.folder / "plan.json"
        place.write_text(json.dumps(plan), encoding="utf-8")
        return Program([sys.executable, "-I", _BATCH, str(place)], environment, run.folder)

    def _container(self, facts: Mapping[str, Any]) -> Container:
        return self._models.container(str(facts["ModelName"]), _account(facts))

    def _fetch(self, facts: Mapping[str, Any], ml: MlFolder) -> dict[str, str]:
        """Where each input object lies, by its name under the prefix."""
        source = facts["TransformInput"]["DataSource"]["S3DataSource"]
        return ml.fetch(source["S3Uri"], source["S3DataType"], _INPUT)

    def _sending(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        given, wanted = facts["TransformInput"], facts["TransformOutput"]
        calls = facts.get("ModelClientConfig") or {}
        headers = {"Content-Type": given.get("ContentType"), "Accept": wanted.get("Accept")}
        seconds = calls.get("InvocationsTimeoutInSeconds") or 600
        return {
            "headers": {name: value for name, value in headers.items() if value},
            "split": given.get("SplitType", "None"),
            "assemble": wanted.get("AssembleWith", "None"),
            "strategy": facts.get("BatchStrategy", ""),
            "max_payload_mb": facts.get("MaxPayloadInMB"),
            "max_concurrent": facts.get("MaxConcurrentTransforms"),
            "timeout_s": seconds * self.runs.second_s,
            "retries": calls.get("InvocationsMaxRetries", 3),
        }

    def finish(self, run: Run, state: State, client: Callable[[str], Any]) -> str:
        """Upload what was transformed, unless the job was stopped; say why it failed.

        "When you stop a batch transform job before it is completed, Amazon SageMaker doesn't store
        the job's output in Amazon S3."
        """
        if run.place is None or not isinstance(run.ended, Ended):
            return failure(run, "")
        if state in {"SUCCEEDED", "FAILED"}:
            wanted, ml = run.data["TransformOutput"], self.folder(run, client)
            ml.put(_OUTPUT, wanted["S3OutputPath"], wanted.get("KmsKeyId"))
        said = _said(run)
        if state == "FAILED" and said.is_file():
            reason = said.read_text(encoding="utf-8")
            last = run.ended.last_errors[-1:] if UNHEALTHY in reason else ()
            return ": ".join([reason, *last])
        return failure(run, "") if state == "FAILED" else ""


def _said(run: Run) -> Path:
    return run.folder / "failure"


def _account(facts: Mapping[str, Any]) -> str:
    return str(facts["TransformJobArn"]).split(":")[4]


def _source(facts: Mapping[str, Any]) -> str:
    return str(facts["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])


def _variables(facts: Mapping[str, Any]) -> dict[str, str]:
    """ "How SageMaker Runs Your Inference Image" of batch transform."""
    return {
        **(facts.get("Environment") or {}),
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": _STRATEGIES[facts.get("BatchStrategy") or "MultiRecord"],
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(facts.get("MaxConcurrentTransforms") or 1),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(facts.get("MaxPayloadInMB") or 6),
    }
