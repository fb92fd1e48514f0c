"""Resource properties that remember which of them were honoured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.errors import DeployError
from localcloud.limits import Limit


class Props:
    """The resolved properties of one resource, or of an object inside it.

    Taking a property marks it honoured; what nobody took is an error at the end. Scalars that come
    through parameters are text in CloudFormation, so the typed takers convert.

    Args:
        values: resolved properties.
        logical_id: the resource they belong to.
        path: dotted path of this object inside the resource.
    """

    def __init__(self, values: Mapping[str, Any], logical_id: str, path: str = "") -> None:
        self._values = values
        self._logical_id = logical_id
        self._path = path
        self._taken: set[str] = set()
        self._inside: list[Props] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def take(self, name: str, default: Any = None) -> Any:
        """The whole value of a property, honoured with everything inside it."""
        self._taken.add(name)
        return self._values.get(name, default)

    def need(self, name: str) -> Any:
        """Like `take`, but the property must be there."""
        if name not in self._values:
            raise self.error(name, "is required")
        return self.take(name)

    def text(self, name: str, default: str = "") -> str:
        """A scalar as text."""
        return str(self.take(name, default))

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number, written as one or as its text."""
        value = self.take(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not str(value).lstrip("-").isdigit():
            raise self.error(name, f"must be a whole number, not {value!r}")
        return int(value)

    def bounded(self, name: str, limit: Limit, default: int) -> int:
        """A whole number within one of AWS's limits."""
        value = self.integer(name, default)
        if value is None or not limit.allows(value):
            raise self.error(name, f"must be from {limit.least or 0} to {limit.most}, not {value}")
        return value

    def boolean(self, name: str, default: bool = False) -> bool:
        """A truth value, written as one or as its text."""
        value = self.take(name, default)
        if str(value).lower() not in {"true", "false"}:
            raise self.error(name, f"must be true or false, not {value!r}")
        return str(value).lower() == "true"

    def choice(self, name: str, *allowed: str, default: str | None = None) -> str:
        """One of a few words."""
        value = str(self.take(name, default) if default is not None else self.need(name))
        if value not in allowed:
            raise self.error(name, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def group(self, name: str) -> Props | None:
        """An object inside, whose own properties must each be honoured; None if absent."""
        value = self.take(name)
        if value is None:
            return None
        return self._object(name, value)

    def groups(self, name: str) -> list[Props]:
        """A list of objects inside; empty if absent."""
        value = self.take(name) or []
        if not isinstance(value, list):
            raise self.error(name, "must be a list")
        return [self._object(f"{name}[{place}]", each) for place, each in enumerate(value)]

    def tags(self, name: str = "Tags") -> dict[str, str]:
        """CloudFormation's list of Key and Value (or SAM's map) as a map."""
        value = self.take(name) or []
        if isinstance(value, Mapping):
            return {str(key): str(each) for key, each in value.items()}
        return {str(each["Key"]): str(each["Value"]) for each in value}

    def untaken(self) -> list[str]:
        """Dotted paths of everything nobody took."""
        own = [self._join(name) for name in self._values if name not in self._taken]
        return own + [path for inside in self._inside for path in inside.untaken()]

    def error(self, name: str, message: str) -> DeployError:
        """An error that names this property."""
        return DeployError(message, logical_id=self._logical_id, prop=self._join(name))

    def _object(self, name: str, value: Any) -> Props:
        if not isinstance(value, Mapping):
            raise self.error(name, "must be an object")
        inside = Props(value, self._logical_id, self._join(name))
        self._inside.append(inside)
        return inside

    def _join(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name
