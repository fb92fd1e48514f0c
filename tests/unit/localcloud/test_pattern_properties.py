"""Event patterns, by their invariants."""

import ipaddress
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from localcloud import pattern

# Timing on a busy machine says nothing about patterns.
checked = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

# Few names and few values, so that patterns and events meet.
names = st.sampled_from("abc")
strings = st.text(alphabet="abA*\\\n ß", max_size=4)
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 2.0, -1.0, 1e300]))
scalars = st.one_of(st.none(), st.booleans(), numbers, strings)
events = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=3,
)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*")


wildcards = st.lists(strings.map(escaped), min_size=1, max_size=4).map(
    # An empty run between two wildcards would make them consecutive.
    lambda runs: "*".join([runs[0], *(run or "a" for run in runs[1:-1]), *runs[1:][-1:]])
)
text_operators = st.one_of(
    st.fixed_dictionaries({"prefix": strings.filter(bool)}),
    st.fixed_dictionaries({"suffix": strings.filter(bool)}),
    st.fixed_dictionaries({"equals-ignore-case": strings}),
    st.fixed_dictionaries({"wildcard": wildcards}),
)
present = st.one_of(
    scalars,
    text_operators,
    st.fixed_dictionaries({"anything-but": st.one_of(strings, numbers, text_operators)}),
    st.fixed_dictionaries(
        {"numeric": st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), numbers).map(list)}
    ),
    st.just({"exists": True}),
)
alternatives = st.one_of(present, st.just({"exists": False}))


def fields(values: st.SearchStrategy[Any], keys: Any = names) -> st.SearchStrategy[dict[str, Any]]:
    """Patterns without $or: every leaf is a list of `values`."""
    leaves = st.lists(values, min_size=1, max_size=2)
    node = st.recursive(
        leaves, lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3), max_leaves=4
    )
    return st.dictionaries(keys, node, min_size=1, max_size=3)


def ask(value: Any, data: st.DataObject, values: st.SearchStrategy[Any] | None = None) -> Any:
    """A pattern along the paths of this value, one element of each array; None for nothing.

    It asks for the scalars themselves, or now and then for one of `values` instead.
    """
    if isinstance(value, dict):
        asked = {key: ask(item, data, values) for key, item in value.items()}
        return {key: item for key, item in asked.items() if item is not None} or None
    if isinstance(value, list):
        return ask(data.draw(st.sampled_from(value)), data, values) if value else None
    if values is None or data.draw(st.integers(0, 3)):
        return [value]
    return data.draw(st.lists(values, min_size=1, max_size=2))


def meet(
    event: dict[str, Any], data: st.DataObject, values: st.SearchStrategy[Any], keys: Any = names
) -> dict[str, Any]:
    """A pattern that often, and not always, matches this event."""
    rule = ask(event, data, values) if data.draw(st.integers(0, 3)) else None
    return rule or data.draw(fields(values, keys))


def matches(rule: Any, event: dict[str, Any]) -> bool:
    return pattern.compile(rule).matches(event)


@checked
@given(event=events, data=st.data())
def test_another_alternative_never_loses_a_match(
    event: dict[str, Any], data: st.DataObject
) -> None:
    rule = meet(event, data, alternatives)
    wider = json.loads(json.dumps(rule))
    node = wider
    while isinstance(node, dict):
        node = node[data.draw(st.sampled_from(sorted(node)))]
    node.append(data.draw(alternatives))

    assert matches(wider, event) or not matches(rule, event)


@checked
@given(event=events, data=st.data())
def test_a_pattern_of_its_own_values_matches_an_event(
    event: dict[str, Any], data: st.DataObject
) -> None:
    rule = ask(event, data)
    assume(rule is not None)

    assert matches(rule, event)


@checked
@given(value=strings, found=strings)
def test_anything_but_a_string_is_the_complement_of_it(value: str, found: str) -> None:
    event = {"a": found}

    assert matches({"a": [{"anything-but": value}]}, event) != matches({"a": [value]}, event)


@checked
@given(operator=text_operators, found=scalars)
def test_anything_but_an_operator_is_its_complement(operator: dict[str, Any], found: Any) -> None:
    event = {"a": found}

    assert matches({"a": [{"anything-but": operator}]}, event) != matches({"a": [operator]}, event)


@checked
@given(operator=text_operators, others=st.lists(strings.filter(bool), max_size=2), found=scalars)
def test_anything_but_a_list_excludes_each_of_its_members(
    operator: dict[str, Any], others: list[str], found: Any
) -> None:
    ((name, first),) = operator.items()
    members = [first, *map(escaped, others)]
    event = {"a": found}

    together = matches({"a": [{"anything-but": {name: members}}]}, event)
    assert together == all(
        matches({"a": [{"anything-but": {name: member}}]}, event) for member in members
    )


@checked
@given(
    runs=st.lists(st.text(alphabet="ab*\\.\n", max_size=3), min_size=1, max_size=4),
    found=st.text(alphabet="ab*\\.\n", max_size=10),
)
def test_wildcards_agree_with_regular_expressions(runs: list[str], found: str) -> None:
    runs = [runs[0], *(run for run in runs[1:-1] if run), *runs[1:][-1:]]
    reference = re.compile(".*".join(map(re.escape, runs)), re.DOTALL)

    rule = {"a": [{"wildcard": "*".join(map(escaped, runs))}]}
    assert matches(rule, {"a": found}) == (reference.fullmatch(found) is not None)


