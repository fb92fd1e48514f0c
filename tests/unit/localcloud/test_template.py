from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.deploy.template import read_template
from localcloud.errors import DeployError

TEXT = """\
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-q"
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
  Dead: {Type: AWS::SQS::Queue}
Outputs:
  Policy: {Value: !Join [",", [!Ref Dead, 2012-10-17]]}
  Picked: {Value: !If [Prod, !Select [0, [a]], !Ref "AWS::NoValue"]}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "template.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_short_forms_become_long_ones_and_dates_stay_text(tmp_path: Path) -> None:
    template, _ = read_template(write(tmp_path, TEXT))
    queue = template["Resources"]["Queue"]["Properties"]
    assert queue["QueueName"] == {"Fn::Sub": "${AWS::StackName}-q"}
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}
    joined = template["Outputs"]["Policy"]["Value"]
    assert joined == {"Fn::Join": [",", [{"Ref": "Dead"}, "2012-10-17"]]}
    picked = template["Outputs"]["Picked"]["Value"]["Fn::If"]
    assert picked == ["Prod", {"Fn::Select": [0, ["a"]]}, {"Ref": "AWS::NoValue"}]


def test_lines_are_those_of_the_innermost_part_that_is_written(tmp_path: Path) -> None:
    _, lines = read_template(write(tmp_path, TEXT))
    assert lines.of("Queue") == 2
    assert lines.of("Queue", "QueueName") == 5
    assert lines.of("Queue", "RedrivePolicy.deadLetterTargetArn") == 7
    assert lines.of("Queue", "RedrivePolicy.maxReceiveCount") == 6
    assert lines.of("Queue", "NotWritten") == 4
    assert lines.of("QueuePolicyMadeBySam") == 2
    assert lines.of("Elsewhere") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: {}\nRules: {}\n", "section 'Rules'"),
        ("Resources: {}\nTransform: AWS::Include\n", "transform 'AWS::Include'"),
        ("Description: nothing\n", "has no Resources"),
        ("- a list\n", "has no Resources"),
        ("a: [\n", "is not YAML"),
        ("Resources: {A: !!python/object:os.system {}}\n", "is not YAML"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        read_template(write(tmp_path, text))


def test_a_missing_build_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="make build"):
        read_template(tmp_path / "template.yaml")
