"""Model cards of this account."""

from __future__ import annotations

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.contracts.model_card import CardContent, CardStatus
from signalbox.domain.cards import Card
from signalbox.errors import Misconfigured

MAX_ATTEMPTS = 3
"""Export jobs of one version of a card into one place, before a person must look."""

_NONE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_TAKEN = "ConflictException"
_ENDED = frozenset({"Completed", "Failed"})


class ModelCards:
    """The cards that SageMaker keeps.

    Args:
        key: the KMS key that new cards are encrypted with; AWS's own if empty.
        client: of SageMaker.
    """

    def __init__(self, key: str = "", client: Any = None) -> None:
        self._key = key
        self._sagemaker = client or connect("sagemaker")

    def find(self, name: str) -> Card | None:
        """Return a card, or None."""
        found = self._describe(name, IncludedData="MetadataOnly")
        if found is None:
            return None
        return Card(
            name=found["ModelCardName"],
            arn=found["ModelCardArn"],
            status=found["ModelCardStatus"],
            version=int(found["ModelCardVersion"]),
        )

    def like(self, words: str) -> list[tuple[str, CardStatus]]:
        """Return names and states of the cards with these words in their names."""
        with calling("sagemaker:ListModelCards", f"model cards {words}"):
            pages = self._sagemaker.get_paginator("list_model_cards").paginate(NameContains=words)
            return [
                (each["ModelCardName"], each["ModelCardStatus"])
                for page in pages
                for each in page["ModelCardSummaries"]
            ]

    def content(self, name: str) -> str:
        """Return what a card says, as JSON; "" if it is gone."""
        found = self._describe(name)
        return "" if found is None else str(found["Content"])

    def create(self, name: str, content: CardContent) -> None:
        """Make a card in Draft, unless there is one."""
        secured = {"SecurityConfig": {"KmsKeyId": self._key}} if self._key else {}
        with calling("sagemaker:CreateModelCard", f"model card {name}"):
            try:
                self._sagemaker.create_model_card(
                    ModelCardName=name,
                    ModelCardStatus="Draft",
                    Content=content.content(),
                    **secured,
                )
            except ClientError as problem:
                if code_of(problem) != _TAKEN:
                    raise

    def fill(self, name: str, content: CardContent) -> None:
        """Change the content of a card, unless it is that: every change makes a version."""
        said = content.content()
        if self.content(name) != said:
            self._update(name, Content=said)

    def update(self, name: str, status: CardStatus) -> None:
        """Change the state of a card; that makes no version.

        UpdateModelCard takes a state or a content, never both in one call.
        """
        self._update(name, ModelCardStatus=status)

    def export(self, card: Card, bucket: str, prefix: str, *, there: bool) -> None:
        """Have a version of a card written as PDF under a prefix, unless that was done.

        The name of a job follows from what it is to do and how often that was tried: a repeat meets the
        job that is there.

        Args:
            card: and its version.
            bucket: the bucket.
            prefix: of what is written.
            there: whether a PDF is; one that was written and removed since is written again.

        Raises:
            Misconfigured: it failed again and again.
        """
        place = f"s3://{bucket}/{prefix}"
        tried, failed, attempt = self._jobs(card), 0, 0
        while (status := tried.get(name := _job(card, place, attempt))) is not None:
            if status not in _ENDED or (status == "Completed" and there):
                return  # it is under way, or done
            failed += status == "Failed"
            if failed == MAX_ATTEMPTS:
                raise Misconfigured(
                    f"model card {card.name}: its export to {place} failed {MAX_ATTEMPTS} times; look at "
                    f"FailureReason of its export job {name}, mend that, and export it by hand"
                )
            attempt += 1
        with calling("sagemaker:CreateModelCardExportJob", f"model card {card.name}"):
            try:
                self._sagemaker.create_model_card_export_job(
                    ModelCardName=card.name,
                    ModelCardVersion=card.version,
                    ModelCardExportJobName=name,
                    OutputConfig={"S3OutputPath": place},
                )
            except ClientError as problem:
                if code_of(problem) != _TAKEN:
                    raise

    def _update(self, name: str, **said: str) -> None:
        with calling("sagemaker:UpdateModelCard", f"model card {name}"):
            self._sagemaker.update_model_card(ModelCardName=name, **said)

    def _jobs(self, card: Card) -> dict[str, str]:
        with calling("sagemaker:ListModelCardExportJobs", f"model card {card.name}"):
            pages = self._sagemaker.get_paginator("list_model_card_export_jobs").paginate(
                ModelCardName=card.name, ModelCardVersion=card.version
            )
            return {
                each["ModelCardExportJobName"]: each["Status"]
                for page in pages
                for each in page["ModelCardExportJobSummaries"]
            }

    def _describe(self, name: str, **narrower: str) -> Any:
        with calling("sagemaker:DescribeModelCard", f"model card {name}"):
            try:
                return self._sagemaker.describe_model_card(ModelCardName=name, **narrower)
            except ClientError as problem:
                if code_of(problem) in _NONE:
                    return None
                raise


def _job(card: Card, place: str, attempt: int) -> str:
    told = f"{card.arn}\n{card.version}\n{place}\n{attempt}"
    return f"export-{hashlib.sha256(told.encode()).hexdigest()[:32]}"
