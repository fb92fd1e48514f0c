"""Roles against calls: each door makes every call it can make, and its role allows exactly those.

What the platform does in a role's name (logs, polling the queue, the failure destination) is granted
too, but no call of ours; it is named below.
"""

from __future__ import annotations

import fnmatch
import json
import re

import boto3
import pytest

from jobs.cycle_features.run import main
from localcloud.deploy.template import read_template
from signalbox.contracts.keys import fragment_key, report_key, run_key
from signalbox.domain.backfill import LEASE
from tests.conftest import ROOT
from tests.fakes import BUCKET, LambdaContext, batch, object_event, sample
from tests.integration.adapters.test_doors import KEY, SEQUENCER, doors, upload

__all__ = ["doors"]

TEMPLATE, _ = read_template(ROOT / "template.yaml")
NAMES = {
    "DataBucket": BUCKET,
    "SignalboxBus": "house",
    "CycleFeaturesJob": "CycleFeaturesJob-example",
    "ArtifactBucket": "artifacts",
    "WorkloadsKey": "workloads.json",
    "CycleFeaturesJobKey": "job.py",
    "KernelKey": "kernel.zip",
    "AlertsTopic": "arn:aws:sns:eu-west-1:123456789012:AlertsTopic",
    "ModelsTopic": "arn:aws:sns:eu-west-1:123456789012:ModelsTopic",
    "BatchPipeline": "signalbox-batch",
    "TunePipeline": "signalbox-tune",
    "AWS::StackName": "signalbox",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
}
ARNS = {"DataBucket": "arn:aws:s3:::{}", "SignalboxBus": "bus/{}"}
PLATFORM = {
    "kms:Decrypt",  # by SNS, in the name of who publishes
    "kms:GenerateDataKey",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
}
FALLBACKS = {
    ("OnSensorFileRole", "dynamodb:GetItem"),  # the template says why
    ("OnWindowsRole", "sagemaker:DescribeModel"),  # moto takes the name of a model twice
}
# Operations whose permission has another name; with a version S3 asks for another one again.
ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}


