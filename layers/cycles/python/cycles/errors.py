"""What can be wrong with a recording or with what is asked of it.

ValueError
├── BadSpec        the cycle specification itself cannot work
├── BadRecording   this file can never become cycles; says where, so that a person can act
└── BadHistory     these cycles, labels or splits make no model, or do not fit one
"""

from __future__ import annotations


class BadSpec(ValueError):  # noqa: N818 - named for what it says
    """A cycle specification that contradicts itself; the message names the field."""


class BadRecording(ValueError):  # noqa: N818 - named for what it says
    """A file that can never become cycle features, and where it went wrong.

    Args:
        reason: a stable slug such as ``no-such-column``; what programs branch on.
        message: one sentence for a person, naming the thing and the way out.
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
        column: str | None = None,
        row: int | None = None,
        line: int | None = None,
        row_group: int | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.column = column
        self.row = row
        self.line = line
        self.row_group = row_group

    @property
    def where(self) -> dict[str, str | int]:
        """The known coordinates, ready to be written beside the reason."""
        known = {
            "column": self.column,
            "row": self.row,
            "line": self.line,
            "row_group": self.row_group,
        }
        return {name: value for name, value in known.items() if value is not None}


class BadHistory(ValueError):  # noqa: N818 - named for what it says
    """Cycles, labels or splits from which no model can be made, or that a model cannot score.

    Args:
        reason: a stable slug such as ``missing-features``; what programs branch on.
        message: one sentence for a person, naming the thing and the way out.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
