"""EventBridge event patterns: compiled strictly, matched as the service matches them.

Semantics: aws/event-ruler (Apache-2.0, https://github.com/aws/event-ruler), the engine of the
service, and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html,
.../eb-create-pattern-operators.html and .../eb-event-patterns-arrays.html. The code is our own.

A pattern is flattened to dotted paths and so is an event: `{"a": {"b": 1}}` and `{"a.b": 1}` are
the same field. `$or` is multiplied out into branches, and a branch holds when all its fields do.
Arrays disappear from the paths, but every value keeps its places in the arrays of objects around
it, and two fields only match together where they stand in the same element of the same array.

Stricter than the service in one point: a path that is given twice is refused here. EventBridge
silently keeps one of the two conditions.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from localcloud.pattern_text import InvalidPattern, kind
from localcloud.pattern_values import Leaf, leaf

__all__ = ["InvalidPattern", "Pattern", "compile", "compiled"]

# Names that event-ruler keeps for itself inside $or, some of them for operators to come.
_RESERVED_IN_OR = frozenset(
    {"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard"}
    | {"numeric", "cidr", "=", "<", "<=", ">", ">=", "regex"}
    | {"not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after", "date-before"}
    | {"date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range"}
)
# The service's own limit: eb-create-pattern-operators.html, "$or" matching.
_MAX_BRANCHES = 1000
# No published limit: far above any real pattern, far below the interpreter's stack.
_MAX_DEPTH = 64

_Branch = dict[str, Leaf]
# Pairs of (array, index): the elements of arrays that a value stands in.
_Places = frozenset[tuple[int, int]]
_Fields = dict[str, list[tuple[object, _Places]]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern: alternatives, each a list of (path, leaf) sorted by path."""

    branches: tuple[tuple[tuple[str, Leaf], ...], ...]
    # Every path in the branches and every path above one: where to look in an event.
    paths: frozenset[str]

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether this event (an object of JSON values) matches. Never raises."""
        fields = _flatten(event, self.paths)
        return any(_holds(branch, fields) for branch in self.branches)


def compile(pattern: dict[str, Any] | str) -> Pattern:  # noqa: A001 - as re.compile
    """Compile a pattern, an object of JSON values or its JSON text.

    Raises `InvalidPattern` for whatever EventBridge would refuse, with the path in the pattern
    and the way out.

    >>> rule = compile({"detail": {"object": {"key": [{"wildcard": "backfill/*.json"}]}}})
    >>> rule.matches({"detail": {"object": {"key": "backfill/2024.json"}}})
    True
    """
    document = _parse(pattern) if isinstance(pattern, str) else pattern
    branches = _object(document, (), "pattern", inside_or=False)
    names = {name for branch in branches for name in branch}
    steps = [name.split(".") for name in names]
    return Pattern(
        # By path, since event-ruler walks a branch in that order: see _holds on absence.
        tuple(tuple(sorted(branch.items(), key=lambda item: item[0])) for branch in branches),
        frozenset(".".join(step[:end]) for step in steps for end in range(1, len(step) + 1)),
    )


@cache
def compiled(text: str) -> Pattern:
    """The pattern of this JSON text, compiled once."""
    return compile(text)


def _parse(text: str) -> object:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        node = dict(pairs)
        if len(node) != len(pairs):
            raise ValueError(f"a name stands twice in the object of {', '.join(node)}")
        return node

    def refuse(constant: str) -> object:
        raise ValueError(f"{constant} is no JSON number")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidPattern(f"pattern: not JSON ({error}); correct the text") from error


def _object(node: object, path: tuple[str, ...], where: str, *, inside_or: bool) -> list[_Branch]:
    """The branches of an object of fields; `where` is its place in the pattern, `$or` included."""
    if not isinstance(node, dict) or not node:
        raise InvalidPattern(
            f"{where}: takes an object with at least one field, not "
            f"{kind(node) if node != {} else 'an empty one'}; name a field or drop it"
        )
    if where.count(".") > _MAX_DEPTH:
        raise InvalidPattern(f"{where[:80]}…: more than {_MAX_DEPTH} levels deep; flatten it")
    branches: list[_Branch] = [{}]
    for key, value in node.items():
        branches = _both(branches, _field(key, value, path, where, inside_or=inside_or), where)
    return branches


def _field(
    key: object, value: object, path: tuple[str, ...], where: str, *, inside_or: bool
) -> list[_Branch]:
    spot = f"{where}.{key}"
    if not isinstance(key, str):
        raise InvalidPattern(f"{spot}: a field name is a string; quote it")
    if key == "$or":
        return _or(value, path, spot)
    if inside_or and key in _RESERVED_IN_OR:
        raise InvalidPattern(
            f"{spot}: {key} is reserved inside $or, where fields stand; "
            f'put the expression in a list: {{"<field>": [{{"{key}": …}}]}}'
        )
    if isinstance(value, dict):
        return _object(value, (*path, key), spot, inside_or=inside_or)
    if isinstance(value, list):
        return [{".".join((*path, key)): leaf(value, spot)}]
    raise InvalidPattern(
        f"{spot}: takes a list of values or an object of fields, not {kind(value)}; "
        "put the value in a list"
    )


def _or(members: object, path: tuple[str, ...], where: str) -> list[_Branch]:
    """The branches of `$or`, whose members speak of the object that it stands in."""
    if not isinstance(members, list) or len(members) < 2:
        raise InvalidPattern(
            f"{where}: takes a list of at least two objects; "
            "without alternatives name the fields themselves"
        )
    return [
        branch
        for index, member in enumerate(members)
        for branch in _object(member, path, f"{where}[{index}]", inside_or=True)
    ]


def _both(left: list[_Branch], right: list[_Branch], where: str) -> list[_Branch]:
    """Each branch of one side with each of the other."""
    if len(left) * len(right) > _MAX_BRANCHES:
        raise InvalidPattern(
            f"{where}: its $or lists multiply to more than {_MAX_BRANCHES} combinations, the "
            "service's limit; split the rule"
        )
    names = {name for branch in left for name in branch}
    if twice := names & {name for branch in right for name in branch}:
        raise InvalidPattern(
            f"{where}: the path {min(twice)} has two conditions and the service would keep only "
            "one; write one list, or move both into $or"
        )
    return [one | other for one in left for other in right]


def _flatten(event: dict[str, Any], paths: frozenset[str]) -> _Fields:
    """The scalars of an event at `paths`, without recursion: events may nest at will."""
    fields: _Fields = defaultdict(list)
    arrays = count()
    nowhere: _Places = frozenset()
    waiting: list[tuple[str | None, object, _Places]] = [(None, event, nowhere)]
    while waiting:
        path, node, places = waiting.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                below = key if path is None else f"{path}.{key}"
                if below in paths:
                    waiting.append((below, value, places))
        elif isinstance(node, list):
            array = next(arrays)
            for index, item in enumerate(node):
                # Scalars of one array may match together: only what they nest is kept apart.
                nests = isinstance(item, dict | list)
                waiting.append((path, item, places | {(array, index)} if nests else places))
        elif path is not None:
            fields[path].append((node, places))
    return fields


def _consistent(places: _Places) -> bool:
    """Whether no array is entered at two elements at once."""
    return len({array for array, _ in places}) == len(places)


def _holds(branch: tuple[tuple[str, Leaf], ...], fields: _Fields) -> bool:
    """Whether every field matches, with all their values consistent in their arrays.

    An absent field (`exists: false`) is one without a value consistent with the fields before it
    in the order of paths; those after it do not count. That is event-ruler's walk.
    """
    relevant: list[set[int]] = [set()]  # per field, the arrays that any later field stands in
    for name, _ in reversed(branch[1:]):
        arrays = {array for _, places in fields.get(name, ()) for array, _ in places}
        relevant.append(relevant[-1] | arrays)
    standing: set[_Places] = {frozenset()}
    for (name, wanted), later in zip(branch, reversed(relevant), strict=True):
        here = [(own, wanted.accepts(value)) for value, own in fields.get(name, ())]
        reached: set[_Places] = set()
        for places in standing:
            joined = [(places | own, accepted) for own, accepted in here]
            joined = [(both, accepted) for both, accepted in joined if _consistent(both)]
            reached.update(both for both, accepted in joined if accepted)
            if wanted.absence and not joined:
                reached.add(places)
        # Forgetting arrays that no later field stands in keeps this from multiplying out.
        standing = {frozenset(place for place in both if place[0] in later) for both in reached}
        if not standing:
            return False
    return True
