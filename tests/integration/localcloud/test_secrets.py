"""Secrets and parameters: made by the template, and looked up while it is deployed."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from localcloud import Cloud, DeployError
from tests.integration.localcloud.builds import ROLE, write_build
from tests.integration.localcloud.conftest import START, Deploy

SECRET = """
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: house/key
      Description: what opens it
      KmsKeyId: alias/aws/secretsmanager
      Tags: [{Key: team, Value: a}]
"""
GIVEN = (
    SECRET
    + """      SecretString: '{"user": "u", "password": "open-sesame"}'
"""
)
PARAMETER = """
  Word:
    Type: AWS::SSM::Parameter
    Properties: {Name: /house/word, Type: String, Value: %s, Tags: {team: a}, Description: d}
"""


def reading(reference: str) -> str:
    return f"""
  Door:
    Type: AWS::Serverless::Function
    DependsOn: [Secret, Word]
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
      Environment: {{Variables: {{VALUE: {reference}}}}}
"""


DOOR = {"Door/app.py": "import os\ndef handler(event, context):\n    return os.environ['VALUE']\n"}


def said(cloud: Cloud) -> str:
    answer = cloud.client("lambda").invoke(FunctionName=cloud.physical_id("Door"))
    return str(json.loads(answer["Payload"].read()))


def test_a_secret_and_a_parameter_are_made(deploy: Deploy) -> None:
    cloud = deploy(GIVEN + PARAMETER % "one")
    secrets, ssm = cloud.client("secretsmanager"), cloud.client("ssm")
    arn = cloud.physical_id("Secret")
    assert arn == cloud.stack.attribute("Secret", "Id")
    value = secrets.get_secret_value(SecretId=arn)
    assert json.loads(value["SecretString"])["password"] == "open-sesame"
    described = secrets.describe_secret(SecretId="house/key")
    assert described["Tags"] == [{"Key": "team", "Value": "a"}]
    found = ssm.get_parameter(Name=cloud.physical_id("Word"))["Parameter"]
    assert (found["Name"], found["Type"], found["Value"]) == ("/house/word", "String", "one")
    assert cloud.stack.attribute("Word", "Value") == "one"


def test_a_secret_is_generated_as_asked(deploy: Deploy) -> None:
    generated = """      GenerateSecretString:
        SecretStringTemplate: '{"user": "u"}'
        GenerateStringKey: password
        PasswordLength: 40
        ExcludePunctuation: true
        ExcludeCharacters: abc
