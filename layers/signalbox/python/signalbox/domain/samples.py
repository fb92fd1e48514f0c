"""The request that a packaged model is tried with before it serves: ``smoke.json`` beside its evaluation."""

from __future__ import annotations

from typing import Protocol

from pydantic import ValidationError

from signalbox.contracts.complaints import complaint
from signalbox.contracts.packages import Package, Smoke


class Files(Protocol):
    """The data bucket."""

    bucket: str

    def find(self, key: str) -> bytes | None:
        """Return the content of a file, or None."""


def sample_of(package: Package, files: Files) -> Smoke | str:
    """Return the request that a package is tried with, or why there is none."""
    place, uri = f"s3://{files.bucket}/", package.sample or ""
    content = files.find(uri.removeprefix(place)) if uri.startswith(place) else None
    if content is None:
        return (
            f"there is no sample request to try it with; put one at {uri or 'smoke.json'} "
            "(content_type, body, accept)"
        )
    try:
        return Smoke.model_validate_json(content)
    except ValidationError as problem:
        return f"{uri} is no sample request: {complaint(problem)}"