def resolve(value):
    """The ARN that a statement's resource comes to in this cloud."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return NAMES[value["Ref"]]
    if "Fn::GetAtt" in value:
        return arn_of(value["Fn::GetAtt"])
    text = value["Fn::Sub"]
    return re.sub(
        r"\$\{([^}]+)\}", lambda m: arn_of(m[1]) if m[1].endswith(".Arn") else NAMES[m[1]], text
    )


def arn_of(reference):
    name = (reference if isinstance(reference, str) else reference[0]).removesuffix(".Arn")
    return ARNS.get(name, "{}").format(NAMES.get(name, name))


def role_of(door):
    return "".join(part.title() for part in door.split("_")) + "Role"


def grants(role):
    """(action, resource) of everything a role allows; no wildcard but at the end of a prefix."""
    policies = TEMPLATE["Resources"][role]["Properties"]["Policies"]
    for statement in policies[0]["PolicyDocument"]["Statement"]:
        if "Fn::If" in statement:
            continue  # only where a deployment has a key or a network of its own
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert "*" not in action
            for resource in resources if isinstance(resources, list) else [resources]:
                yield action, resolve(resource)


def calls_of(service, operation, params):
    """(action, resource) of everything that IAM judges for a call."""
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            for kind, told in item.items():
                yield f"dynamodb:{kind}Item", told["TableName"]
        return
    yield call_of(service, operation, params)
    for name in ("RoleArn", "ExecutionRoleArn"):
        if service == "sagemaker" and name in params:
            yield "iam:PassRole", params[name].rpartition("/")[2]


def call_of(service, operation, params):
    """(action, resource) that IAM judges for a plain call."""
    if service == "s3":
        action = ACTIONS.get(operation, operation)
        if params.get("VersionId"):
            action += "Version"
        arn = f"arn:aws:s3:::{params['Bucket']}"
        return f"s3:{action}", arn if action == "ListBucket" else f"{arn}/{params['Key']}"
    if service == "dynamodb":
        return f"dynamodb:{operation}", params["TableName"]
    if service == "sagemaker" and "Pipeline" in operation:
        named = f"arn:aws:sagemaker:eu-west-1:123456789012:pipeline/{params.get('PipelineName')}"
        return f"sagemaker:{operation}", params.get("PipelineExecutionArn", named)
    if service == "sagemaker":
        kind = operation.removeprefix("Create").removeprefix("Describe")
        words = {"ProcessingJob": "processing-job", "TransformJob": "transform-job"}
        name = params[f"{kind}Name"]
        arn = f"arn:aws:sagemaker:eu-west-1:123456789012:{words.get(kind, 'model')}/{name}"
        return f"sagemaker:{operation}", arn
    if service == "glue":
        return f"glue:{operation}", f"arn:aws:glue:eu-west-1:123456789012:job/{params['JobName']}"
    if service == "sns":
        return f"sns:{operation}", params["TopicArn"]
    return f"{service}:{operation}", f"bus/{params['Entries'][0]['EventBusName']}"


@pytest.fixture
def watched(doors, s3, monkeypatch):
    """Runs something and returns what it asked of AWS."""
    s3.create_bucket(
        Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    shipped = s3.get_object(Bucket=BUCKET, Key="workloads.json")["Body"].read()
    s3.put_object(Bucket="artifacts", Key="workloads.json", Body=shipped)
    monkeypatch.setenv("ARTIFACT_BUCKET", "artifacts")
    calls, watching = set(), []

    def note(params, model, **_):
        if watching:
            calls.update(calls_of(model.service_model.service_name, model.name, params))
            if model.name == "HeadObject":  # without it S3 answers 403 for what is not there
                calls.add(("s3:ListBucket", f"arn:aws:s3:::{params['Bucket']}"))

    session = boto3._get_default_session()._session
    session.register("provide-client-params.*.*", note, unique_id="roles")

    def run(work):
        watching.append(True)
        work()
        watching.clear()
        return calls

    yield run
    session.unregister("provide-client-params.*.*", unique_id="roles")


@pytest.fixture
def watch(watched, doors):
    """Calls a door and returns what it asked of AWS; its answers do not matter here."""

    def call(door, *events):
        handler = getattr(doors, door)
        return watched(lambda: [handler(event, LambdaContext()) for event in events])

    return call


def judge(role, calls):
    allowed = list(grants(role))
    for action, resource in calls:
        assert any(
            action == granted and fnmatch.fnmatchcase(resource, over) for granted, over in allowed
        ), f"{role} meets {action} on {resource}, which its role does not allow"
    for granted, over in allowed:
        used = any(
            action == granted and fnmatch.fnmatchcase(resource, over) for action, resource in calls
        )
        expected = granted in PLATFORM or (role, granted) in FALLBACKS
        assert used or expected, f"{role} may {granted} on {over}, but never does"


def test_on_sensor_file(watch, s3, tmp_path):
    good = object_event(KEY, SEQUENCER, upload(s3, tmp_path))
    bad_key = "raw/hvac/bad.csv"
    bad = object_event(bad_key, SEQUENCER, upload(s3, tmp_path, bad_key, header="ts,unit,x,y"))
    unversioned = object_event("raw/hvac/late.csv", SEQUENCER, None)
    upload(s3, tmp_path, "raw/hvac/late.csv")
    known = object_event("raw/hvac/known.csv", SEQUENCER, "v")
    calls = watch("on_sensor_file", batch(good, bad, unversioned), batch(bad))
    fragment = s3.get_object(Bucket=BUCKET, Key=fragment_key(KEY, SEQUENCER))["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=fragment_key("raw/hvac/known.csv", SEQUENCER), Body=fragment)
    newer = object_event(bad_key, "617f08299329d190", bad["detail"]["object"]["version-id"])
    gone = object_event("raw/hvac/gone.csv", SEQUENCER, "v")
    s3.put_object(Bucket=BUCKET, Key=fragment_key("raw/hvac/odd.csv", SEQUENCER), Body=b"odd")
    failing = object_event("raw/hvac/odd.csv", SEQUENCER, "v")
    calls = watch("on_sensor_file", batch(known), batch(newer), batch(gone), batch(failing))
    judge(role_of("on_sensor_file"), calls)


def test_on_sensor_file_deleted(watch, s3, tmp_path):
    upload(s3, tmp_path)
    odd = sample("aws.s3/object-deleted.json")
    odd["detail"]["object"] = {}
    again = object_event(KEY, "617f0837b476e463", "m1", "aws.s3/object-deleted.json")
    version = object_event(KEY, "617f0837b476e463", "v1", "aws.s3/object-deleted.version.json")
    judge(role_of("on_sensor_file_deleted"), watch("on_sensor_file_deleted", odd, again, version))


def test_on_backfill(watch, s3):
    key = "backfill/a.json"
    told = {"workload": "hvac", "prefix": "history/hvac/"}
    s3.put_object(Bucket=BUCKET, Key="history/hvac/a.csv", Body=b"")
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(told))["VersionId"]
    event = object_event(key, "a1", version, "aws.s3/object-created.manifest.json")
    unversioned = object_event(key, "a2", None, "aws.s3/object-created.manifest.json")
    odd = s3.put_object(Bucket=BUCKET, Key="backfill/odd.json", Body=b"[]")["VersionId"]
    bad = object_event("backfill/odd.json", "a1", odd, "aws.s3/object-created.manifest.json")
    watch("on_backfill", event, unversioned, bad, bad)
    # as if the power had failed between the claim and the run, longer ago than the lease
    table, pk = boto3.client("dynamodb"), {"pk": {"S": f"{BUCKET}/{key}/{version}"}}
    claim = table.get_item(TableName="BackfillTable", Key=pk)["Item"]
    del claim["job_run_id"]
    claim["announced"] = {"BOOL": False}
    claim["claimed_at"] = {"S": f"2026-01-01T00:{LEASE.seconds // 60:02}:00+00:00"}
    table.put_item(TableName="BackfillTable", Item=claim)
    judge(role_of("on_backfill"), watch("on_backfill", event))


def test_on_glue_job_change(watch, s3):
    key = "backfill/a.json"
    told = {"workload": "hvac", "keys": ["history/hvac/a.csv"]}
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(told))["VersionId"]
    watch("on_backfill", object_event(key, "a1", version)).clear()
    run = run_key(BUCKET, key, version)
    bad = {
        "source": {"bucket": BUCKET, "key": "history/hvac/a.csv", "sequencer": "1"},
        "reason": "empty", "message": "no rows",
    }  # fmt: skip
    report = {
        "workload": "hvac", "run_key": run, "files": 1, "done": [], "rejected": [bad],
        "units": [], "cycles": 0, "rows": 0, "start": None, "end": None,
    }  # fmt: skip
    s3.put_object(Bucket=BUCKET, Key=report_key("hvac", run), Body=json.dumps(report))
    change = sample("aws.glue/glue-job-state-change.json")
    runs = boto3.client("glue").get_job_runs(JobName="CycleFeaturesJob-example")["JobRuns"]
    change["detail"]["jobRunId"] = runs[0]["Id"]
    calls = watch("on_glue_job_change", change)
    boto3.client("dynamodb").update_item(
        TableName="BackfillTable",
        Key={"pk": {"S": f"{BUCKET}/{key}/{version}"}},
        UpdateExpression="REMOVE reported",
    )
    judge(role_of("on_glue_job_change"), calls | watch("on_glue_job_change", change))


def test_the_glue_program(watched, s3, tmp_path, capsys):
    key = "backfill/a.json"
    for name in ("a", "b"):
        upload(s3, tmp_path, f"history/hvac/{name}.csv")
    told = {"workload": "hvac", "keys": [f"history/hvac/{name}.csv" for name in ("a", "b", "gone")]}
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(told))["VersionId"]
    by_prefix = json.dumps({"workload": "hvac", "prefix": "history/hvac/"})
    s3.put_object(Bucket=BUCKET, Key="backfill/prefix.json", Body=by_prefix)
    arguments = ["--data-bucket", BUCKET, "--workloads", "s3://artifacts/workloads.json"]
    arguments += ["--run-key", "0" * 32, "--engine", "embedded"]

    def runs():
        main([*arguments, "--manifest-key", key, "--manifest-version", version])
        main([*arguments, "--manifest-key", "backfill/prefix.json"])

    calls = watched(runs)
    # Glue itself fetches the program and the zip
    calls |= {("s3:GetObject", f"arn:aws:s3:::artifacts/{n}") for n in ("job.py", "kernel.zip")}
    judge("CycleFeaturesJobRole", calls)
    assert "report: s3://" in capsys.readouterr().out


NOWHERE = {
    "ecr:GetAuthorizationToken", "sagemaker:ListModelPackages", "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
}  # fmt: skip
"""Actions of no resource that could be named, whatever the list says."""


def test_roles_name_resources():
    """A lone wildcard stands only where no action of the statement is of any resource."""
    services = json.loads((ROOT / "localcloud" / "iam" / "actions.json").read_text())["services"]
    for name, body in TEMPLATE["Resources"].items():
        if body["Type"] == "AWS::IAM::Role":
            assert "ManagedPolicyArns" not in body["Properties"], name
            for policy in body["Properties"]["Policies"]:
                for each in policy["PolicyDocument"]["Statement"]:
                    statement = each["Fn::If"][1] if "Fn::If" in each else each
                    if statement["Resource"] != "*":
                        continue
                    named = statement["Action"]
                    for action in [named] if isinstance(named, str) else named:
                        service, operation = action.split(":")
                        known = services.get(service, {"actions": {}})["actions"]
                        assert action in NOWHERE or known[operation] == [], (name, action)
