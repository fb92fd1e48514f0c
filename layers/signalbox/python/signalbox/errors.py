"""The error tree: the class says what becomes of the delivery.

    SignalboxError
    ├── Rejected        this input will never work: park it with its reason, count it, acknowledge
    ├── Transient       worth another try: raised again, the platform retries, then a dead letter
    └── Misconfigured   the deployment is wrong: raised again, ends as an alarmed dead letter
        └── NotDeployed what was asked for is not there: who is told of it need not ask again

Nothing branches on message text; every message names the object it is about and the way out.
"""

from __future__ import annotations


class SignalboxError(Exception):
    """Root of everything the house raises on purpose."""


class Rejected(SignalboxError):  # noqa: N818 - the name is the delivery semantics
    """Input that can never be processed, however often it is delivered.

    Args:
        reason: a stable slug such as ``no-such-column``; what programs branch on.
        message: one sentence for a person, naming the thing and the way out.
        source: the key of the object concerned, if it is another one than the event's own.
        column: the column concerned, where one is.
        row: 0-based data row within the file, where known.
        line: 1-based line of a text file, where known.
        row_group: 0-based Parquet row group, where known.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        source: str | None = None,
        column: str | None = None,
        row: int | None = None,
        line: int | None = None,
        row_group: int | None = None,
    ) -> None:
        super().__init__(f"{source}: {message}" if source else message)
        self.reason = reason
        self.message = message
        self.source = source
        self.column = column
        self.row = row
        self.line = line
        self.row_group = row_group


class Transient(SignalboxError):  # noqa: N818 - as above
    """A failure that time may heal: throttling, a time-out, a lease somebody else holds."""


class Misconfigured(SignalboxError):  # noqa: N818 - as above
    """The deployment does not fit itself: a missing grant, bucket, job or shipped file."""


class NotDeployed(Misconfigured):
    """What a call is for, such as a pipeline, does not exist: trying again will not help."""
