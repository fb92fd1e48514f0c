"""Secrets Manager: tokens, read when they are needed and kept nowhere."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from signalbox.adapters.aws import calling, code_of, connect
from signalbox.errors import Misconfigured

_UNREADABLE = {
    "InvalidRequestException": "is scheduled for deletion",
    "DecryptionFailure": "cannot be decrypted with its key; may the role use it?",
}


class Tokens:
    """Secrets that hold one token each, as plain text."""

    def __init__(self, client: Any = None) -> None:
        self._secrets = client or connect("secretsmanager")

    def read(self, name: str) -> str:
        """Return a token.

        Raises:
            Misconfigured: there is none of this name, it may not be read, or it is no plain text.
        """
        with calling("secretsmanager:GetSecretValue", f"secret {name}"):
            try:
                found = self._secrets.get_secret_value(SecretId=name)
            except ClientError as problem:
                why = _UNREADABLE.get(code_of(problem))
                if why is None:
                    raise
                raise Misconfigured(f"secret {name} {why}") from None
        token = str(found.get("SecretString", "")).strip()
        if not token or not token.isascii() or not token.isprintable():
            raise Misconfigured(
                f"secret {name} holds no token as plain text; put it there as it is"
            )
        return token
