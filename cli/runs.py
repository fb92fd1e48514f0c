"""``signalbox pipelines`` and ``runs``: what there is, what ran, and each step of a run as a tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from cli.place import Place
from cli.whereabouts import BadUse

PIPELINES = ("train", "tune", "batch")
COLOURS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Executing": "cyan"}
_HIDDEN = ("OutputParameters", "CallbackToken")
_RUN = re.compile("[0-9a-f]{32}")


def pipelines(console: Console, place: Place) -> int:
    """Show the pipelines and how each last ended."""
    view = Table(title="Pipelines", title_justify="left")
    for heading in ("pipeline", "what it does", "last run", "status", "when"):
        view.add_column(heading)
    sagemaker = place.client("sagemaker")
    for name in deployed(sagemaker, place):
        told = sagemaker.describe_pipeline(PipelineName=name)
        last = next(iter(_executions(sagemaker, name, 1)), None)
        view.add_row(
            escape(name),
            escape(told.get("PipelineDescription", "")),
            *(["", "never run", ""] if last is None else [id_of(last), *_state(last)]),
        )
    console.print(view)
    return 0


def runs(console: Console, place: Place, workload: str | None, most: int, *, as_json: bool) -> int:
    """Show the latest runs of all pipelines, newest first."""
    sagemaker = place.client("sagemaker")
    found = sorted(
        (
            {**each, "Pipeline": name, "Workload": _parameter(sagemaker, each, "Workload")}
            for name in deployed(sagemaker, place)
            for each in _executions(sagemaker, name, most)
        ),
        key=lambda each: each["StartTime"],
        reverse=True,
    )
    found = [each for each in found if workload in (None, each["Workload"])][:most]
    if as_json:
        console.print_json(json.dumps(found, default=str))
        return 0
    if not found:
        console.print("No runs.", style="dim")
        return 0
    view = Table(title="Runs", title_justify="left")
    for heading in ("run", "pipeline", "workload", "status", "when"):
        view.add_column(heading)
    for each in found:
        view.add_row(id_of(each), each["Pipeline"], each["Workload"], *_state(each))
    console.print(view)
    return 0


def run(console: Console, place: Place, wanted: str, *, as_json: bool) -> int:
    """Show one run as a tree of its steps; exit code 1 if it failed.

    Raises:
        BadUse: there is no such run.
    """
    sagemaker = place.client("sagemaker")
    arn = _arn(sagemaker, place, wanted)
    told = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
    if as_json:
        told.pop("ResponseMetadata", None)
        console.print_json(json.dumps({**told, "Steps": steps}, default=str))
    else:
        console.print(tree(told, _parameter(sagemaker, told, "Workload"), steps))
    return 1 if told["PipelineExecutionStatus"] == "Failed" else 0


def tree(told: Mapping[str, Any], workload: str, steps: Iterable[Mapping[str, Any]]) -> Tree:
    """A run and its steps, with how long each took and why it failed."""
    pipeline = told["PipelineArn"].rpartition("/")[2]
    head = f"[bold]{id_of(told)}[/]  {escape(pipeline)}  {escape(workload)}  "
    out = Tree(head + _coloured(told["PipelineExecutionStatus"]) + _reason(told))
    for step in steps:
        line = f"{escape(step['StepName'])}  {_coloured(step['StepStatus'])}{_took(step)}"
        branch = out.add(line + _reason(step))
        for kind, facts in (step.get("Metadata") or {}).items():
            shown = {k: v for k, v in facts.items() if v and k not in _HIDDEN}
            said = ", ".join(map(_named, shown.values()))
            branch.add(f"[dim]{kind}[/] {escape(said)}")
    return out


def id_of(execution: Mapping[str, Any]) -> str:
    """The last part of an execution's ARN, by which commands name it."""
    return str(execution["PipelineExecutionArn"]).rpartition("/")[2]


def _named(fact: Any) -> str:
    """What an ARN names, without what is the same for all; anything else as it is."""
    text = str(fact)
    return text.partition("/")[2] or text if text.startswith("arn:") else text


def _state(execution: Mapping[str, Any]) -> list[str]:
    begun = execution.get("StartTime") or execution.get("CreationTime")
    when = f"{begun.astimezone(UTC):%Y-%m-%d %H:%M}" if isinstance(begun, datetime) else ""
    return [_coloured(execution["PipelineExecutionStatus"]), when]


def _coloured(status: str) -> str:
    colour = COLOURS.get(status)
    return f"[{colour}]{status}[/]" if colour else status


def _took(step: Mapping[str, Any]) -> str:
    if "StartTime" not in step:
        return ""
    end = step.get("EndTime")
    took = "" if end is None else f", {(end - step['StartTime']).total_seconds():.0f} s"
    return f"  [dim]{step['StartTime'].astimezone(UTC):%H:%M:%S}{took}[/]"


def _reason(told: Mapping[str, Any]) -> str:
    return f"\n[red]{escape(told['FailureReason'])}[/]" if told.get("FailureReason") else ""


def deployed(sagemaker: Any, place: Place) -> list[str]:
    """Return the names of the pipelines of a place that are there."""
    pages = sagemaker.get_paginator("list_pipelines").paginate(PipelineNamePrefix=place.name)
    have = {each["PipelineName"] for page in pages for each in page["PipelineSummaries"]}
    return [place.pipeline(name) for name in PIPELINES if place.pipeline(name) in have]


def _executions(sagemaker: Any, name: str, most: int | None) -> Iterable[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=name, SortBy="CreationTime", SortOrder="Descending"
    )
    return islice((each for page in pages for each in page["PipelineExecutionSummaries"]), most)


def _parameter(sagemaker: Any, execution: Mapping[str, Any], name: str) -> str:
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )
    found = (each for page in pages for each in page["PipelineParameters"])
    return next((str(each["Value"]) for each in found if each["Name"] == name), "")


def _arn(sagemaker: Any, place: Place, wanted: str) -> str:
    """The execution that is meant: by its ARN, its id, or the run that its files and mails are named by."""
    if wanted.startswith("arn:"):
        return wanted
    names = deployed(sagemaker, place)
    if _RUN.fullmatch(wanted):
        for name in names:
            for each in _executions(sagemaker, name, None):
                # whoever starts a run of the house ends its name with it
                if str(each.get("PipelineExecutionDisplayName", "")).endswith(f"-{wanted}"):
                    return str(each["PipelineExecutionArn"])
    for name in names:
        arn = f"{sagemaker.describe_pipeline(PipelineName=name)['PipelineArn']}/execution/{wanted}"
        try:
            sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ResourceNotFound":
                raise
        else:
            return arn
    raise BadUse(f"there is no run {wanted!r}; `signalbox runs` lists them")
