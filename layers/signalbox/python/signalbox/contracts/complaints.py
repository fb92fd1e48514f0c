"""Validation errors as one sentence that shows no payload."""

from __future__ import annotations

from pydantic import ValidationError


def complaint(problem: ValidationError) -> str:
    """Return the first complaint and how many more there are; values are never shown.

    Payloads do not belong into logs, and pydantic's own text quotes them.
    """
    errors = problem.errors(include_input=False, include_url=False, include_context=False)
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"]) or problem.title
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {first['msg']}{more}"
