"""The words about a failed quality check: a model is being tuned, or nothing is done, and why."""

from __future__ import annotations

from datetime import timedelta

from signalbox.contracts.alerts import Message
from signalbox.contracts.operations import Operations
from signalbox.contracts.pipelines import StepChange
from signalbox.domain.mail import address_of, at, mail, table
from signalbox.domain.retune_guard import Decision


def compose(event: StepChange, decision: Decision, operations: Operations) -> Message:
    """Write the mail about what was decided."""
    failed, verdict, guard = event.detail, decision.verdict, operations.retune
    rows = {
        "Workload": decision.workload,
        "Check": f"{failed.step} of {failed.pipeline_name}, execution {failed.execution_id}",
        "Run": decision.run,
        "Why": failed.failure_reason,
        "Decided": at(decision.at),
        "Retunes": f"{verdict.retunes} within {guard.within_days} days, of {guard.limit} allowed",
        "Inputs": decision.trained.inputs if decision.trained else "",
        "Tuning": (decision.tune_execution or "").rpartition("/")[2],
        "Not before": at(verdict.until),
    }
    lines = [
        f"The model of {decision.workload} has failed its quality check.",
        *_meaning(decision, operations),
        "",
        *table(rows),
        "",
        "See more:",
        f"  signalbox runs {failed.execution_id}",
    ]
    if decision.tune_execution:
        lines.append(f"  signalbox runs {decision.tune_execution.rpartition('/')[2]}")
    status = "started" if decision.starts else "suppressed"
    tail = "is being tuned anew" if decision.starts else f"is not tuned anew ({verdict.reason})"
    return mail(
        address_of(decision.workload, "retune", status, operations),
        f"model failed its quality check, {tail}",
        lines,
        _detail(decision, operations),
        action_required=not decision.starts and verdict.reason != "cooldown",
    )


def _meaning(decision: Decision, operations: Operations) -> list[str]:
    verdict, guard = decision.verdict, operations.retune
    if verdict.reason is None:
        cool = decision.at + timedelta(hours=guard.cooldown_hours)
        return [
            "A new one is being tuned on the files of the latest training that succeeded. If it passes its "
            f"gate it waits for your approval. Until {at(cool)} no other is started.",
        ]
    return {
        "cooldown": [
            f"Nothing is started: the last retune began less than {guard.cooldown_hours} hours ago. Give "
            "it time to end, and its model to be approved.",
        ],
        "limit": [
            f"Nothing is started: {guard.limit} retunes within {guard.within_days} days did not mend it. "
            "Tuning again will hardly help; please look at the data and at the threshold.",
        ],
        "off": ["Nothing is started: operations.retune.limit of this workload is 0."],
        "never-trained": [
            "Nothing is started: no training of this workload has succeeded yet, so there is nothing to tune "
            f"on. Put data under training/{decision.workload}/ that a model can be made of.",
        ],
        "not-deployed": [
            "Nothing is started: the pipeline that tunes does not exist. Deploy template.yaml again; the "
            "next check that fails starts it.",
        ],
    }[verdict.reason]


def _detail(decision: Decision, operations: Operations) -> dict[str, object]:
    verdict = decision.verdict
    return {
        "workload": decision.workload,
        "run": decision.run,
        "execution": decision.execution,
        "reason": verdict.reason,
        "until": verdict.until.isoformat() if verdict.until else None,
        "retunes": verdict.retunes,
        "tune_run": decision.tune_run if decision.starts else None,
        "tune_execution": decision.tune_execution,
        "inputs": decision.trained.inputs if decision.trained else None,
        "owner": operations.owner,
        "recipients": list(operations.recipients),
    }
