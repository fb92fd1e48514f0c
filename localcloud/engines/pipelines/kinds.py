"""How each type of step does its work, as the execution's role.

Citations: "Pipeline steps" of the SageMaker Developer Guide; StopPipelineExecution and
PipelineExecutionStepMetadata of the API Reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.engines.base import RunError
from localcloud.engines.pipelines import conditions
from localcloud.engines.pipelines.execution import Execution, StepRun
from localcloud.engines.pipelines.parameters import text_of
from localcloud.engines.pipelines.references import Scope, resolved
from localcloud.engines.pipelines.types import CALLS, JOBS

Clients = Callable[[str], Any]
_LONGEST_OUTPUT = 1024
_READ: Mapping[str, Callable[[Any], Any]] = {
    "String": str, "Integer": int, "Float": float, "Boolean": lambda value: str(value) == "true",
}  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """One try of one step.

    Attributes:
        execution: whose step.
        run: the step.
        clients: boto3 clients with the credentials of the execution's role.
        scope: what references stand for.
        name: for what it makes.
        token: for a callback.
    """

    execution: Execution
    run: StepRun
    clients: Clients
    scope: Scope
    name: str
    token: str

    def given(self, member: str) -> Any:
        """A member of the step, its references replaced."""
        return resolved(self.run.step.body.get(member), self.scope)


@dataclass(frozen=True)
class Begun:
    """What came of a try: what it waits for, or its properties, if it is over already."""

    metadata: dict[str, Any]
    waits: str = ""
    properties: Any = None
    failure: str = ""


@dataclass(frozen=True)
class Done:
    """How a step ended: Succeeded, Failed or Stopped, why, and what references lead into."""

    status: str
    reason: str = ""
    properties: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


def begin(attempt: Attempt) -> Begun:
    """Do what a step does first.

    Raises:
        RunError: it cannot; so may whatever a client raises.
    """
    kind = attempt.run.step.type
    if kind in CALLS:
        return _call(attempt)
    return {"Condition": _condition, "Fail": _fail, "Callback": _callback, "Lambda": _function}[
        kind
    ](attempt)


def _call(attempt: Attempt) -> Begun:
    kind = attempt.run.step.type
    call, client = CALLS[kind], attempt.clients("sagemaker")
    request = attempt.given("Arguments")
    if kind == "RegisterModel":
        made_by = {"GeneratedBy": attempt.execution.arn}
        request["MetadataProperties"] = {**made_by, **(request.get("MetadataProperties") or {})}
    else:
        request[call.name] = attempt.name
    answer = getattr(client, _method(call.create))(**request)
    arn = next(str(value) for key, value in answer.items() if key.endswith("Arn"))
    metadata = {call.metadata: {"Arn": arn}}
    return Begun(metadata, waits=arn if kind in JOBS else "", properties=None)


def described(client: Any, kind: str, arn: str) -> dict[str, Any]:
    """The properties of what a step made: what Describe answers of it.

    Args:
        client: SageMaker's, which may ask.
        kind: type of the step.
        arn: of what it made.
    """
    call = CALLS[kind]
    key = arn if kind == "RegisterModel" else arn.rpartition("/")[2]
    answer: dict[str, Any] = getattr(client, _method(call.describe))(**{call.name: key})
    answer.pop("ResponseMetadata")
    if kind == "Tuning":
        answer["TrainingJobSummaries"] = client.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=key,
            SortBy="FinalObjectiveMetricValue",
            SortOrder=_best_first(answer),
        )["TrainingJobSummaries"]
    return answer


def _best_first(tuning: Mapping[str, Any]) -> str:
    objective = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return "Ascending" if objective["Type"] == "Minimize" else "Descending"


def job_end(kind: str, facts: Mapping[str, Any], stopping: bool) -> Done:
    """How a step ends whose job has ended.

    Args:
        kind: type of the step.
        facts: what Describe answers of the job.
        stopping: whether the execution is being stopped.
    """
    what = "HyperParameterTuning" if kind == "Tuning" else kind
    status = facts[f"{what}JobStatus"]
    if status == "Completed":
        return Done("Succeeded", properties=facts)
    if status == "Stopped" and stopping:
        return Done("Stopped")
    reason = facts.get("FailureReason") or f"the job is {status}"
    return Done("Failed", f"ClientError: {CALLS[kind].metadata} failed: {reason}")


def _condition(attempt: Attempt) -> Begun:
    given = attempt.run.step.arguments["Conditions"]
    true = all(
        conditions.holds(each, lambda value: resolved(value, attempt.scope)) for each in given
    )
    outcome = "True" if true else "False"
    return Begun({"Condition": {"Outcome": outcome}}, properties={"Outcome": outcome})


def _fail(attempt: Attempt) -> Begun:
    message = text_of(attempt.given("Arguments")["ErrorMessage"])
    return Begun({"Fail": {"ErrorMessage": message}}, failure=message)


def _callback(attempt: Attempt) -> Begun:
    queue = str(attempt.given("SqsQueueUrl"))
    body = {
        "token": attempt.token,
        "status": "Executing",
        "pipelineExecutionArn": attempt.execution.arn,
        "arguments": attempt.given("Arguments") or {},
    }
    attempt.clients("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    told = {"CallbackToken": attempt.token, "SqsQueueUrl": queue}
    return Begun({"Callback": told}, waits=attempt.token)


def stop_callback(clients: Clients, execution: str, token: str, queue: str) -> None:
    """Tell the queue of a waiting callback that the execution is being stopped."""
    body = {"token": token, "status": "Stopping", "pipelineExecutionArn": execution}
    clients("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(body))


def _function(attempt: Attempt) -> Begun:
    arn = str(attempt.given("FunctionArn"))
    return Begun({"Lambda": {"Arn": arn}}, waits=f"{attempt.execution.arn}/{attempt.run.step.name}")


def invoked(attempt: Attempt) -> Done:
    """Invoke a Lambda step's function and wait for its answer."""
    arn = str(attempt.given("FunctionArn"))
    payload = json.dumps(attempt.given("Arguments") or {})
    answer = attempt.clients("lambda").invoke(FunctionName=arn, Payload=payload)
    text = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise RunError(f"ClientError: Lambda function {arn} failed: {text.decode()[:900]}")
    try:
        found = json.loads(text or b"null")
    except ValueError as error:
        raise RunError(f"ClientError: Lambda function {arn} answered no JSON") from error
    return _told(attempt.run, found if isinstance(found, dict) else {}, "Lambda")


def called_back(run: StepRun, outputs: list[Mapping[str, str]]) -> Done:
    """How a Callback step ends that SendPipelineExecutionStepSuccess was called for."""
    return _told(run, {each["Name"]: each["Value"] for each in outputs}, "Callback")


def _told(run: StepRun, found: Mapping[str, Any], room: str) -> Done:
    """Its declared outputs, each of its type."""
    values: dict[str, Any] = {}
    for name, kind in run.step.outputs.items():
        if name not in found:
            raise RunError(f"ClientError: output parameter {name} is missing in the answer")
        text = text_of(found[name])
        if len(text) > _LONGEST_OUTPUT:
            raise RunError(
                f"ClientError: output parameter {name} is over {_LONGEST_OUTPUT} characters"
            )
        try:
            values[name] = _READ[kind](text)
        except ValueError as error:
            raise RunError(
                f"ClientError: output parameter {name} is no {kind}: {text!r}"
            ) from error
    told = [{"Name": name, "Value": text_of(value)} for name, value in values.items()]
    metadata = {room: {**run.metadata[room], "OutputParameters": told}}
    return Done("Succeeded", properties={"OutputParameters": values}, metadata=metadata)


def _method(operation: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in operation)[1:]
