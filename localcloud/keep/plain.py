"""JSON that holds bytes: written as `{"base64": "..."}`, which data of anybody may look like too.

    b"hi"                   {"base64": "aGk="}
    {"base64": "hi"}        {"!base64": "hi"}
    {"!base64": "hi"}       {"!!base64": "hi"}

So data that looks like the mark, or like such data written, gets one `!` more, and loses it when it is
read.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

_MARK = "base64"
_LIKE_IT = re.compile("!*" + _MARK)


def dumped(value: Any) -> bytes:
    """The value as JSON; tuples come back as lists, and keys as text.

    Raises:
        TypeError: it holds what is neither JSON nor bytes.
    """
    return json.dumps(_marked(value), indent=1).encode()


def loaded(body: bytes) -> Any:
    """What `dumped` was given.

    Raises:
        ValueError: that is no JSON, or bytes in it are no base64, or it is nested too deeply.
    """
    try:
        return json.loads(body, object_hook=_unmarked)
    except TypeError as error:
        raise ValueError(f"bytes are given as something else: {error}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _marked(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_MARK: base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        more = "!" if _like_mark(value) else ""
        return {more + key if more else key: _marked(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_marked(each) for each in value]
    return value


def _unmarked(found: dict[str, Any]) -> Any:
    if not _like_mark(found):
        return found
    ((key, value),) = found.items()
    if key != _MARK:
        return {key.removeprefix("!"): value}
    return base64.b64decode(value, validate=True)


def _like_mark(value: Mapping[Any, Any]) -> bool:
    return len(value) == 1 and all(
        isinstance(key, str) and _LIKE_IT.fullmatch(key) is not None for key in value
    )
