"""Container images: which program each starts, and the code it holds.

The template says it, since nothing here can look into an image: its Metadata names for a parameter
that holds an image's URI the Dockerfile and the program. `make build` assembles the code that the
Dockerfile copies into a folder of the build; a program sees it as it would in the container.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from localcloud.errors import DeployError

FOLDER = "images"  # of the build: one folder in it for each image
_SECTION = "Images"
_KEYS = {"Dockerfile", "Program"}


@dataclass(frozen=True)
class Image:
    """What is known of an image.

    Attributes:
        program: what it starts (its ENTRYPOINT); empty where requests say it.
        folder: the code it holds; None if that is unknown.
    """

    program: tuple[str, ...] = ()
    folder: Path | None = None


def image_of(given: Image | Sequence[str]) -> Image:
    """An image, or just the program it starts."""
    return given if isinstance(given, Image) else Image(tuple(given))


def named(images: Mapping[str, Image], uri: str) -> Image | None:
    """The image of a URI: known by just this one, or by it without tag and digest."""
    name, _, last = uri.partition("@")[0].rpartition("/")
    bare = f"{name}/{last.partition(':')[0]}" if name else last.partition(":")[0]
    return images.get(uri) or images.get(bare)


def declared_images(
    template: Mapping[str, Any], values: Mapping[str, Any], build: Path
) -> dict[str, Image]:
    """The images that a built template declares, by URI.

    Args:
        template: with `Metadata: {Images: {<parameter>: {Dockerfile, Program}}}`.
        values: of the parameters; one that is empty names no image.
        build: folder of the build.

    Raises:
        DeployError: a declaration says something else, or its code was not assembled.
    """
    section = (template.get("Metadata") or {}).get(_SECTION) or {}
    found = {}
    for parameter, body in section.items():
        image = _declared(parameter, body, build)
        if parameter not in values:
            raise _wrong("is no parameter of the template", parameter)
        if values[parameter]:
            found[str(values[parameter])] = image
    return found


def _declared(parameter: str, body: Any, build: Path) -> Image:
    if not isinstance(body, Mapping) or set(body) != _KEYS:
        raise _wrong("must say Dockerfile and Program, and nothing else", parameter)
    program = body["Program"]
    if not isinstance(program, list) or not all(isinstance(each, str) for each in program):
        raise _wrong("must be a list of words", parameter, "Program")
    folder = build / FOLDER / folder_name(str(body["Dockerfile"]), parameter)
    if not folder.is_dir():
        raise _wrong(f"{folder} is not there: run `make build`", parameter, "Dockerfile")
    return Image(tuple(program), folder)


def folder_name(dockerfile: str, parameter: str = "") -> str:
    """The folder of an image's code in the build: that of its Dockerfile, containers/<name>/.

    Raises:
        DeployError: the Dockerfile lies elsewhere.
    """
    parts = PurePosixPath(dockerfile).parts
    if len(parts) != 3 or (parts[0], parts[2]) != ("containers", "Dockerfile") or ".." in parts:
        raise _wrong("must be containers/<name>/Dockerfile", parameter, "Dockerfile")
    return parts[1]


def _wrong(message: str, parameter: str, prop: str | None = None) -> DeployError:
    return DeployError(message, logical_id=f"Metadata.{_SECTION}.{parameter}", prop=prop)
