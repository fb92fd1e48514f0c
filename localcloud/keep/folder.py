"""A state folder: `manifest.json`, the parts it names and the objects' bytes, each by its checksum.

    manifest.json             schema, when, which files with their sha256; replaced last, in one step
    parts/<name>-<hash>.json  what was kept of one service
    blobs/<sha256>            bytes of an S3 object
    lock                      held by the cloud that uses the folder

Files are never changed, only added; a manifest always names whole files, so an interrupted save leaves
the state before it. What no manifest names is removed after the next save.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from localcloud.errors import StateError

SCHEMA = 1
MANIFEST = "manifest.json"
_OURS = {MANIFEST, "parts", "blobs", "lock"}
_ADVICE = "take another folder, or remove this one to begin anew"


class StateFolder:
    """A state folder in use by this process, checked completely before anything is started from it.

    Args:
        path: the folder; made at the first save if it is not there.

    Attributes:
        kept: by name, what the last save left; empty for a new folder.

    Raises:
        StateError: another cloud uses it, or it is damaged or something else. It is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None
        self._names: set[str] = set()
        self.kept: dict[str, Any] = {}
        if path.exists() and not path.is_dir():
            raise StateError(f"{path} is no folder; state needs one")
        if not path.is_dir() or not any(path.iterdir()):
            return
        if not (path / MANIFEST).is_file():
            strange = sorted(each.name for each in path.iterdir() if each.name not in _OURS)
            if strange:
                raise StateError(f"{path} holds {strange[0]} but no {MANIFEST}: {_ADVICE}")
            return
        self.kept = self._read(path / MANIFEST)

    def open(self) -> None:
        """Lock the folder for this process.

        Raises:
            StateError: another cloud uses it.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.path / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise StateError(f"another local cloud uses {self.path}") from error
        self._lock = lock

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def blob(self, sha256: str) -> bytes:
        """An object's bytes."""
        return (self.path / "blobs" / sha256).read_bytes()

    def add_blob(self, body: bytes) -> str:
        """Keep an object's bytes; returns their sha256, by which they are found."""
        name = hashlib.sha256(body).hexdigest()
        target = self.path / "blobs" / name
        if name not in self._names and not target.is_file():
            _write(target, body)
        self._names.add(name)
        return name

    def save(
        self, parts: Mapping[str, Any], blobs: Iterable[str], facts: Mapping[str, Any]
    ) -> None:
        """Replace what is kept, in one step.

        Args:
            parts: by name, JSON data (bytes allowed).
            blobs: the checksums of all objects that the parts name.
            facts: more for the manifest.
        """
        files = {}
        for name, content in parts.items():
            body = json.dumps(content, default=_plain, indent=1).encode()
            digest = hashlib.sha256(body).hexdigest()
            place = f"parts/{name}-{digest[:16]}.json"
            if not (self.path / place).is_file():
                _write(self.path / place, body)
            files[name] = {"file": place, "sha256": digest}
        kept = sorted(set(blobs))
        manifest = {"schema": SCHEMA, **facts, "files": files, "blobs": kept}
        _write(self.path / MANIFEST, json.dumps(manifest, indent=1).encode())
        named = {Path(entry["file"]).name for entry in files.values()} | set(kept)
        for room in ("parts", "blobs"):
            for path in (self.path / room).glob("*"):
                if path.name not in named:
                    path.unlink()
        self._names &= named

    def _read(self, path: Path) -> dict[str, Any]:
        manifest = _json(path, path.read_bytes())
        if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
            found = manifest.get("schema") if isinstance(manifest, dict) else None
            raise StateError(f"{path}: schema {found!r} is not {SCHEMA}: {_ADVICE}")
        if not isinstance(manifest.get("files"), dict) or not isinstance(
            manifest.get("blobs"), list
        ):
            raise StateError(f"{path} names no files: {_ADVICE}")
        kept = {"manifest": manifest}
        for name, entry in manifest["files"].items():
            part = self.path / str(entry["file"])
            kept[name] = _json(part, self._checked(part, str(entry["sha256"])))
        for digest in manifest["blobs"]:
            self._checked(self.path / "blobs" / str(digest), str(digest))
        return kept

    def _checked(self, path: Path, digest: str) -> bytes:
        if path.resolve().parent.parent != self.path.resolve() or not path.is_file():
            raise StateError(f"{path} is missing: {_ADVICE}")
        body = path.read_bytes()
        if hashlib.sha256(body).hexdigest() != digest:
            raise StateError(f"{path} was changed or damaged since it was saved: {_ADVICE}")
        return body


def _json(path: Path, body: bytes) -> Any:
    try:
        return json.loads(body, object_hook=_bytes)
    except (ValueError, UnicodeDecodeError) as error:
        raise StateError(f"{path} is not JSON ({error}): {_ADVICE}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _bytes(found: dict[str, Any]) -> Any:
    return base64.b64decode(found["base64"]) if found.keys() == {"base64"} else found


def _write(target: Path, body: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    with fresh.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)
