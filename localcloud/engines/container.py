"""What a container is here: the program that its image starts, as a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from localcloud.engines.base import RunError
from localcloud.engines.ml import MlFolder
from localcloud.engines.python import command_of
from localcloud.images import Image, named


def started(
    images: Mapping[str, Image],
    uri: str,
    entrypoint: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    ml: MlFolder,
) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a container.

    Its image's folder is on the module path, as the working folder of `python -m` is there.

    Args:
        images: what is known of images.
        uri: of the image.
        entrypoint: the request's own; empty for the image's.
        arguments: what follows it.
        environment: the request's variables.
        ml: `/opt/ml`.

    Raises:
        RunError: neither the request nor anybody else says what the image starts.
    """
    image = named(images, uri)
    program = [*(entrypoint or (image.program if image else ()))]
    if not program:
        message = f"the local cloud knows no program for image {uri!r}"
        raise RunError(f"ClientError: {message}, and the request names no ContainerEntrypoint")
    variables = dict(environment)
    if image is not None and image.folder is not None:
        ahead = variables.get("PYTHONPATH")
        variables["PYTHONPATH"] = f"{ahead}:{image.folder}" if ahead else str(image.folder)
    return command_of([ml.here(each) for each in [*program, *arguments]]), variables
