"""A state folder: `manifest.json`, the parts it names and the objects' bytes, each by its checksum.

    manifest.json             schema, when, which files with their sha256; replaced last, in one step
    parts/<name>-<hash>.json  what was kept of one service
    blobs/<sha256>            bytes of an S3 object
    lock                      held by the cloud that uses the folder

Files are never changed, only added; a manifest always names whole files, so an interrupted save leaves
the state before it. What no manifest names is removed after the next save. Secrets are among it in
plain text: the folder and its files are their owner's only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from localcloud.errors import StateError
from localcloud.keep.manifest import ADVICE, SCHEMA, checked, is_digest
from localcloud.keep.plain import dumped, loaded

MANIFEST = "manifest.json"
LOCK = "lock"
_OURS = {LOCK, "parts", "blobs", MANIFEST + ".new"}  # of a first save that was interrupted


class StateFolder:
    """A state folder, checked completely before anything is started from it.

    Args:
        path: the folder; made when it is opened if it is not there.

    Attributes:
        kept: by name, what the last save left; empty for a new folder.

    Raises:
        StateError: another cloud uses it, or it is damaged or something else. It is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: dict[str, Any] = {}
        self._lock: int | None = None
        self._found: bytes | None = None
        self._listed: frozenset[str] = frozenset()
        self._names: set[str] = set()
        self._made: list[Path] = []
        self._written = False
        self._refuse_foreign()
        if (path / MANIFEST).is_file():
            self._take_lock()
            try:
                self._read()
            finally:
                self.close()

    def open(self) -> None:
        """Lock the folder for this process, and see that it is still what was read.

        Raises:
            StateError: another cloud uses it, or used it since.
        """
        there = (self.path, *self.path.parents)
        made = [each for each in there if not each.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        self._refuse_foreign()
        self._take_lock()
        self._made += made
        with ExitStack() as failing:
            failing.callback(self.close)
            manifest = self.path / MANIFEST
            if (manifest.read_bytes() if manifest.is_file() else None) != self._found:
                raise StateError(f"another local cloud has just used {self.path}; start again")
            self.path.chmod(0o700)
            failing.pop_all()

    def close(self) -> None:
        """Let go of the folder; if nothing was written, nothing that was made for it stays."""
        if self._lock is None:
            return
        if not self._written:
            for each in self._made:  # the lock, the folder, those above it
                if each.name == LOCK and each.is_file():
                    each.unlink()
                elif each.is_dir() and not any(each.iterdir()):
                    each.rmdir()
        os.close(self._lock)
        self._lock, self._made = None, []

    def blob(self, sha256: str) -> bytes:
        """An object's bytes.

        Raises:
            StateError: the manifest lists no such object.
        """
        if not is_digest(sha256) or sha256 not in self._listed:
            place = self.path / MANIFEST
            raise StateError(f"{place} lists no object {sha256!r:.100}, but a part names it")
        return (self.path / "blobs" / sha256).read_bytes()

    def add_blob(self, body: bytes) -> str:
        """Keep an object's bytes; returns their sha256, by which they are found."""
        self._written = True
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
            facts: the rest of the manifest's fields, see `localcloud.keep.manifest`.
        """
        self._written = True
        files = {}
        for name, content in parts.items():
            body = dumped(content)
            digest = hashlib.sha256(body).hexdigest()
            place = f"parts/{name}-{digest[:16]}.json"
            if not (self.path / place).is_file():
                _write(self.path / place, body)
            files[name] = {"file": place, "sha256": digest}
        kept = sorted(set(blobs))
        manifest = {"schema": SCHEMA, **facts, "files": files, "blobs": kept}
        _write(self.path / MANIFEST, dumped(manifest))
        named = {Path(entry["file"]).name for entry in files.values()} | set(kept)
        for room in ("parts", "blobs"):
            for path in (self.path / room).glob("*"):
                if path.name not in named:
                    path.unlink()
        self._names &= named

    def _refuse_foreign(self) -> None:
        """What this class did not make is not written to: rooms are cleared by a save."""
        if self.path.exists() and not self.path.is_dir():
            raise StateError(f"{self.path} is no folder; state needs one")
        if not self.path.is_dir() or (self.path / MANIFEST).is_file():
            return
        names = {each.name for each in self.path.iterdir()}
        strange = sorted(names - _OURS if LOCK in names else names)
        if strange:
            raise StateError(f"{self.path} holds {strange[0]} but no {MANIFEST}: {ADVICE}")

    def _take_lock(self) -> None:
        place = self.path / LOCK
        made = [] if place.exists() else [place]
        lock = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # a cloud that leaves nothing takes its lock away, and another may be there by now
            mine = os.path.samestat(os.fstat(lock), place.stat())
        except OSError as error:
            os.close(lock)
            raise StateError(f"another local cloud uses {self.path}") from error
        if not mine:
            os.close(lock)
            raise StateError(f"another local cloud uses {self.path}")
        self._lock, self._made = lock, made

    def _read(self) -> None:
        place = self.path / MANIFEST
        self._found = place.read_bytes()
        manifest = checked(str(place), _json(place, self._found))
        kept = {"manifest": manifest}
        for name, entry in manifest["files"].items():
            part = self.path / entry["file"]
            kept[name] = _json(part, self._checked(part, entry["sha256"]))
        for digest in manifest["blobs"]:
            self._checked(self.path / "blobs" / digest, digest)
        self.kept, self._listed = kept, frozenset(manifest["blobs"])

    def _checked(self, path: Path, digest: str) -> bytes:
        if path.resolve().parent.parent != self.path.resolve() or not path.is_file():
            raise StateError(f"{path} is missing: {ADVICE}")
        body = path.read_bytes()
        if hashlib.sha256(body).hexdigest() != digest:
            raise StateError(f"{path} was changed or damaged since it was saved: {ADVICE}")
        return body


def _json(path: Path, body: bytes) -> Any:
    try:
        return loaded(body)
    except ValueError as error:
        raise StateError(f"{path} is not JSON ({error}): {ADVICE}") from error


def _write(target: Path, body: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".new")
    with fresh.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)
