"""A pipeline's run or a step of it has another status: who wants to hear of it, and what they read.

A workload's ``operations.notify`` names steps and statuses exactly. A run that failed is told to the
owner also where no rule asks for it. What is the same change is decided by run, step, status and the time
it happened at, so that repeats of an event are known and a run that is tried again is told again.

What a training run was given that succeeded is kept beside: a retune starts on it, never on files that made
no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signalbox.contracts.alerts import Message
from signalbox.contracts.datasets import Consumed, Trained
from signalbox.contracts.operations import Operations
from signalbox.contracts.pipelines import Change, PipelineChange
from signalbox.contracts.workload import Workload
from signalbox.domain.mail import address_of, at, how_long, mail, table
from signalbox.domain.telling import Ledger, Topic, once
from signalbox.errors import Rejected

WORKLOAD = "Workload"
RUN = "Run"
"""Parameters that every run of the house's pipelines is started with."""

Noticed = Literal["told", "repeated", "not-asked-for", "ignored"]


class Executions(Protocol):
    """Runs of pipelines."""

    def parameters(self, execution: str) -> Mapping[str, str]:
        """Return the parameters that a run was started with."""

    def why_failed(self, execution: str) -> str:
        """Return why a run failed, step by step where that is known; may be nothing."""


class TrainedOn(Protocol):
    """What models were trained on."""

    def remember(self, kind: Trained, workload: str, consumed: Consumed) -> None:
        """Note what a run was given, unless a later run was noted already."""


@dataclass(frozen=True, slots=True)
class Wish:
    """That a change is told: with which words of the workload, and whether somebody has to act."""

    messages: tuple[str, ...]
    action_required: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose run it is."""

    workload: str
    run: str
    operations: Operations


def wish_for(change: Change, operations: Operations) -> Wish | None:
    """Return what the rules of a workload want of a change, all that fit together, or None."""
    fitting = [
        rule
        for rule in operations.notify
        if rule.step == change.step and change.status in rule.status
    ]
    if not fitting and (change.step is not None or not change.failed):
        return None
    words = dict.fromkeys(rule.message for rule in fitting if rule.message)
    return Wish(tuple(words), any(rule.action_required for rule in fitting))


def origin_of(
    parameters: Mapping[str, str], workloads: Mapping[str, Workload], execution: str
) -> Origin:
    """Return whose run it is.

    Raises:
        Rejected: its parameters name no workload with an owner.
    """
    name = parameters.get(WORKLOAD, "")
    found = workloads.get(name)
    if found is None or found.operations is None:
        known = ", ".join(sorted(n for n, w in workloads.items() if w.operations is not None))
        raise Rejected(
            "unknown-workload",
            f"{execution} was started with {WORKLOAD}={name!r}, so it has no owner; start it with "
            f"one that has operations: {known or 'none'}",
        )
    return Origin(name, parameters.get(RUN, ""), found.operations)


def thing_of(change: Change) -> str:
    """Return what tells one change from every other, also of the same run tried again."""
    moment = change.ended or change.started
    told = [change.execution.lower(), change.step or "", change.status]
    return " ".join([*told, moment.isoformat() if moment else ""])


def notice(event: PipelineChange, origin: Origin, wish: Wish, why: str) -> Message:
    """Write the mail about a change."""
    change, operations = event.detail, origin.operations
    began, ended = change.started, change.ended
    what = f"step {change.step}" if change.step else "the run"
    took = f", after {how_long(ended - began)}" if began and ended else ""
    rows = {
        "Workload": origin.workload,
        "Pipeline": change.pipeline_name,
        "Execution": " ".join(filter(None, [change.execution_id, change.display_name])),
        "Run": origin.run,
        "Step": ", ".join(filter(None, [change.step or "", change.step_type])),
        "Status": change.status + (f", before {change.previous}" if change.previous else ""),
        "Began": at(began),
        "Ended": at(ended) + took if ended else "",
        "Told": at(event.time),
        "Why": why,
    }
    lines = [f"Pipeline {change.pipeline_name}: {what} of {origin.workload} is {change.status}."]
    for message in wish.messages:
        lines += ["", *message.splitlines()]
    lines += ["", *table(rows), "", "See more:", f"  signalbox runs {change.execution_id}"]
    return mail(
        address_of(origin.workload, "pipeline", change.status, operations),
        f"{change.status}, {what} of {change.pipeline_name}",
        lines,
        _detail(event, origin, wish, why),
        action_required=wish.action_required,
    )


def _detail(event: PipelineChange, origin: Origin, wish: Wish, why: str) -> dict[str, object]:
    change = event.detail
    return {
        "workload": origin.workload,
        "run": origin.run,
        "pipeline": change.pipeline_name,
        "execution": change.execution,
        "step": change.step,
        "status": change.status,
        "previous": change.previous,
        "began": change.started.isoformat() if change.started else None,
        "ended": change.ended.isoformat() if change.ended else None,
        "why": why,
        "messages": list(wish.messages),
        "action_required": wish.action_required,
        "owner": origin.operations.owner,
        "recipients": list(origin.operations.recipients),
    }


@dataclass(frozen=True, slots=True)
class Notices:
    """Everything a change of a pipeline meets."""

    workloads: Mapping[str, Workload]
    executions: Executions
    history: TrainedOn
    train_pipeline: str
    ledger: Ledger
    topic: Topic

    def tell(self, event: PipelineChange, now: datetime) -> Noticed:
        """Tell of a change what its workload wants told, once; keep what a model was made of.

        Raises:
            Rejected: a run failed that nobody owns.
            Transient: somebody else may be telling it right now.
        """
        change = event.detail
        parameters = self.executions.parameters(change.execution)
        try:
            origin = origin_of(parameters, self.workloads, change.execution)
        except Rejected:
            if change.step is None and change.failed:
                raise
            return "ignored"  # what somebody tries out by hand concerns nobody, until it fails
        self._keep(event, origin, parameters)
        wish = wish_for(change, origin.operations)
        if wish is None:
            return "not-asked-for"
        with once(self.ledger, thing_of(change), now) as new:
            if new:
                self.topic.publish(notice(event, origin, wish, self._why(change)))
        return "told" if new else "repeated"

    def _keep(self, event: PipelineChange, origin: Origin, parameters: Mapping[str, str]) -> None:
        change, inputs = event.detail, parameters.get("Inputs")
        trains = change.pipeline_name.lower() == self.train_pipeline.lower()
        if trains and change.step is None and change.status == "Succeeded" and inputs:
            began, execution = change.started or event.time, change.execution
            consumed = Consumed(run=origin.run, inputs=inputs, at=began, execution=execution)
            self.history.remember("trained", origin.workload, consumed)

    def _why(self, change: Change) -> str:
        if change.step is None and change.failed:
            return self.executions.why_failed(change.execution)
        return change.failure_reason