@checked
@given(left=events, right=events, data=st.data())
def test_or_is_the_disjunction_of_its_branches(
    left: dict[str, Any], right: dict[str, Any], data: st.DataObject
) -> None:
    right = {key.upper(): value for key, value in right.items()}
    event = left | right
    base = meet(left, data, alternatives)
    members = [
        meet(right, data, alternatives, names.map(str.upper))
        for _ in range(data.draw(st.integers(2, 3)))
    ]
    expanded = any(matches(base | member, event) for member in members)

    assert matches({**base, "$or": members}, event) == expanded
    assert matches({"$or": members, **base}, event) == expanded
    assert matches({"detail": {**base, "$or": members}}, {"detail": event}) == expanded


@checked
@given(elements=st.lists(st.one_of(events, st.lists(events, max_size=2))), data=st.data())
def test_an_array_matches_when_one_of_its_elements_does(
    elements: list[Any], data: st.DataObject
) -> None:
    # Without absence, which is judged over the whole array.
    rule = meet(data.draw(st.sampled_from([{}, *elements])), data, present)
    alone = any(matches({"list": rule}, {"list": element}) for element in elements)

    assert matches({"list": rule}, {"list": elements}) == alone


def dotted(node: dict[str, Any]) -> dict[str, Any]:
    """The same fields with their names joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{below}": item for below, item in dotted(value).items()}
        else:
            flat[key] = value
    return flat


@checked
@given(event=events, data=st.data())
def test_dots_join_names_on_both_sides(event: dict[str, Any], data: st.DataObject) -> None:
    rule = meet(event, data, alternatives)
    expected = matches(rule, event)

    assert matches(dotted(rule), event) == expected
    assert matches(rule, dotted(event)) == expected


@checked
@given(event=events, data=st.data())
def test_the_order_of_names_does_not_matter(event: dict[str, Any], data: st.DataObject) -> None:
    rule = meet(event, data, alternatives)

    def turned(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        return {key: turned(value) for key, value in reversed(node.items())}

    assert matches(turned(rule), turned(event)) == matches(rule, event)


@checked
@given(number=numbers, found=scalars)
def test_numeric_equality_is_that_of_a_plain_number(number: float, found: Any) -> None:
    event = {"a": found}

    assert matches({"a": [{"numeric": ["=", number]}]}, event) == matches({"a": [number]}, event)


@checked
@given(bound=numbers, found=numbers)
def test_a_number_is_below_at_or_above_a_bound(bound: float, found: float) -> None:
    verdicts = [matches({"a": [{"numeric": [sign, bound]}]}, {"a": found}) for sign in "<=>"]

    assert verdicts.count(True) == 1
    assert verdicts == [found < bound, found == bound, found > bound]


addresses = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None),
    st.integers(0, 2**10).map(lambda offset: ipaddress.ip_address("10.0.0.0") + offset),
    st.integers(0, 2**10).map(lambda offset: ipaddress.ip_address("2001:db8::") + offset),
)


@checked
@given(base=addresses, bits=st.integers(1, 128), found=addresses)
def test_cidr_agrees_with_the_networks_of_the_standard_library(
    base: Any, bits: int, found: Any
) -> None:
    width = base.max_prefixlen
    network = ipaddress.ip_network((base, width - min(bits, width)), strict=False)

    rule = {"a": [{"cidr": f"{base}/{network.prefixlen}"}]}
    assert matches(rule, {"a": str(found)}) == (found in network)
    assert matches(rule, {"a": found.exploded.upper()}) == (found in network)
    assert matches({"a": [found.exploded]}, {"a": str(found)})


@checked
@given(text=st.text(max_size=6), start=st.text(max_size=3), end=st.text(max_size=3))
def test_ignoring_case_forgives_either_case_of_every_character(
    text: str, start: str, end: str
) -> None:
    for spelling in (text, "".join(map(str.lower, text)), "".join(map(str.upper, text))):
        assert matches({"a": [{"equals-ignore-case": text}]}, {"a": spelling})
        assert matches({"a": [{"prefix": {"equals-ignore-case": text}}]}, {"a": spelling + end})
        assert matches({"a": [{"suffix": {"equals-ignore-case": text}}]}, {"a": start + spelling})


# Anything JSON can say, built around the words of the pattern language.
operators = ["prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric"]
operators += ["cidr", "exists", "exactly"]
words = st.sampled_from(
    [*operators, "a", "b", "$or", "=", "<", ">=", "10.0.0.0/8", "::1/64", "a*b", "**", "\\"]
)
any_scalar = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), words
)
any_json = st.recursive(
    any_scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(words | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)
nearly_patterns = st.dictionaries(
    words,
    st.lists(st.one_of(any_scalar, st.dictionaries(words, any_json, min_size=1, max_size=1))),
    min_size=1,
    max_size=2,
)


@checked
@given(rule=st.one_of(any_json, nearly_patterns), event=st.dictionaries(words, any_json))
def test_whatever_json_says_is_compiled_and_matched_or_refused(
    rule: Any, event: dict[str, Any]
) -> None:
    for form in (rule, json.dumps(rule)):
        try:
            compiled = pattern.compile(form)
        except pattern.InvalidPattern:
            continue
        assert compiled.matches(event) in {True, False}


@checked
@given(text=st.text())
def test_whatever_text_is_refused_unless_it_is_json(text: str) -> None:
    with pytest.raises(pattern.InvalidPattern, match=r"^pattern: "):
        pattern.compile(text)
