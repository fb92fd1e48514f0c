import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.engines.card_schema import wrong_with
from signalbox.domain.announce_models import card_shared
from signalbox.domain.card_content import Training, draft, filled
from signalbox.domain.card_message import drafted, shared
from tests.shared_cards import REGRESSION, abalone, package

CLASSES = {
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 8, "1": 2}, "1": {"0": 1, "1": 9}},
        "recall": {"value": 0.9, "standard_deviation": "NaN"},
        "auc": {"value": "NaN", "standard_deviation": "NaN"},
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [k / 99 for k in range(100)],
            "true_positive_rates": [k / 99 for k in range(100)],
        },
        "precision_recall_curve": {"precisions": [1.0, 0.5], "recalls": [0.0, 1.0]},
    }
}


def metrics(said):
    (group,) = said.evaluation_details[0].metric_groups
    return {each.name: each for each in group.metric_data}


def test_a_card_says_what_is_known():
    tuned = Training(
        "arn:t", "image:2", ("s3://d/train",), {"rmse": 2.0, "lost": float("nan")},
        ("Minimize", "validation:rmse"),
    )  # fmt: skip
    said = filled(abalone(), package(3), tuned, REGRESSION)
    assert wrong_with(said.content()) == ""
    assert said.model_overview.model_version == 3
    assert said.model_overview.model_owner == "ada@example.com"
    assert said.training_details.objective_function.function.function == "Minimize"
    job = said.training_details.training_job_details
    assert [each.name for each in job.training_metrics] == ["rmse"]
    assert metrics(said)["rmse"].notes == "standard deviation 0.2"


def test_classification_is_shown_in_full_but_never_too_long():
    found = metrics(filled(abalone(), package(1), None, CLASSES))
    assert found["confusion_matrix"].value == [[8, 2], [1, 9]]
    assert found["recall"].notes is None
    assert "auc" not in found
    curve = found["receiver_operating_characteristic_curve"].value
    assert (len(curve), curve[0], curve[-1]) == (20, [0, 0], [1, 1])
    assert found["precision_recall_curve"].value == [[0, 1], [1, 0.5]]


def test_what_is_not_known_is_left_out():
    said = filled(abalone(operations=None), package(1, metadata={}, statistics=None), None, None)
    assert wrong_with(said.content()) == ""
    assert (said.training_details, said.evaluation_details) == (None, None)
    assert said.model_overview.model_owner == "lab"
    assert wrong_with(draft(abalone(), package(1)).content()) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=40), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
NUMBERS = st.lists(st.floats() | JSON, max_size=30)
METRIC = st.fixed_dictionaries(
    {},
    optional={
        "value": st.floats() | JSON, "standard_deviation": JSON, "recalls": NUMBERS | JSON,
        "precisions": NUMBERS | JSON, "0": st.dictionaries(st.sampled_from("01"), st.floats() | JSON),
        "1": JSON,
    },
)  # fmt: skip
NAMES = st.sampled_from(["rmse", "confusion_matrix", "precision_recall_curve"]) | st.text(
    max_size=300
)


@given(
    st.dictionaries(
        st.sampled_from(["regression_metrics", "binary_classification_metrics", "version"]),
        st.dictionaries(NAMES, METRIC | JSON, max_size=4) | JSON,
    )
)
def test_whatever_the_evaluation_says_the_card_is_one(statistics):
    said = filled(abalone(), package(1), None, statistics)
    assert wrong_with(said.content()) == ""


def test_mails_end_with_one_line_of_json():
    mail = drafted(abalone(), "signalbox-abalone-1", "arn:aws:sagemaker:eu-west-1:1:model-card/x")
    assert json.loads(mail.body.splitlines()[-1])["region"] == "eu-west-1"
    assert len(mail.subject) < 100


@pytest.mark.parametrize(("access", "may"), [("edit", "see and change"), ("read", "see this")])
def test_who_is_shared_with_is_told_what_he_may(access, may):
    told = card_shared("abalone", ("c", "arn", "eu-west-1"), ("dev", "1" * 12, access), "p", None)
    assert may in shared(abalone(), told, "Draft").body
