from __future__ import annotations

import pytest

from localcloud.deploy.props import Props
from localcloud.errors import DeployError


def test_what_nobody_took_is_named_with_its_path() -> None:
    props = Props({"A": 1, "B": {"C": 2, "D": 3}, "E": [{"F": 4}], "G": {"H": 5}}, "Thing")
    props.take("A")
    group = props.group("B")
    assert group is not None
    assert group.integer("C") == 2
    props.groups("E")
    props.take("G")
    assert props.untaken() == ["B.D", "E[0].F"]


def test_scalars_that_came_through_parameters_are_text() -> None:
    props = Props({"N": "10", "T": "true", "S": 5, "Neg": "-1"}, "Thing")
    assert props.integer("N") == 10
    assert props.integer("Neg") == -1
    assert props.boolean("T") is True
    assert props.text("S") == "5"
    assert props.integer("Absent") is None
    assert props.boolean("Absent", default=True) is True


@pytest.mark.parametrize(
    ("take", "message"),
    [
        (lambda props: props.need("Gone"), "Thing.Gone: is required"),
        (lambda props: props.integer("Word"), "Thing.Word: must be a whole number"),
        (lambda props: props.integer("Flag"), "Thing.Flag: must be a whole number"),
        (lambda props: props.boolean("Word"), "Thing.Word: must be true or false"),
        (lambda props: props.choice("Word", "a", "b"), "Thing.Word: must be one of a, b"),
        (lambda props: props.group("Word"), "Thing.Word: must be an object"),
        (lambda props: props.groups("Word"), "Thing.Word: must be a list"),
    ],
)
def test_refusals_name_the_property(take, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DeployError, match=message):
        take(Props({"Word": "x", "Flag": True}, "Thing"))


def test_tags_are_a_map_from_either_shape() -> None:
    as_list = Props({"Tags": [{"Key": "a", "Value": 1}]}, "Thing")
    as_map = Props({"Tags": {"a": 1}}, "Thing")
    assert as_list.tags() == as_map.tags() == {"a": "1"}
    assert Props({}, "Thing").tags() == {}