"""
    cloud = deploy(SECRET + generated)
    value = cloud.client("secretsmanager").get_secret_value(SecretId="house/key")["SecretString"]
    members = json.loads(value)
    assert members["user"] == "u"
    assert len(members["password"]) == 40
    assert members["password"].isalnum()
    assert not set("abc") & set(members["password"])


def test_a_secret_without_a_value_gets_one_later(deploy: Deploy) -> None:
    cloud = deploy(SECRET)
    secrets = cloud.client("secretsmanager")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="house/key")
    secrets.put_secret_value(SecretId="house/key", SecretString="later")
    assert secrets.get_secret_value(SecretId="house/key")["SecretString"] == "later"


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ('"{{resolve:ssm:/house/word}}"', "one"),
        ('"{{resolve:ssm:/house/word:1}}"', "one"),
        ('"{{resolve:secretsmanager:house/key:SecretString:password}}"', "open-sesame"),
        ('!Sub "{{resolve:secretsmanager:${Secret}:SecretString:user}}"', "u"),
        ('"{{resolve:secretsmanager:house/key:SecretString:user:AWSCURRENT}}"', "u"),
        ('"{{resolve:secretsmanager:house/key}}"', '{"user": "u", "password": "open-sesame"}'),
        ('"a {{resolve:ssm:/house/word}} b {{resolve:ssm:/house/word}}"', "a one b one"),
        ('"{{resolve:ssm"', "{{resolve:ssm"),
    ],
)
def test_references_are_replaced_in_properties(deploy: Deploy, reference: str, value: str) -> None:
    cloud = deploy(ROLE + GIVEN + PARAMETER % "one" + reading(reference), DOOR)
    assert said(cloud) == value


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{{resolve:ssm:/house/none}}", "has no parameter '/house/none'"),
        ("{{resolve:ssm:/house/word:7}}", "has no parameter '/house/word:7'"),
        ("{{resolve:ssm-secure:/house/word:1}}", "ssm-secure is not allowed"),
        ("{{resolve:secretsmanager:none}}", "no such value: 'none'"),
        ("{{resolve:secretsmanager:house/key:SecretString:none}}", "has no key 'none'"),
        ("{{resolve:secretsmanager:house/key:SecretBinary}}", "is no reference to a secret"),
        ("{{resolve:secretsmanager:house/key:SecretString:user:A:B}}", "is no reference"),
        ("{{resolve:vault:x}}", "'vault' are not supported"),
    ],
)
def test_references_that_lead_nowhere_fail_and_tell_no_value(
    deploy: Deploy, reference: str, message: str
) -> None:
    with pytest.raises(DeployError, match=message) as failed:
        deploy(ROLE + GIVEN + PARAMETER % "one" + reading(f'"{reference}"'), DOOR)
    assert failed.value.logical_id == "Door"
    assert failed.value.prop == "Environment"
    assert failed.value.line is not None
    assert "open-sesame" not in str(failed.value)


def test_a_secret_that_is_no_json_has_no_keys_and_stays_unsaid(deploy: Deploy) -> None:
    plain = SECRET + "      SecretString: open-sesame\n"
    reference = '"{{resolve:secretsmanager:house/key:SecretString:user}}"'
    with pytest.raises(DeployError, match="is not JSON") as failed:
        deploy(ROLE + plain + PARAMETER % "one" + reading(reference), DOOR)
    assert "open-sesame" not in "".join(traceback.format_exception(failed.value))


def test_references_in_outputs_are_refused(deploy: Deploy) -> None:
    outputs = 'Outputs: {Word: {Value: "{{resolve:ssm:/house/word}}"}}'
    with pytest.raises(DeployError, match=r"Word\.Value: .* not resolved in outputs"):
        deploy(PARAMETER % "one", head=outputs)


def test_a_template_parameter_may_name_a_stored_one(tmp_path: Path) -> None:
    head = """
    Parameters:
      Word: {Type: "AWS::SSM::Parameter::Value<String>", Default: /set/before}
    Outputs: {Word: {Value: !Ref Word}}
    """
    build = write_build(tmp_path, "  Queue: {Type: AWS::SQS::Queue}", {}, head)
    with Cloud(build=build, start=START) as cloud:
        cloud.client("ssm").put_parameter(Name="/set/before", Type="String", Value="found")
        cloud.deploy()
        assert cloud.outputs["Word"] == "found"


@pytest.mark.parametrize("kind", ["String", "SecureString"])
def test_one_that_names_none_or_a_secure_one_fails(tmp_path: Path, kind: str) -> None:
    head = 'Parameters: {Word: {Type: "AWS::SSM::Parameter::Value<String>", Default: /set}}'
    build = write_build(tmp_path, "  Queue: {Type: AWS::SQS::Queue}", {}, head)
    with Cloud(build=build, start=START) as cloud:
        if kind == "SecureString":
            cloud.client("ssm").put_parameter(Name="/set", Type=kind, Value="hidden")
        with pytest.raises(DeployError, match="Word: ") as failed:
            cloud.deploy()
    assert "hidden" not in str(failed.value)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (PARAMETER % "''", "Word.Value: has 0 bytes"),
        (PARAMETER % ("x" * 4097), "Word.Value: has 4097 bytes"),
        ((PARAMETER % "x").replace("Type: String", "Type: SecureString"), "Word.Type: must be"),
        (GIVEN + "      GenerateSecretString: {}\n", "Secret.SecretString: cannot stand"),
        (
            SECRET + "      GenerateSecretString: {GenerateStringKey: a}\n",
            "Secret.GenerateSecretString.GenerateStringKey: .* need each other",
        ),
        (
            SECRET
            + "      GenerateSecretString: {GenerateStringKey: a, SecretStringTemplate: '[]'}\n",
            "SecretStringTemplate: must be a JSON object",
        ),
    ],
)
def test_what_cannot_be_made_is_refused(deploy: Deploy, resources: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        deploy(resources)


def test_no_secret_is_in_the_journal(tmp_path: Path, deploy: Deploy) -> None:
    reference = '"{{resolve:secretsmanager:house/key:SecretString:password}}"'
    path = tmp_path / "journal.jsonl"
    cloud = deploy(ROLE + GIVEN + PARAMETER % "one" + reading(reference), DOOR, journal_path=path)
    assert said(cloud) == "open-sesame"
    assert "open-sesame" not in path.read_text(encoding="utf-8")
    assert len(cloud.journal) > 0
