"""Every request to moto, before it is served."""

from __future__ import annotations

from typing import Any

from localcloud.cuts import Seam
from localcloud.wiring import Hooks


def _authorize(
    hooks: Hooks, original: Any, self: Any, iam_request_cls: type, resource: str = "*"
) -> None:
    del original, iam_request_cls, resource
    hooks.called(self.access_key)


SEAMS = (
    Seam("moto.core.authorization:ActionAuthenticatorMixin", "_authenticate_and_authorize_action",
         "(self, iam_request_cls, resource='*')", _authorize),
)  # fmt: skip
