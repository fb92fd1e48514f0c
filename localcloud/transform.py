"""What a rule hands to a target: Input, InputPath, InputTransformer, or the event itself.

Citation: "Amazon EventBridge input transformation" of the EventBridge User Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\*)\]")
_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_ABSENT = object()


def payload_text(
    target: Mapping[str, Any], event: Mapping[str, Any], rule_name: str, rule_arn: str
) -> str:
    """The text a target receives for an event; JSON unless a template makes it plain text."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = at_path(event, str(target["InputPath"]))
        return _json(None if found is _ABSENT else found)
    transformer = target.get("InputTransformer")
    if transformer is None:
        return _json(event)
    values = {
        name: found
        for name, path in transformer.get("InputPathsMap", {}).items()
        if (found := at_path(event, path)) is not _ABSENT
    }
    predefined = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": dict(event),
    }
    return _filled(str(transformer["InputTemplate"]), {**values, **predefined})


def at_path(event: Mapping[str, Any], path: str) -> Any:
    """The value at `$.a.b[0]` or `$.a[*].b`; a marker object if there is none."""
    if path == "$":
        return event
    found: Any = event
    steps = _STEP.findall(path.removeprefix("$"))
    for place, (name, index) in enumerate(steps):
        if index == "*":
            rest = "$" + "".join(f".{n}" if n else f"[{i}]" for n, i in steps[place + 1 :])
            each = [at_path(item, rest) for item in found] if isinstance(found, list) else []
            return [value for value in each if value is not _ABSENT]
        if name and isinstance(found, Mapping) and name in found:
            found = found[name]
        elif index and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        else:
            return _ABSENT
    return found


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Placeholders outside quotes become JSON (text gains quotes), inside quotes bare text."""
    is_json = template.lstrip().startswith(("{", "[", '"'))
    parts: list[str] = []
    quoted, last = False, 0
    for match in _PLACEHOLDER.finditer(template):
        between = template[last : match.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', between)) % 2 == 1
        value = values.get(match.group(1), "")
        if is_json and not quoted:
            parts += [between, _json(value)]
        else:
            text = value if isinstance(value, str) else _json(value)
            escape = is_json and isinstance(value, str)
            parts += [between, json.dumps(text)[1:-1] if escape else text]
        last = match.end()
    return "".join(parts) + template[last:]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
