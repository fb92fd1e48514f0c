"""Operators of event patterns on text, and how one expression of a pattern is read.

The meaning is the one that aws/event-ruler (Apache-2.0) documents and EventBridge publishes at
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html; the
code is our own. None of these operators ever matches a number, a boolean or null.
"""

import operator
import re
from collections.abc import Callable, Mapping
from functools import partial

# A test of one JSON scalar: str, int, float, bool or None.
Test = Callable[[object], bool]
# Operand and its place in the pattern to test; raises InvalidPattern.
Compiler = Callable[[object, str], Test]


class InvalidPattern(ValueError):  # noqa: N818 - a verdict on the pattern, not a fault of ours
    """EventBridge would refuse this pattern: the message names the path in it and the way out."""


def kind(value: object) -> str:
    """What JSON calls this value, for messages."""
    names = {str: "a string", int: "a number", float: "a number", bool: "a boolean"}
    names |= {list: "an array", dict: "an object", type(None): "null"}
    return names.get(type(value), "no JSON value")


def expression(operators: Mapping[str, Compiler], node: dict[str, object], where: str) -> Test:
    """Compile `{operator: operand}` with the operators that are allowed at `where`.

    Raises `InvalidPattern` for any other operator, for none and for several.
    """
    if len(node) != 1:
        raise InvalidPattern(
            f"{where}: an expression holds one operator, not {len(node)}; "
            "give each an object of its own"
        )
    ((name, operand),) = node.items()
    if name not in operators:
        raise InvalidPattern(
            f"{where}: there is no operator {name!r} here; use {', '.join(operators)}"
        )
    return operators[name](operand, f"{where}.{name}")


def string(operand: object, where: str) -> str:
    """The operand if it is a string; raises `InvalidPattern` otherwise."""
    if not isinstance(operand, str):
        raise InvalidPattern(
            f"{where}: takes one string, not {kind(operand)}; "
            "for several strings list several expressions"
        )
    return operand


def exactly(operand: object, where: str) -> Test:
    """`exactly`: the same string, character by character."""
    return partial(operator.eq, string(operand, where))


def prefix(operand: object, where: str) -> Test:
    """`prefix` of a string, or of `{"equals-ignore-case": string}`."""
    if isinstance(operand, dict):
        return expression({"equals-ignore-case": partial(_any_case, "{}")}, operand, where)
    start = string(operand, where)
    return lambda found: isinstance(found, str) and found.startswith(start)


def suffix(operand: object, where: str) -> Test:
    """`suffix` of a string, or of `{"equals-ignore-case": string}`."""
    if isinstance(operand, dict):
        return expression({"equals-ignore-case": partial(_any_case, r".*{}\Z")}, operand, where)
    end = string(operand, where)
    return lambda found: isinstance(found, str) and found.endswith(end)


def equals_ignore_case(operand: object, where: str) -> Test:
    """`equals-ignore-case`: the same string but for the case of its characters."""
    return _any_case(r"{}\Z", operand, where)


def _any_case(frame: str, operand: object, where: str) -> Test:
    """Let each character of the operand stand for its lower and its upper case too.

    Character by character is event-ruler's rule; an upper case may be longer ("ß" to "SS").
    """
    forms = ({char, char.lower(), char.upper()} for char in string(operand, where))
    body = "".join(f"(?:{'|'.join(map(re.escape, sorted(form)))})" for form in forms)
    search = re.compile(frame.format(body), re.DOTALL).match
    return lambda found: isinstance(found, str) and search(found) is not None


def wildcard(operand: object, where: str) -> Test:
    r"""`wildcard`: `*` stands for any run of characters, `\*` and `\\` for themselves.

    Matching takes linear time: each literal run is taken at its leftmost place, never tried again.
    """
    first, *rest = _literal_runs(string(operand, where), where)
    if not rest:
        return partial(operator.eq, first)
    *middle, last = rest

    def test(found: object) -> bool:
        if not (isinstance(found, str) and found.startswith(first) and found.endswith(last)):
            return False
        at, end = len(first), len(found) - len(last)
        for run in middle:
            at = found.find(run, at, end)
            if at < 0:
                return False
            at += len(run)
        return at <= end

    return test


def _literal_runs(text: str, where: str) -> list[str]:
    """What stands between the wildcards: one run more than there are wildcards."""
    runs = [""]
    for piece in re.findall(r"\\.?|\*+|[^\\*]+", text, re.DOTALL):
        if piece == "*":
            runs.append("")
        elif piece.startswith("*"):
            raise InvalidPattern(f"{where}: consecutive wildcards in {text!r}; write one *")
        elif not piece.startswith("\\"):
            runs[-1] += piece
        elif piece in {r"\*", r"\\"}:
            runs[-1] += piece[1]
        else:
            raise InvalidPattern(
                rf"{where}: {piece} in {text} escapes nothing; the only escapes are \* and \\"
            )
    return runs
