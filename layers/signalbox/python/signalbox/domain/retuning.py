"""A model failed its quality check: it is tuned anew, within limits, and its owner hears of it once.

    failed step ─► by its gate? ─► decision, for good ─► StartPipelineExecution, by a token ─► noted ─► told

A check that could not be made, of truth about other ids for instance, says nothing of the model: the run's
failure is told as any other's (on_pipeline_change), and nothing is tuned.

A decision is written on condition that there is none about the same check and, where it starts something,
that no other retune of the workload was decided since the guard looked. So of checks that fail at the same
time one starts a retune, and a repeat finds what was decided. Every step after it may be repeated: a token
starts one run. How long SageMaker remembers a token is documented nowhere; once the answer is noted nothing
asks again, so a second run needs a power failure between answer and note *and* a token forgotten since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from signalbox.contracts.datasets import Consumed, Trained
from signalbox.contracts.gate import BELOW
from signalbox.contracts.pipelines import Change, StepChange
from signalbox.contracts.registry import group_of
from signalbox.contracts.workload import Workload
from signalbox.domain.announce import Bus
from signalbox.domain.announce_models import retune_started, retune_suppressed
from signalbox.domain.notices import RUN, WORKLOAD, Executions, Origin, origin_of
from signalbox.domain.retune_guard import Decision, Verdict, judge, token_of
from signalbox.domain.retune_message import compose
from signalbox.domain.telling import Ledger, Topic, once
from signalbox.errors import NotDeployed, Transient

ATTEMPTS = 5

Retuned = Literal["started", "suppressed", "repeated", "ignored"]


class Retunes(Protocol):
    """What was started and decided. Every change is conditional: of two contenders one wins."""

    def decided(self, workload: str, token: str) -> Decision | None:
        """Return what was decided about a failed check."""

    def standing(self, workload: str, most: int) -> tuple[str | None, Sequence[datetime]]:
        """Return what names the newest retune, and when the newest ``most`` were started, newest first."""

    def decide(self, decision: Decision, newest: str | None) -> bool:
        """Write a decision; False if there is one, or it starts and ``newest`` is not the newest any more."""

    def started(self, decision: Decision, tune_execution: str) -> Decision:
        """Note which run was started."""


class TrainedOn(Protocol):
    """What models were trained on."""

    def latest(self, kind: Trained, workload: str) -> Consumed | None:
        """Return what the latest training run was given that succeeded, or None if none did."""


class Checks(Executions, Protocol):
    """Runs of pipelines, and the jobs that are their steps."""

    def said(self, job: str) -> str:
        """Return what a processing job said in the end; may be nothing."""


class Starter(Protocol):
    """Starts runs of pipelines."""

    def asks_for(self, pipeline: str) -> frozenset[str]:
        """Return the parameters that a pipeline's definition names.

        Raises:
            NotDeployed: there is no such pipeline.
        """

    def start(
        self, pipeline: str, parameters: Mapping[str, str], token: str, display_name: str
    ) -> str:
        """Start a run and return its ARN; the same token starts it once."""


@dataclass(frozen=True, slots=True)
class Retuning:
    """Everything a failed quality check meets."""

    workloads: Mapping[str, Workload]
    executions: Checks
    retunes: Retunes
    history: TrainedOn
    starter: Starter
    tune_pipeline: str
    inference_image: str
    ledger: Ledger
    topic: Topic
    bus: Bus

    def react(self, event: StepChange, now: datetime) -> Retuned:
        """Tune a model anew, or say why not; ignore a check that failed for another reason than the model.

        Raises:
            Rejected: the run belongs to no workload with an owner.
            Transient: others decide or tell at the same time.
        """
        change = event.detail
        if not self._judged(change):
            return "ignored"
        parameters = self.executions.parameters(change.execution)
        origin = origin_of(parameters, self.workloads, change.execution)
        token = token_of(origin.workload, origin.run, change.execution_id)
        decision = self._decided(origin, token, change.execution, now)
        if decision.starts and decision.tune_execution is None:
            decision = self._start(decision, parameters)
        with once(self.ledger, f"quality check {token}", now) as new:
            if new:
                reason = decision.verdict.reason
                self.bus.emit(
                    retune_started(decision)
                    if reason is None
                    else retune_suppressed(decision, reason)
                )
                self.topic.publish(compose(event, decision, origin.operations))
        if not new:
            return "repeated"
        return "started" if decision.starts else "suppressed"

    def _judged(self, change: Change) -> bool:
        """Whether it was the model that failed, not the check of it."""
        if BELOW in change.failure_reason:
            return True
        return change.job is not None and BELOW in self.executions.said(change.job)

    def _decided(self, origin: Origin, token: str, execution: str, now: datetime) -> Decision:
        guard = origin.operations.retune
        for _ in range(ATTEMPTS):
            known = self.retunes.decided(origin.workload, token)
            if known is not None:
                return known
            newest, starts = self.retunes.standing(origin.workload, max(1, guard.limit))
            trained = self.history.latest("trained", origin.workload)
            decision = Decision(
                workload=origin.workload,
                token=token,
                run=origin.run,
                execution=execution,
                at=now,
                verdict=self._deployed(judge(guard, starts, trained, now)),
                trained=trained,
            )
            if self.retunes.decide(decision, newest):
                return decision
        raise Transient(
            f"retunes of {origin.workload!r} are decided by {ATTEMPTS} others at the same time"
        )

    def _deployed(self, verdict: Verdict) -> Verdict:
        """Return the verdict, or, where it says go, that there is nothing to go with."""
        if verdict.reason is None:
            try:
                self.starter.asks_for(self.tune_pipeline)
            except NotDeployed:
                return Verdict("not-deployed", verdict.retunes - 1, None)
        return verdict

    def _start(self, decision: Decision, parameters: Mapping[str, str]) -> Decision:
        """Start a retune with all that its pipeline asks for and the failed run was started with too."""
        asked = self.starter.asks_for(self.tune_pipeline)
        known = {
            **parameters,
            **self.workloads[decision.workload].search(),
            WORKLOAD: decision.workload,
            RUN: decision.tune_run,
            "Inputs": decision.trained.inputs if decision.trained else "",
            "Group": group_of(decision.workload),
            "InferenceImage": self.inference_image,
        }
        told = {name: value for name, value in known.items() if name in asked}
        execution = self.starter.start(
            self.tune_pipeline, told, decision.token, f"retune-{decision.tune_run}"
        )
        return self.retunes.started(decision, execution)
