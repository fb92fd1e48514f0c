"""Wall-clock time in moto, where what it stores shows it: the cloud's, not the machine's."""

from __future__ import annotations

from datetime import datetime

from localcloud.cuts import Seam
from localcloud.wiring import Hooks


def _utcnow(hooks: Hooks) -> datetime:
    return hooks.stamp().replace(tzinfo=None)  # as moto's own


SEAMS = (
    Seam("moto.s3.models", "utcnow", "()", _utcnow, plain=True),
    Seam("moto.logs.models", "utcnow", "()", _utcnow, plain=True),
    Seam("moto.dynamodb.models.table", "utcnow", "()", _utcnow, plain=True),
)
