"""Replacing names of another package for a while, and noticing when they no longer fit.

Nothing here knows moto; `localcloud.seams` holds the table.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seam:
    """One name in moto that is replaced while a cloud runs.

    Attributes:
        owner: dotted path of the module or class.
        name: attribute there.
        signature: what it must look like, defaults included, without annotations; None for what
            moto lacks and gets from here.
        replacement: called with the hooks and, unless `plain` or lacking, the original first.
    """

    owner: str
    name: str
    signature: str | None
    replacement: Callable[..., Any]
    plain: bool = False

    def holder(self) -> Any:
        """The module or class that has the name."""
        module, _, attribute = self.owner.partition(":")
        found = importlib.import_module(module)
        return getattr(found, attribute) if attribute else found


def misfit(seam: Seam, version: str) -> str | None:
    """Why this seam does not fit what is installed; None if it does."""
    place = f"{seam.owner.replace(':', '.')}.{seam.name}"
    found = getattr(seam.holder(), seam.name, None)
    if seam.signature is None:
        return None if found is None else f"{place} is there in version {version}, cut it instead"
    if not callable(found):
        return f"{place} is gone in version {version}"
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(found).parameters.values()
    ]
    seen = str(inspect.Signature(bare))
    if seen != seam.signature:
        return f"{place} is {seen} in version {version}, the seam expects {seam.signature}"
    return None


@contextmanager
def cut(seams: Sequence[Seam], hooks: object) -> Iterator[None]:
    """Replace every seam, and put the originals back afterwards."""
    originals = [
        (seam.holder(), seam.name, getattr(seam.holder(), seam.name, None)) for seam in seams
    ]
    for seam, (holder, name, original) in zip(seams, originals, strict=True):
        ahead = (hooks,) if seam.plain or seam.signature is None else (hooks, original)
        setattr(holder, name, _replacement(seam, ahead))
    try:
        yield
    finally:
        for seam, (holder, name, original) in zip(seams, originals, strict=True):
            if seam.signature is None:
                delattr(holder, name)
            else:
                setattr(holder, name, original)


def _replacement(seam: Seam, ahead: tuple[object, ...]) -> Callable[..., Any]:
    def replacement(*args: Any, **named: Any) -> Any:  # a function, so that methods bind
        return seam.replacement(*ahead, *args, **named)

    return replacement
