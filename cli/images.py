"""The code that container images hold, assembled for the local cloud from what their Dockerfiles copy.

``make build`` asks ``python -m cli.images BUILD``: for every ``containers/<name>/Dockerfile`` a folder
``BUILD/images/<name>`` with what stands in the image's WORKDIR. Only a few plain instructions are
understood, and anything else that could change what the program sees is an error.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "images"
# what says nothing about the files of the repository that the program sees
_PASSED_OVER = {"ARG", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER"}
_FOR_BUILDING = PurePosixPath("/tmp")  # noqa: S108 - a place in the image, such as for requirements


class UnclearImage(Exception):  # noqa: N818 - named for what it says
    """A Dockerfile says something that cannot be honoured; the message names file and line."""


@dataclass(frozen=True)
class Recipe:
    """What a Dockerfile says about the repository's code.

    Attributes:
        copies: (source in the repository, target under WORKDIR), in order.
        sources: every source in the repository, also of what is only for building.
        entrypoint: the program it starts; empty if there is none.
    """

    copies: tuple[tuple[str, PurePosixPath], ...]
    sources: tuple[str, ...]
    entrypoint: tuple[str, ...]


def read_recipe(dockerfile: Path) -> Recipe:
    """Read a Dockerfile.

    Raises:
        UnclearImage: it says something else than this module knows.
    """
    reader = _Reader(dockerfile)
    for line, word, rest in _instructions(dockerfile):
        reader.take(line, word, rest)
    return reader.recipe()


class _Reader:
    """Follows a Dockerfile's instructions; where the program starts is only known at the end."""

    def __init__(self, dockerfile: Path) -> None:
        self._dockerfile = dockerfile
        self._folder = PurePosixPath("/")
        self._stages = 0
        self._copied: list[tuple[int, str, PurePosixPath]] = []
        self._entrypoint: list[str] = []

    def recipe(self) -> Recipe:
        """What was read."""
        inside = []
        for line, source, target in self._copied:
            if target.is_relative_to(_FOR_BUILDING):
                continue
            if self._folder == PurePosixPath("/") or not target.is_relative_to(self._folder):
                raise self._unclear(line, f"{target} is not under WORKDIR {self._folder}")
            inside.append((source, target.relative_to(self._folder)))
        sources = tuple(source for _, source, _ in self._copied)
        return Recipe(tuple(inside), sources, tuple(self._entrypoint))

    def take(self, line: int, word: str, rest: str) -> None:
        """One instruction."""
        if word == "FROM":
            self._stages += 1
            if self._stages > 1:
                raise self._unclear(line, "has more than one stage")
        elif word == "WORKDIR":
            if not rest.startswith("/") or ".." in PurePosixPath(rest).parts:
                raise self._unclear(line, "WORKDIR needs its whole path")
            self._folder = PurePosixPath(rest)
        elif word == "COPY":
            self._copy(line, rest)
        elif word in ("ENTRYPOINT", "CMD"):
            words = self._words(line, rest)
            self._entrypoint = words if word == "ENTRYPOINT" else self._entrypoint
        elif word not in _PASSED_OVER:
            raise self._unclear(line, f"{word} is not known here")

    def _copy(self, line: int, rest: str) -> None:
        words = [each for each in rest.split() if not re.match(r"--(chown|chmod)=", each)]
        if len(words) < 2 or any(re.search(r"^-|[\[\]*?$\"']", each) for each in words):
            raise self._unclear(line, "COPY takes plain paths of the repository and a target")
        *sources, last = words
        root = self._dockerfile.resolve().parents[2]
        for source in sources:
            if source.startswith("/") or ".." in PurePosixPath(f"{source}/{last}").parts:
                raise self._unclear(line, f"{source} is not in the repository")
            if not (root / source).exists():
                raise self._unclear(line, f"{source} is not there")
            target = self._folder / last  # an absolute one takes the place of the whole
            if (root / source).is_file() and (last.endswith(("/", ".")) or len(sources) > 1):
                target /= PurePosixPath(source).name
            self._copied.append((line, source, target))

    def _words(self, line: int, rest: str) -> list[str]:
        """The exec form; SageMaker's signals reach no program behind a shell."""
        try:
            words = json.loads(rest)
        except json.JSONDecodeError:
            words = None
        if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
            raise self._unclear(line, 'must be a list, as ["python3", "-m", "program"]')
        return words

    def _unclear(self, line: int, message: str) -> UnclearImage:
        return UnclearImage(f"{self._dockerfile} line {line}: {message}")


def _instructions(dockerfile: Path) -> Iterator[tuple[int, str, str]]:
    """(line, instruction, the rest), lines that go on joined."""
    begun, held = 0, ""
    for number, text in enumerate(dockerfile.read_text(encoding="utf-8").splitlines(), start=1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        begun = begun or number
        held += line.removesuffix("\\")
        if not line.endswith("\\"):
            word, _, rest = held.partition(" ")
            yield begun, word.upper(), rest.strip()
            begun, held = 0, ""


def dockerfiles(root: Path = ROOT) -> list[Path]:
    """Every image's Dockerfile."""
    return sorted((root / "containers").glob("*/Dockerfile"))


def source_files(root: Path = ROOT) -> set[Path]:
    """Every file that the images are made of, Dockerfiles too."""
    found = set(dockerfiles(root))
    for dockerfile in dockerfiles(root):
        for source in read_recipe(dockerfile).sources:
            found |= set(_files(root / source))
    return found


def assemble(build: Path, root: Path = ROOT) -> None:
    """Make the folder of every image anew."""
    shutil.rmtree(build / FOLDER, ignore_errors=True)
    for dockerfile in dockerfiles(root):
        folder = build / FOLDER / dockerfile.parent.name
        folder.mkdir(parents=True)
        for source, inside in read_recipe(dockerfile).copies:
            origin = root / source
            for path in _files(origin):
                target = folder / inside / path.relative_to(origin)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def _files(origin: Path) -> list[Path]:
    if origin.is_file():
        return [origin]
    return [p for p in origin.rglob("*") if p.is_file() and "__pycache__" not in p.parts]


if __name__ == "__main__":
    try:
        assemble(Path(sys.argv[1]))
    except UnclearImage as unclear:
        sys.exit(str(unclear))
