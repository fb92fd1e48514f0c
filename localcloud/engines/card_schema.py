"""What the content of a model card may be: the model card JSON schema, 0.1.0.

Citation: "Model card JSON schema" of the SageMaker Developer Guide; the length of Content:
ModelCardContent of botocore's model of SageMaker.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, relevance

from localcloud.limits import CARD_CONTENT

SCHEMA = Path(__file__).with_name("model_card_schema.json")
_LONGEST_SAID = 200
_METADATA = (
    ("model_overview", "model_id"),
    ("model_overview", "model_name"),
    ("intended_uses", "risk_rating"),
    ("model_package_details", "model_package_group_name"),
    ("model_package_details", "model_package_arn"),
)


def wrong_with(content: str) -> str:
    """What is wrong with the content of a model card, naming the path; "" if nothing is."""
    if not CARD_CONTENT.allows(len(content)):
        return (
            "1 validation error detected: Value at 'content' failed to satisfy constraint: "
            f"Member must have length less than or equal to {CARD_CONTENT.most}"
        )
    try:
        found = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return f"Model card content is not JSON: {error}"
    worst = max(_validator().iter_errors(found), key=relevance, default=None)
    if worst is None:
        return ""
    return f"Model card content does not match its schema: {_said(_nearest(worst))}"


def metadata_of(content: str) -> str:
    """What DescribeModelCard leaves of a content where MetadataOnly is asked for."""
    found, left = json.loads(content), dict[str, Any]()
    for section, name in _METADATA:
        if name in found.get(section, {}):
            left.setdefault(section, {})[name] = found[section][name]
    return json.dumps(left)


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _nearest(error: ValidationError) -> ValidationError:
    """Of several kinds of metric, what is wrong with the one that the metric's type names."""
    branches: dict[Any, list[ValidationError]] = {}
    for each in error.context or ():
        branches.setdefault(each.schema_path[0], []).append(each)
    fitting = [
        errors
        for errors in branches.values()
        if not any((e.validator, list(e.relative_path)) == ("enum", ["type"]) for e in errors)
    ]
    if len(fitting) != 1:
        return error
    return _nearest(max(fitting[0], key=relevance))


def _said(error: ValidationError) -> str:
    """The path, and what is wrong there without the whole of what stands there."""
    message, limit = str(error.message), error.validator_value
    if error.validator in {"maxLength", "maxItems"}:
        message = f"is longer than {limit}"
    elif error.validator in {"minLength", "minItems"}:
        message = f"is shorter than {limit}"
    elif error.validator == "anyOf":
        message = "is none of the kinds that may stand here"
    return f"{error.json_path}: {message[:_LONGEST_SAID]}"


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
