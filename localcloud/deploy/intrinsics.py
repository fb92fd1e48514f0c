"""CloudFormation's intrinsic functions and conditions, resolved strictly.

Citation: "Intrinsic function reference" of the CloudFormation User Guide. Not supported, and so
errors: Fn::ImportValue, Fn::Transform, Fn::Cidr, Fn::ForEach, Fn::Length, Fn::ToJsonString.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localcloud.errors import DeployError

NO_VALUE = object()  # what AWS::NoValue stands for: the property is not there
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_FUNCTIONS = (
    "Base64", "FindInMap", "GetAtt", "GetAZs", "If", "Join", "Select", "Split", "Sub",
)  # fmt: skip
_LOGIC = ("And", "Equals", "Not", "Or")


class Scope:
    """What names mean in one template.

    Args:
        region: for Fn::GetAZs.
        names: parameters and pseudo parameters, by name.
        mappings: the Mappings section.
        conditions: the Conditions section, unresolved.
        ref: what Ref gives for a resource.
        attribute: what GetAtt gives for a resource and an attribute.
    """

    def __init__(
        self,
        region: str,
        names: Mapping[str, Any],
        mappings: Mapping[str, Any],
        conditions: Mapping[str, Any],
        ref: Callable[[str], str],
        attribute: Callable[[str, str], str],
    ) -> None:
        self._region = region
        self._names = names
        self._mappings = mappings
        self._conditions = conditions
        self._ref = ref
        self._attribute = attribute
        self._asked: list[str] = []

    def resolve(self, value: Any) -> Any:
        """A template value with every function computed; lists and objects lose NoValue members."""
        if isinstance(value, list):
            resolved = [self.resolve(each) for each in value]
            return [each for each in resolved if each is not NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if (called := function_of(value)) is not None:
            return self._call(*called)
        members = {key: self.resolve(each) for key, each in value.items()}
        return {key: each for key, each in members.items() if each is not NO_VALUE}

    def condition(self, name: str) -> bool:
        """Whether a condition of the Conditions section holds."""
        if name not in self._conditions:
            raise DeployError(f"condition {name!r} is not in the template")
        if name in self._asked:
            raise DeployError(f"condition {name!r} depends on itself")
        self._asked.append(name)
        holds = self._holds(self._conditions[name])
        self._asked.pop()
        return holds

    def _holds(self, value: Any) -> bool:
        called = function_of(value) if isinstance(value, Mapping) else None
        if called is None:
            raise DeployError(f"{value!r} is not a condition")
        name, argument = called
        if name == "Condition":
            return self.condition(str(argument))
        if name == "Equals":
            left, right = (self.resolve(each) for each in argument)
            return str(left) == str(right)
        if name == "Not":
            return not self._holds(argument[0])
        if name in {"And", "Or"}:
            held = [self._holds(each) for each in argument]
            return all(held) if name == "And" else any(held)
        raise DeployError(f"Fn::{name} is not a condition function")

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._named(str(argument))
        if name == "Condition" or name in _LOGIC:
            return self._holds({name if name == "Condition" else f"Fn::{name}": argument})
        if name not in _FUNCTIONS:
            raise DeployError(f"Fn::{name} is not supported")
        return getattr(self, f"_{name.lower()}")(argument)

    def _named(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self._names[name] if name in self._names else self._ref(name)

    def _getatt(self, argument: Any) -> str:
        logical_id, attribute = attribute_of(argument)
        return self._attribute(logical_id, str(self.resolve(attribute)))

    def _sub(self, argument: Any) -> str:
        template, own = argument if isinstance(argument, list) else (argument, {})
        own = {key: self.resolve(value) for key, value in own.items()}

        def fill(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in own:
                return str(own[name])
            if "." in name:
                return self._attribute(*attribute_of(name))
            return str(self._named(name))

        return _PLACEHOLDER.sub(fill, template)

    def _join(self, argument: Any) -> str:
        separator, values = argument
        resolved = self.resolve(values)
        if not isinstance(resolved, list):
            raise DeployError(f"Fn::Join needs a list, not {resolved!r}")
        return str(separator).join(str(each) for each in resolved)

    def _split(self, argument: Any) -> list[str]:
        separator, value = argument
        return str(self.resolve(value)).split(str(separator))

    def _select(self, argument: Any) -> Any:
        place, values = self.resolve(argument[0]), self.resolve(argument[1])
        if not isinstance(values, list) or not 0 <= int(place) < len(values):
            raise DeployError(f"Fn::Select has no item {place} in {values!r}")
        return values[int(place)]

    def _if(self, argument: Any) -> Any:
        name, then, otherwise = argument
        return self.resolve(then if self.condition(str(name)) else otherwise)

    def _findinmap(self, argument: Any) -> Any:
        found: Any = self._mappings
        for key in [self.resolve(each) for each in argument[:3]]:
            if not isinstance(found, Mapping) or str(key) not in found:
                raise DeployError(f"Fn::FindInMap: nothing at {argument!r}")
            found = found[str(key)]
        return found

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(str(self.resolve(argument)).encode()).decode()

    def _getazs(self, argument: Any) -> list[str]:
        region = str(self.resolve(argument)) or self._region
        return [f"{region}{zone}" for zone in "abc"]


def function_of(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """(name without Fn::, argument) if the object is a function call."""
    if len(value) != 1:
        return None
    ((key, argument),) = value.items()
    if key in {"Ref", "Condition"} and isinstance(argument, str):
        return key, argument
    return (key.removeprefix("Fn::"), argument) if key.startswith("Fn::") else None


def attribute_of(argument: Any) -> tuple[str, Any]:
    """(logical id, attribute) of a GetAtt argument, written as a list or with a dot."""
    if isinstance(argument, str):
        logical_id, _, attribute = argument.partition(".")
        return logical_id, attribute
    return str(argument[0]), argument[1]


def references(value: Any) -> Iterator[str]:
    """Every name a template value refers to: resources, parameters and pseudo parameters."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    if not isinstance(value, Mapping):
        return
    called = function_of(value)
    if called is None:
        for each in value.values():
            yield from references(each)
        return
    name, argument = called
    if name == "Ref":
        yield str(argument)
    elif name == "GetAtt":
        yield attribute_of(argument)[0]
    elif name == "Sub":
        template, own = argument if isinstance(argument, list) else (argument, {})
        yield from references(own)
        for literal, inside in _PLACEHOLDER.findall(template):
            if not literal and inside not in own:
                yield inside.partition(".")[0]
    elif name != "Condition":
        yield from references(argument)
