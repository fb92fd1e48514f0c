"""Where commands look in a test: a cloud of this process."""

from __future__ import annotations

from typing import Any

from cli.place import Place
from localcloud import Cloud


class Here(Place):
    """A place whose clients are those of a cloud of this process."""

    name = "signalbox"

    def __init__(self, cloud: Cloud) -> None:
        object.__setattr__(self, "cloud", cloud)

    def client(self, service: str) -> Any:
        return self.cloud.client(service)  # type: ignore[attr-defined]

    def environment(self, function: str) -> dict[str, str]:
        assert function == "OnDataset"
        return {"DATA_BUCKET": self.cloud.physical_id("DataBucket")}  # type: ignore[attr-defined]
