"""Sizes of secrets, which moto does not bound."""

from __future__ import annotations

import base64
from typing import Any

from moto.secretsmanager.exceptions import ValidationException as SecretTooLong

from localcloud.cuts import Seam
from localcloud.limits import SECRET
from localcloud.wiring import Hooks


def _add_secret(
    hooks: Hooks, original: Any, self: Any, secret_id: str, secret_string: str | None = None,
    secret_binary: Any = None, **named: Any,
) -> Any:  # fmt: skip
    del hooks
    sizes = {
        "secretString": len((secret_string or "").encode()),
        "secretBinary": len(base64.b64decode(secret_binary or "")),
    }
    for name, size in sizes.items():
        if not SECRET.allows(size):
            raise SecretTooLong(
                f"1 validation error detected: Value at '{name}' failed to satisfy constraint: "
                f"Member must have length less than or equal to {SECRET.most}"
            )
    return original(self, secret_id, secret_string, secret_binary, **named)


SEAMS = (
    Seam("moto.secretsmanager.models:SecretsManagerBackend", "_add_secret",
         "(self, secret_id, secret_string=None, secret_binary=None, description=None, tags=None, "
         "kms_key_id=None, version_id=None, version_stages=None, replica_regions=None, "
         "force_overwrite=False)", _add_secret),
)  # fmt: skip
