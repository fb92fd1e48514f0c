import json

import pytest
from pydantic import ValidationError

from signalbox.contracts import cards, model_card
from signalbox.contracts.model_card import CardContent, Evaluation, MetricGroup, SimpleMetric
from signalbox.contracts.registry import group_of


def test_what_is_not_said_is_not_written():
    assert CardContent().content() == "{}"
    said = CardContent(intended_uses={"risk_rating": "High"})
    assert json.loads(said.content()) == {"intended_uses": {"risk_rating": "High"}}


@pytest.mark.parametrize(
    ("section", "most"),
    [
        ({"model_overview": {"model_description": "x" * 1024}}, 1),
        ({"model_overview": {"model_artifact": ["s3://x"] * 15}}, 1),
        ({"intended_uses": {"purpose_of_model": "x" * 2048}}, 1),
        ({"training_details": {"training_observations": "x" * 1024}}, 1),
        ({"evaluation_details": [{"name": "x" * 63}]}, 1),
        ({"evaluation_details": [{"name": "x", "evaluation_observation": "x" * 2096}]}, 1),
        ({"evaluation_details": [{"name": "x", "datasets": ["x"] * 10}]}, 1),
        ({"additional_information": {"custom_details": {"x": "x" * 1024}}}, 1),
    ],
)
def test_limits_are_those_of_the_schema(section, most):
    kept = CardContent.model_validate(section)
    assert CardContent.model_validate_json(kept.content()) == kept

    def longer(value):
        """The same with the one long thing in it longer by one."""
        if isinstance(value, dict):
            return {name: longer(each) for name, each in value.items()}
        if isinstance(value, list):
            return [*value, value[0]] if len(value) > most else [longer(each) for each in value]
        return value + "x" if isinstance(value, str) and len(value) > most else value

    with pytest.raises(ValidationError):
        CardContent.model_validate(longer(section))


@pytest.mark.parametrize(
    "metric",
    [
        {"type": "number", "value": "2"}, {"type": "boolean", "value": 1.0},
        {"type": "string", "value": True}, {"type": "number", "value": float("nan")},
        {"type": "string", "value": "x" * 64}, {"type": "linear_graph", "value": [[1, 2, 3]]},
        {"type": "linear_graph", "value": [[1, 2]] * 21}, {"type": "bar_chart", "value": []},
        {"type": "matrix", "value": [[1.0] * 21]}, {"type": "pie", "value": 1},
        {"type": "number", "value": 1, "unit": "rings"},
    ],
)  # fmt: skip
def test_a_metric_of_another_shape_is_refused(metric):
    with pytest.raises(ValidationError):
        MetricGroup.model_validate({"name": "g", "metric_data": [{"name": "m"} | metric]})


def test_metrics_keep_their_kind():
    group = MetricGroup.model_validate(
        {
            "name": "g",
            "metric_data": [
                {"name": "n", "type": "number", "value": 2}, {"name": "b", "type": "boolean", "value": True},
                {"name": "s", "type": "string", "value": "2"},
                {"name": "l", "type": "linear_graph", "value": [[0, 1]]},
                {"name": "c", "type": "bar_chart", "value": [1, 2], "x_axis_name": ["a", "b"]},
                {"name": "m", "type": "matrix", "value": [[1, 0], [0, 1]]},
            ],
        }
    )  # fmt: skip
    kinds = [type(each).__name__ for each in group.metric_data]
    assert kinds == ["SimpleMetric"] * 3 + ["LinearGraph", "BarChart", "Matrix"]
    assert group.metric_data[1].value is True


def test_a_content_that_is_too_long_is_refused_with_a_way_out():
    metrics = [SimpleMetric(name="m" * 255, type="number", value=1.0)] * 400
    group = MetricGroup(name="g", metric_data=metrics)
    said = CardContent(evaluation_details=[Evaluation(name="e", metric_groups=[group])])
    with pytest.raises(ValueError, match=f"takes {model_card.MAX_CONTENT}; leave metrics out"):
        said.content()


@pytest.mark.parametrize("workload", ["abalone", "a" * 63, "x_y"])
@pytest.mark.parametrize("version", [1, 9_999_999])
def test_names_of_cards_fit_and_lead_back(workload, version):
    group = group_of(workload)
    name = cards.card_name(group, version)
    assert len(name) <= cards.MAX_NAME
    assert cards.version_of(group, name) == version
    assert cards.version_of(group_of(f"{workload[:40]}-1"), name) is None
    for stage in cards.STAGES:
        assert cards.parse_share_name(cards.share_name(name, stage)) == (name, stage)


@pytest.mark.parametrize(
    "name", ["signalbox-abalone-dev", "their-abalone-1-dev", "signalbox-a-1-qa"]
)
def test_shares_of_others_are_not_ours(name):
    assert cards.parse_share_name(name) is None
