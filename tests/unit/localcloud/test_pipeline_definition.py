"""Pipeline definitions: what is read, and the one line that says what is wrong with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.engines.base import RunError
from localcloud.engines.pipelines.definition import parsed
from localcloud.engines.pipelines.parameters import declared, values
from localcloud.engines.pipelines.references import read, steps_of, walked
from localcloud.engines.pipelines.retries import wait_s
from localcloud.engines.pipelines.scope import job_name
from localcloud.wiring import RefusedError

ROLE = "arn:aws:iam::123456789012:role/r"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
OUTPUT = {"S3Uri": "s3://b/o", "LocalPath": "/opt/ml/processing/o", "S3UploadMode": "EndOfJob"}
REQUEST = {
    "RoleArn": ROLE,
    "ProcessingResources": {"ClusterConfig": CLUSTER},
    "AppSpecification": {"ImageUri": {"Get": "Parameters.Image"}},
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": OUTPUT}]},
}
FILE = {"PropertyFileName": "F", "OutputName": "o", "FilePath": "f.json"}
PARAMETERS = [{"Name": "Image", "Type": "String"}]


def processing(name: str = "A", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Processing", "Arguments": REQUEST, **more}


def fail(name: str = "Z", message: Any = "no", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def gate(*given: Any, name: str = "C", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Condition", "Arguments": {"Conditions": list(given), **more}}


def equals(left: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": 1}


def text(*steps: Any, **more: Any) -> str:
    body = {"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": list(steps), **more}
    return json.dumps(body)


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def test_needs_come_from_references_dependencies_and_branches() -> None:
    found = parsed(
        text(
            processing("A", PropertyFiles=[FILE]),
            processing("B", DependsOn=["A"]),
            gate(
                equals(
                    {"Std:JsonGet": {"PropertyFile": get("Steps.A.PropertyFiles.F"), "Path": "x"}}
                ),
                IfSteps=[fail("D", get("Steps.B.ProcessingJobArn"))],
                ElseSteps=[fail("E")],
            ),
        )
    )
    assert {name: set(step.needs) for name, step in found.steps.items()} == {
        "A": set(), "B": {"A"}, "C": {"A"}, "D": {"B", "C"}, "E": {"C"},
    }  # fmt: skip
    assert found.steps["D"].branch == ("C", "True")
    assert found.steps["E"].branch == ("C", "False")


WRONG: list[tuple[str, str]] = [
    ("{", "the pipeline definition is no JSON"),
    ("[]", "is no JSON object"),
    (text(fail(), Version="2021"), "Version '2021' is not 2020-12-01"),
    (text(fail(), Extra=1), "Extra is not supported"),
    (text(), "Steps must be a list of steps"),
    (
        text(gate(equals(1), IfSteps=[gate(equals(2), name="E")])),
        "step E: a Condition step inside another",
    ),
    (text({"Name": "a b", "Type": "Fail"}), "'a b' is no name of a step"),
    (text(fail(), fail()), "step Z is there twice"),
    (text({"Name": "Q", "Type": "QualityCheck"}), "step Q: type 'QualityCheck' is not supported"),
    (text({"Name": "Q", "Type": "EMR"}), "step Q: type 'EMR' is not supported"),
    (text(fail(PropertyFiles=[FILE])), "step Z: PropertyFiles is not supported for a Fail step"),
    (text(fail(DependsOn=["gone"])), "step Z: DependsOn names 'gone', which is no step"),
    (text(fail(message=get("Steps.gone.x"))), "'Steps.gone.x' names a step that is not there"),
    (text(fail(message=get("Parameters.N"))), "step Z: 'Parameters.N' is no parameter"),
    (text(fail(message=get("Execution.N"))), "step Z: 'Execution.N' is no variable"),
    (text(fail(message=get("Things.N"))), "step Z: 'Things.N' is no reference"),
    (text(fail(message={"Std:Sum": []})), "step Z: function Std:Sum is not known"),
    (text(fail(message={"Std:Join": {"On": ""}})), "Std:Join needs On and a list of Values"),
    (
        text(processing(), fail(message=get("Steps.A.Outputs['o']"))),
        "DescribeProcessingJob answers no 'Outputs' there",
    ),
    (
        text(processing(), fail(message=get("Steps.A.PropertyFiles.F"))),
        "names a property file that step A lacks",
    ),
    (
        text(processing(PropertyFiles=[{**FILE, "OutputName": "p"}])),
        "step A: property file F is in output 'p', which is none",
    ),
    (
        text(processing("A", DependsOn=["B"]), processing("B", DependsOn=["A"])),
        "wait for each other: ",
    ),
    (
        text(processing(Arguments={**REQUEST, "ProcessingJobName": "n"})),
        "step A: ProcessingJobName comes from the pipeline",
    ),
    (
        text(processing(Arguments={**REQUEST, "Imagination": 1})),
        "step A: Arguments.Imagination is not known",
    ),
    (
        text(processing(Arguments={key: REQUEST[key] for key in REQUEST if key != "RoleArn"})),
        "step A: Arguments.RoleArn is missing",
    ),
    (text({"Name": "L", "Type": "Lambda"}), "step L: a Lambda step needs FunctionArn"),
    (text({"Name": "W", "Type": "Callback"}), "step W: a Callback step needs SqsQueueUrl"),
    (text({"Name": "Z", "Type": "Fail"}), "needs Arguments.ErrorMessage"),
    (text(gate()), "step C: a Condition step needs a list of Conditions"),
    (text(gate({"Type": "Like"})), "condition type 'Like' is none of Equals"),
    (text(gate({"Type": "Equals", "LeftValue": 1})), "a condition Equals has exactly LeftValue"),
    (text(gate({"Type": "Or", "Conditions": []})), "Conditions of a condition Or must be a list"),
    (
        text(processing(RetryPolicies=[{"ExceptionType": ["Step.ANY"]}])),
        "step A: retry of 'Step.ANY'",
    ),
    (text(*(fail(f"Z{n}") for n in range(51))), "51 steps are more than 50"),
]


@pytest.mark.parametrize(("body", "message"), WRONG, ids=[each[1][:40] for each in WRONG])
def test_what_cannot_be_played_is_named(body: str, message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parsed(body)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_path_leads_through_members_names_and_places() -> None:
    path = read("Steps.A.Outer.Outputs['train'].Places[1]").path
    assert path == ("Outer", "Outputs", "train", "Places", 1)
    value = {"Outer": {"Outputs": [{"OutputName": "train", "Places": [5, 6]}]}}
    assert walked(value, path, "here") == 6
    with pytest.raises(RunError, match="there is no 'test'"):
        walked(value, ("Outer", "Outputs", "test"), "here")
    with pytest.raises(RefusedError, match="malformed"):
        steps_of("a..b", "a..b")


def test_parameters_are_typed_and_bounded() -> None:
    known = declared(
        [
            {"Name": "S", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
            {"Name": "I", "Type": "Integer"},
            {"Name": "F", "Type": "Float", "DefaultValue": 1},
            {"Name": "B", "Type": "Boolean", "DefaultValue": False},
        ]
    )
    found = values(known, [{"Name": "I", "Value": "7"}, {"Name": "B", "Value": "True"}])
    assert found == {"S": "a", "I": 7, "F": 1.0, "B": True}
    for given, message in (
        ([], "Parameter [I] has no default"),
        ([{"Name": "I", "Value": "7.5"}], "Parameter [I]: '7.5' is no Integer"),
        ([{"Name": "S", "Value": "c"}], "Parameter [S]: 'c' is none of a, b"),
        ([{"Name": "I", "Value": "1"}] * 2, "Parameter [I] is given twice"),
    ):
        with pytest.raises(RefusedError) as refused:
            values(known, given)
        assert message in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Name": "P", "Type": "List"}, "type 'List' is none of String"),
        ({"Name": "P", "Type": "Integer", "DefaultValue": "x"}, "'x' is no Integer"),
        ({"Name": "P", "Type": "Integer", "DefaultValue": True}, "True is no Integer"),
        ({"Name": "P", "Type": "String", "DefaultValue": "c", "EnumValues": ["a"]}, "none of a"),
        ({"Name": "P", "Type": "String", "Pattern": "."}, "Pattern is not known"),
        ({"Type": "String"}, "has no Name"),
    ],
)
def test_a_malformed_declaration_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        declared([given])
    assert message in str(refused.value)


def test_names_of_jobs_fit_their_service() -> None:
    long = "A_very_long_name_of_a_step_that_goes_on"
    assert (
        job_name("abcdefghijkl", "Train", "0123456789") == "pipelines-abcdefghijkl-Train-0123456789"
    )
    assert len(job_name("abcdefghijkl", long, "0123456789")) <= 63
    tuning = job_name("abcdefghijkl", long, "0123456789", tuning=True)
    assert (tuning, len(tuning)) == ("abcdefghijkl-A-very-0123456789", 30)


def test_waits_between_tries_grow_and_end() -> None:
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 2, "BackoffRate": 3.0,
              "MaxAttempts": 2}  # fmt: skip
    step = {"RetryPolicies": [policy]}
    assert [wait_s(step, "Step.THROTTLING", n) for n in (1, 2, 3)] == [2.0, 6.0, None]
    assert wait_s(step, "Step.SERVICE_FAULT", 1) is None
    assert wait_s({}, "Step.THROTTLING", 1) is None
