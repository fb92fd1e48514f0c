"""What `sam package` does, locally: zip what was built, put it in S3 by content, rewrite the URIs.

The zips are deterministic (sorted, fixed times), so equal builds give equal keys. Then the SAM
translator, offline, turns the template into plain CloudFormation.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.metrics.metrics import DummyMetricsPublisher, Metrics
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from localcloud.errors import DeployError

_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_FIXED = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_SKIPPED = "__pycache__/"  # interpreters write there what depends on who ran them
# Above this a layer is third-party code, which functions here import from the virtual environment
# (localcloud.exceptions); its zip then holds the list of its files instead of their bytes.
LISTED_ABOVE = 8 * 1024 * 1024


@dataclass(frozen=True)
class Artefact:
    """One packaged folder: where it was built, where it now lies in S3, its bytes unzipped."""

    folder: Path
    bucket: str
    key: str
    size: int = 0


def files_of(folder: Path) -> Mapping[str, os.stat_result]:
    """All files of a built folder by relative name, sorted.

    A build makes its folders anew, so what a folder was found to hold is remembered for as long as it is
    the same folder: layers hold thousands of files, and to look at each takes longer than all else here.
    """
    made = folder.stat()
    return _files(os.fspath(folder), made.st_ino, made.st_mtime_ns)


@lru_cache(maxsize=64)
def _files(folder: str, _inode: int, _made_ns: int) -> Mapping[str, os.stat_result]:
    found: dict[str, os.stat_result] = {}
    places = [("", folder)]
    for within, place in places:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_file():
                    found[within + entry.name] = entry.stat()
                else:
                    places.append((f"{within}{entry.name}/", entry.path))
    return dict(sorted(found.items()))


def zip_folder(
    folder: Path,
    found: Mapping[str, os.stat_result] | None = None,
    *,
    listed_above: int = LISTED_ABOVE,
) -> bytes:
    """A deterministic zip of a folder: equal trees give equal bytes.

    A folder of more than `listed_above` bytes becomes a zip with one member, `FILES`, that lists
    names, sizes and times.

    Args:
        folder: what to zip, but for bytecode caches.
        found: its `files_of`, if they are known.
        listed_above: bytes.
    """
    found = files_of(folder) if found is None else found
    files = {name: stat for name, stat in found.items() if _SKIPPED not in name}
    if sum(stat.st_size for stat in files.values()) > listed_above:
        listing = (f"{name} {stat.st_size} {stat.st_mtime_ns}\n" for name, stat in files.items())
        members = [("FILES", "".join(listing).encode())]
    else:
        members = [(name, (folder / name).read_bytes()) for name in files]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, _FIXED)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def package(template: dict[str, Any], build: Path, s3: Any, bucket: str) -> dict[str, Artefact]:
    """Upload the folders functions and layers name, and rewrite the template to S3 URIs.

    Returns:
        The artefacts by URI `s3://bucket/key`.

    Raises:
        DeployError: a folder that the template names was not built.
    """
    artefacts: dict[str, Artefact] = {}
    for logical_id, body in template["Resources"].items():
        prop = _CODE.get(str(body.get("Type")))
        if prop is None:
            continue
        properties = body.setdefault("Properties", {})
        folder = build / str(properties.get(prop, ""))
        if not properties.get(prop) or not folder.is_dir():
            message = f"no built folder {properties.get(prop)!r} in {build}: run `make build`"
            raise DeployError(message, logical_id=logical_id, prop=prop)
        found = files_of(folder)
        content = zip_folder(folder, found)
        key = f"{hashlib.sha256(content).hexdigest()}.zip"
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        properties[prop] = f"s3://{bucket}/{key}"
        size = sum(stat.st_size for stat in found.values())
        artefacts[properties[prop]] = Artefact(folder, bucket, key, size)
    return artefacts


def translate(
    template: dict[str, Any], parameters: Mapping[str, str], region: str
) -> dict[str, Any]:
    """SAM resources turned into plain CloudFormation, as AWS's own transform does.

    Raises:
        DeployError: SAM refuses the template; the message is SAM's.
    """
    text = _translated(json.dumps(template), json.dumps(dict(parameters)), region)
    return dict(json.loads(text))


@lru_cache(maxsize=8)  # a fresh cloud a test is common, and equal templates give equal answers
def _translated(template: str, parameters: str, region: str) -> str:
    session = boto3.Session(region_name=region)
    # no managed policies by short name: the template names policies by ARN
    metrics = Metrics("ServerlessTransform", DummyMetricsPublisher())
    translator = Translator({}, Parser(), boto_session=session, metrics=metrics)
    try:
        translated = translator.translate(json.loads(template), json.loads(parameters))
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise DeployError(causes or str(error.message)) from error
    finally:
        metrics.publish()  # to nowhere; otherwise it warns
    return json.dumps(translated)
