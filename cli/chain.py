"""The chain in the local cloud: deployed from the build, with what was shipped; files in, cycles out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.build import BUILD, check_build
from cli.features import Outcome
from cli.ship import ship
from cli.workloads import ROOT
from cycles import BadRecording, CycleSpec, Fragment, open_recording, stitch
from cycles.readers import Recording
from localcloud import EXECUTORS, Cloud, DeployError
from localcloud.deploy.template import read_template
from signalbox.contracts import keys

LOCAL = {"InferenceDevice": "cpu", "DeployHosts": "127.0.0.1"}
"""Parameters of the template whose default is meant for AWS: here it runs on what every laptop has."""


@contextmanager
def running(
    journal: Path | None = None,
    port: int = 0,
    executor: str = "inprocess",
    *,
    checked: bool = False,
    **options: Any,
) -> Iterator[Cloud]:
    """A local cloud with the template deployed and everything shipped that it names.

    Args:
        journal: file that also receives the journal.
        port: of the endpoint; a free one if 0.
        executor: one of `localcloud.EXECUTORS`.
        checked: whether every door is imported first, in a process of its own each.
        options: more of `Cloud`.

    Raises:
        DeployError: something in the template cannot be honoured; says where in template.yaml it stands.
    """
    with Cloud(
        BUILD,
        check_build=check_build,
        journal_path=journal,
        port=port,
        executor=EXECUTORS[executor](),
        **options,
    ) as cloud:
        shipped = ship(cloud.client("s3"), cloud.packages, options.get("parameters"))
        try:
            parameters = {"ArtifactBucket": cloud.packages, **LOCAL, **shipped}
            cloud.deploy(parameters, import_handlers=checked)
        except DeployError as error:
            raise placed(error) from error
        yield cloud


def placed(error: DeployError) -> DeployError:
    """The error with the line of template.yaml, which people edit, rather than that of the build."""
    source = ROOT / "template.yaml"
    if error.logical_id is None or not source.is_file():
        return error
    _, lines = read_template(source)
    line = lines.of(error.logical_id, error.prop)
    where = f"{error.message} (template.yaml line {line})" if line else error.message
    return DeployError(where, logical_id=error.logical_id, prop=error.prop)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The data bucket as its users see it: files go in, fragments and reasons come out."""

    s3: Any
    name: str

    def drop(self, path: Path, key: str) -> None:
        """Upload a file, in parts where it is large, as any client would."""
        self.s3.upload_file(str(path), self.name, key)

    def write(self, key: str, body: bytes) -> None:
        """Write a small object."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def read(self, key: str) -> bytes:
        """The bytes of an object."""
        return bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def listing(self, prefix: str) -> list[str]:
        """Keys under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def rejections(self) -> dict[str, dict[str, Any]]:
        """For each rejected source key, what was noted."""
        notes = {}
        for key in self.listing(keys.REJECTED):
            if not key.startswith(f"{keys.REJECTED}events/"):
                note = json.loads(self.read(key))
                notes[note["source"]["key"]] = note
        return notes

    def features(self, workload: str, spec: CycleSpec) -> Outcome:
        """Join the fragments that count of all files of a workload, as the dataset program does."""
        listing: dict[str, list[str]] = {}
        for room in (keys.RAW, keys.HISTORY):
            for key in self.listing(f"{keys.FRAGMENTS}{room}{workload}/"):
                listing.setdefault(keys.parse_fragment_key(key).source_key, []).append(key)
        fragments: list[tuple[str, Fragment]] = []
        for source, found in sorted(listing.items()):
            newest = keys.newest(source, found)
            if newest and newest.kind == "parquet":
                stored = self.read(keys.fragment_key(source, newest.sequencer))
                fragments.append((source, Fragment.read(io.BytesIO(stored))))
        stitched = stitch(fragments, spec, lambda key: self._reread(key, spec))
        rejected: dict[str, BadRecording] = dict(stitched.rejected)
        return Outcome(stitched.table, rejected, len(listing))

    def _reread(self, key: str, spec: CycleSpec) -> Recording:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="signalbox-") as folder:
            path = Path(folder) / Path(key).name
            self.s3.download_file(self.name, key, str(path))
            return open_recording(path, spec, key).held()
