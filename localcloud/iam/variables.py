"""Policy variables: `${aws:PrincipalAccount}` in resources and condition values.

Citation: "IAM policy elements: Variables and tags" of the IAM User Guide.
"""

from __future__ import annotations

import re

from localcloud.iam.conditions import GLOBAL_KEYS, SERVICE_KEYS, Context
from localcloud.iam.errors import InvalidPolicy

_VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}


def check_variables(text: str, where: str) -> None:
    """See that every variable in a text is known.

    Raises:
        InvalidPolicy: one is not.
    """
    for match in _VARIABLE.finditer(text):
        name = match.group(1).strip()
        if name not in _LITERAL and name.lower() not in GLOBAL_KEYS | SERVICE_KEYS:
            raise InvalidPolicy(f"{where}: policy variable ${{{name}}} is not known here")


def filled(text: str, context: Context) -> str | None:
    """Text with its policy variables replaced; None if one has no single value."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name, default = match.group(1).strip(), match.group(2)
        if name in _LITERAL:
            return _LITERAL[name]
        found = context.get(name.lower(), default)
        missing = missing or not isinstance(found, str)
        return str(found)

    answer = _VARIABLE.sub(value, text)
    return None if missing else answer
