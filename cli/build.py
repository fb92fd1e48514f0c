"""Whether `.aws-sam/build` is what the sources say: a stale build is an error, never a surprise.

``make build`` asks ``python -m cli.build --fresh``, and notes with ``--note`` what it built.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from cli.images import source_files

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".aws-sam" / "build"
NOTE = ".sources.json"


class StaleBuild(Exception):  # noqa: N818 - named for what it says
    """The build is missing or older than its sources; the message says what to run."""


def sources_digest(root: Path = ROOT) -> str:
    """A digest of everything a build is made of: the template, the doors, the layers, the images."""
    files = [root / "template.yaml", *source_files(root)]
    for room in ("functions", "layers"):
        found = (root / room).rglob("*")
        files += [p for p in found if p.is_file() and "__pycache__" not in p.parts]
    digest = hashlib.sha256()
    for path in sorted(set(files)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def check_build(build: Path = BUILD) -> None:
    """Refuse a build that is missing or stale.

    Raises:
        StaleBuild: run ``make build``.
    """
    note = build / NOTE
    if not note.is_file():
        raise StaleBuild(f"{build}: not built yet; run `make build`")
    if json.loads(note.read_text(encoding="utf-8"))["digest"] != sources_digest():
        changed = "template.yaml, functions/, layers/ or what an image holds"
        raise StaleBuild(f"{build}: {changed} changed; run `make build`")


def main(arguments: list[str]) -> int:
    """``--fresh DIR``: exit code 0 if the build is what the sources say; ``--note DIR``: say that it is."""
    asked, folder = arguments
    if asked == "--note":
        Path(folder, NOTE).write_text(json.dumps({"digest": sources_digest()}), encoding="utf-8")
        return 0
    try:
        check_build(Path(folder))
    except StaleBuild:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
