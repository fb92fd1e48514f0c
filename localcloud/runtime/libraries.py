"""What the Lambda runtime itself brings, laid out in a folder of its own.

"Building Lambda functions with Python" lists the AWS SDK for Python as part of the runtime; the
runtime client and what these two need come along. Links to this environment's packages: nothing
else of the environment is on a function's path.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from localcloud.errors import LocalCloudError

_RUNTIME = (
    "awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "runtime_client", "s3transfer",
    "simplejson", "six", "snapshot_restore_py", "urllib3",
)  # fmt: skip
_CLOCK = ("time_machine", "_time_machine")


class Libraries:
    """Two folders of links: `runtime` for the function's path, `clock` for our own use."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="signalbox-runtime-")
        self.runtime = _linked(Path(self._folder.name) / "runtime", _RUNTIME)
        self.clock = _linked(Path(self._folder.name) / "clock", _CLOCK)

    def close(self) -> None:
        """Remove the folders."""
        self._folder.cleanup()


def _linked(folder: Path, names: tuple[str, ...]) -> Path:
    folder.mkdir()
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            message = f"this environment lacks {name}, which the Lambda runtime needs"
            raise LocalCloudError(message)
        origin = Path(spec.origin)
        target = origin.parent if spec.submodule_search_locations else origin
        (folder / target.name).symlink_to(target)
    return folder
