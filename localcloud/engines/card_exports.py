"""Export jobs of model cards: a version of a card becomes a PDF in S3.

Citations: Create- and DescribeModelCardExportJob of the SageMaker API Reference; "Set up IAM user
permissions in the shared account" of its Developer Guide: an export job belongs to the account of the
card, and who makes it needs s3:PutObject on the output path, since it is written as that caller.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.clients import ADMIN_KEY, client_of, session_with
from localcloud.engines.cards_asked import CARD_NAME, Page, chosen, instant, must_match
from localcloud.seams import Cards
from localcloud.sharing import Asked, Card
from localcloud.wiring import Refused
from localcloud.world import World

_TAKES_S = 5.0
_S3_URI = r"(https|s3)://([^/]+)/?(.*)"
_LONGEST_REASON = 1024
_INSTANTS = ("CreatedAt", "LastModifiedAt")


class CardExports:
    """Export jobs of every account's cards; they are kept with their card.

    Args:
        world: the cloud.
        card: finds the card that a request names.
        lock: held while cards are looked at or changed.
    """

    def __init__(self, world: World, card: Callable[[Asked], Card], lock: threading.RLock) -> None:
        self._world = world
        self._cards = Cards(world.region)
        self._card = card
        self._lock = lock

    def create(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """CreateModelCardExportJob; the job belongs to the card's account, whoever asks.

        Raises:
            Refused: ResourceNotFound, ConflictException or ValidationException.
        """
        card, members = self._card(asked), asked.members
        name, output = str(members["ModelCardExportJobName"]), dict(members["OutputConfig"])
        must_match("modelCardExportJobName", name, CARD_NAME)
        must_match("outputConfig.s3OutputPath", output["S3OutputPath"], _S3_URI)
        version = chosen(card, members.get("ModelCardVersion"))
        if name in card.exports:
            message = f"Model card export job {name} of {card.arn} already exists."
            raise Refused("ConflictException", message)
        now, arn = self._world.clock.stamp().timestamp(), f"{card.arn}/export-job/{name}"
        card.exports[name] = {
            "ModelCardExportJobName": name,
            "ModelCardExportJobArn": arn,
            "Status": "InProgress",
            "ModelCardName": card.name,
            "ModelCardVersion": version.number,
            "OutputConfig": output,
            "CreatedAt": now,
            "LastModifiedAt": now,
        }
        begun = self._world.journal.add("job", name, "InProgress", cause=cause, run_id=arn)
        work = partial(self._run, card, name, asked.access_key, begun.id)
        self._world.clock.after(0.0 if self._world.real_time else _TAKES_S, work)
        return {"ModelCardExportJobArn": arn}

    def describe(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """DescribeModelCardExportJob.

        Raises:
            Refused: ResourceNotFound.
        """
        del cause
        arn = str(asked.members["ModelCardExportJobArn"])
        card = self._cards.find(arn)
        job = None if card is None else card.exports.get(arn.rpartition("/")[2])
        if job is None or job["ModelCardExportJobArn"] != arn:
            message = f"Model card export job {arn} does not exist."
            raise Refused("ResourceNotFound", message)
        return _shown(job)

    def listed(self, asked: Asked, cause: int | None) -> dict[str, Any]:
        """ListModelCardExportJobs of a card of the caller's own account.

        Raises:
            Refused: ResourceNotFound or ValidationException.
        """
        del cause
        must_match("modelCardName", asked.members["ModelCardName"], CARD_NAME)
        left_out = {"OutputConfig", "ExportArtifacts", "FailureReason"}
        found = [
            {name: value for name, value in _shown(job).items() if name not in left_out}
            for job in self._card(asked).exports.values()
        ]
        sorts = ("CreationTime", "Name", "Status")
        page = Page(
            "ModelCardExportJobSummaries", "ModelCardExportJobName", sorts, created="CreatedAt"
        )
        return page.answer(found, asked.members)

    def _run(self, card: Card, name: str, access_key: str | None, cause: int) -> None:
        journal, job = self._world.journal, card.exports[name]
        with journal.entry("job", name, cause=cause) as entry:
            entry.detail["run_id"] = job["ModelCardExportJobArn"]
            try:
                artifact = self._write(card, job, access_key)
                ended: dict[str, Any] = {
                    "Status": "Completed",
                    "ExportArtifacts": {"S3ExportArtifacts": artifact},
                }
            except (BotoCoreError, ClientError, OSError) as error:
                reason = f"ClientError: {error}"[:_LONGEST_REASON]
                ended = {"Status": "Failed", "FailureReason": reason}
                entry.detail["ErrorMessage"] = reason
            entry.status = ended["Status"]
        with self._lock:
            job.update(ended, LastModifiedAt=self._world.clock.stamp().timestamp())

    def _write(self, card: Card, job: dict[str, Any], access_key: str | None) -> str:
        """Write the PDF as the caller of the job; returns its S3 URI."""
        # loads slowly, and few clouds export a card
        from localcloud.engines.card_pdf import pdf_of  # noqa: PLC0415

        version = chosen(card, job["ModelCardVersion"])
        parts = urlsplit(job["OutputConfig"]["S3OutputPath"])
        path = parts.path.strip("/")
        key = f"{path}/" if path else ""
        key += f"{card.name}-{version.number}-{job['ModelCardExportJobName']}.pdf"
        body = pdf_of(card, version)
        # a request of SageMaker in its caller's name; moto checks no signature, only whose key it is
        session = session_with(self._world.region, access_key or ADMIN_KEY, "forwarded", None)
        client_of(session, "s3").put_object(
            Bucket=parts.netloc, Key=key, Body=body, ContentType="application/pdf"
        )
        return f"s3://{parts.netloc}/{key}"


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    """A job as answers have it."""
    return {**job, **{name: instant(job[name]) for name in _INSTANTS}}
