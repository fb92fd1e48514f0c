"""``signalbox approve``, ``reject`` and ``models``: what people decide of models, and what came of it.

A decision is the package's approval status in the registry, and nothing else: what follows is done by
the doors that hear of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.cards import Sight
from cli.place import Place
from cli.whereabouts import BadUse
from signalbox.adapters.packages import ModelRegistry
from signalbox.adapters.promotion_table import PromotionTable
from signalbox.contracts.cards import card_name
from signalbox.contracts.packages import (
    APPROVED,
    BOARD,
    NOTE,
    PENDING,
    REJECTED,
    WORKLOAD,
    Metrics,
    Package,
    group_and_version,
    metrics_of,
)
from signalbox.contracts.registry import PREFIX, group_of

_NOT_IN_METADATA = re.compile(r"[^\w\s.:/=+\-@]")
_LONGEST = 256
"""Signs and characters that SageMaker takes as a value of CustomerMetadataProperties."""
_SHOWN = 3
_FIRST = ("auc", "f1", "rmse", "mae", "r2")
"""What a gate may ask for stands first; then come the others as they were written."""


def approve(
    console: Console, place: Place, package: str, board: str | None, note: str | None
) -> int:
    """Approve a model package.

    Raises:
        BadUse: there is none, it cannot be used, or it needs a board and none is named.
    """
    registry = ModelRegistry(place.client("sagemaker"))
    found = named(registry, package)
    if found.status != "Completed":
        why = f": {found.reason}" if found.reason else ""
        raise BadUse(f"{found.arn} is {found.status}{why}; only what is Completed can be approved")
    if found.retuned and not (board or found.metadata.get(BOARD)):
        raise BadUse(
            f"{found.arn} was retuned after a failed quality check, which a review board must have "
            'seen; name it: --board "Ada, Grace"'
        )
    _decide(registry, found, APPROVED, board, note)
    console.print(
        f"{found.arn} is approved; `signalbox models` shows whether it came into service",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    return 0


def reject(console: Console, place: Place, package: str, note: str) -> int:
    """Reject a model package.

    Raises:
        BadUse: there is none.
    """
    registry = ModelRegistry(place.client("sagemaker"))
    found = named(registry, package)
    _decide(registry, found, REJECTED, None, note)
    console.print(
        f"{found.arn} is rejected; if it was in service, the highest version that is still approved "
        "takes its place (`signalbox models` shows it)",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    return 0


def models(console: Console, place: Place, workload: str | None, *, as_json: bool) -> int:
    """Show the packages of a workload, or of all, newest first within each."""
    rows = list(known(place, workload))
    if as_json:
        console.print_json(json.dumps(rows))
    elif rows:
        console.print(table(rows))
    else:
        console.print("No models.", style="dim")
    return 0


def named(registry: ModelRegistry, word: str) -> Package:
    """The package that an ARN, ``group/version`` or ``workload/version`` means.

    Raises:
        BadUse: there is none; the message lists what is near.
    """
    if not word.startswith("arn:"):
        group, slash, version = word.rpartition("/")
        if not (slash and version.isdigit()):
            raise BadUse(
                f"{word!r} names no package; say its ARN, group/version or workload/version"
            )
        group = group if group.startswith(PREFIX) else group_of(group)
        arns = registry.listing(group)
        found = next((each for each in arns if each.rpartition("/")[2] == version), None)
        if found is None:
            there = ", ".join(each.rpartition("/")[2] for each in sorted(arns)) or "none"
            raise BadUse(f"group {group} has no version {version}; there are: {there}")
        word = found
    try:
        group_and_version(word)
    except ValueError as problem:
        raise BadUse(str(problem)) from None
    package = registry.find(word)
    if package is None:
        raise BadUse(f"there is no package {word}; `signalbox models` lists them")
    return package


def known(place: Place, workload: str | None) -> Iterable[dict[str, Any]]:
    """All that is known of packages, a mapping each; ``accounts`` counts those that have its card."""
    registry = ModelRegistry(place.client("sagemaker"))
    table = PromotionTable(place.table("OperationsTable"), place.client("dynamodb"))
    s3, cards = place.client("s3"), Sight(place).had()
    groups = registry.groups(PREFIX) if workload is None else [group_of(workload)]
    for group in groups:
        packages = [registry.find(arn) for arn in registry.listing(group)]
        there = sorted((each for each in packages if each), key=lambda each: -each.version)
        for package in there:
            name = package.metadata.get(WORKLOAD) or workload or group.removeprefix(PREFIX)
            ended = table.promotion(name, package.arn)
            last = table.standing(name).promoted == package.arn
            card, shared = cards.get(card_name(package.group, package.version), (None, []))
            yield {
                "workload": name,
                "version": package.version,
                "package": package.arn,
                "approval": package.approval,
                "status": package.status,
                "metrics": _metrics(s3, package),
                "retuned": package.retuned,
                "board": package.metadata.get(BOARD),
                "note": package.metadata.get(NOTE),
                "promotion": ended.state if ended else None,
                "at": ended.at.astimezone(UTC).isoformat() if ended else None,
                "reason": ended.reason if ended else "",
                "serves": last and ended is not None and ended.state == "promoted",
                "card": card,
                "accounts": len({each.rpartition(" ")[2] for each in shared}),
            }


def table(rows: Iterable[dict[str, Any]]) -> Table:
    """A row a package; what serves is marked."""
    view = Table(title="Models", title_justify="left")
    for heading in (
        "model",
        "approval",
        "metrics",
        "retuned",
        "promotion",
        "since",
        "card",
        "accounts",
    ):
        view.add_column(heading, no_wrap=heading in ("model", "approval"))
    for each in rows:
        promotion = "in service" if each["serves"] else each["promotion"] or ""
        if promotion == "failed":
            promotion += f": {each['reason']}"
        since = datetime.fromisoformat(each["at"]) if each["at"] else None
        view.add_row(
            escape(f"{each['workload']}/{each['version']}"),
            _waits(each["approval"]) if each["status"] == "Completed" else each["status"],
            ", ".join(f"{n} {v:.4g}" for n, v in _ranked(each["metrics"])[:_SHOWN]),
            escape(each["board"] or "no board") if each["retuned"] else "",
            escape(promotion),
            f"{since:%Y-%m-%d %H:%M}" if since else "",
            each["card"] or "",
            str(each["accounts"] or ""),
        )
    return view


def _waits(approval: str) -> str:
    return "pending" if approval == PENDING else approval


def _ranked(metrics: Metrics) -> list[tuple[str, float]]:
    def rank(metric: tuple[str, float]) -> int:
        return _FIRST.index(metric[0]) if metric[0] in _FIRST else len(_FIRST)

    return sorted(metrics.items(), key=rank)


def metadata_text(text: str) -> str:
    """A text as a value of metadata may be: SageMaker takes no commas, quotes or brackets there.

    >>> metadata_text('Ada, Grace ("the board")')
    'Ada / Grace the board'
    """
    plain = _NOT_IN_METADATA.sub(" ", text.replace(",", " /").replace(";", " /"))
    return " ".join(plain.split())[:_LONGEST].strip()


def _decide(
    registry: ModelRegistry, package: Package, status: str, board: str | None, note: str | None
) -> None:
    told = {BOARD: metadata_text(board or ""), NOTE: metadata_text(note or "")}
    metadata = {name: text for name, text in told.items() if text}
    registry.decide(package, status, " ".join((note or "").split()), metadata)


def _metrics(s3: Any, package: Package) -> Metrics:
    """The numbers of a package; none if they cannot be had."""
    bucket, _, key = (package.statistics or "").removeprefix("s3://").partition("/")
    if not key:
        return {}
    try:
        return metrics_of(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except (ClientError, ValueError):  # they are shown where they are; the mail says what is wrong
        return {}
