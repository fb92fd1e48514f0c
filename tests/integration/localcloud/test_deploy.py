"""The strict deploy: what is in the template is there, and what cannot be honoured is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud import Cloud, DeployError
from tests.integration.localcloud.builds import BUCKET, CHAIN, DOOR, ROLE, write_build
from tests.integration.localcloud.conftest import Deploy

QUEUE = "  Queue: {Type: AWS::SQS::Queue}\n"
BUS = "  Bus: {Type: AWS::Events::EventBus, Properties: {Name: own}}\n"
FUNCTION = (
    ROLE
    + """
  Door:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.11, Handler: app.handler, CodeUri: Door, Role: !GetAtt Role.Arn, Timeout: 10%s}
"""
)
FILES = {"Door/app.py": "def handler(event, context): return event\n"}
CHAIN_FILES = {"Door/app.py": DOOR, "Layer/python/signalbox/words.py": "MARK = b''\n"}


def rule(target: str, pattern: str = "{source: [tests]}") -> str:
    return f"""
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {pattern}
      Targets: [{{Id: t, Arn: {target}}}]
"""


def permission(action: str = "lambda:InvokeFunction", source: str = "!GetAtt Rule.Arn") -> str:
    return f"""
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Door
      Action: {action}
      Principal: events.amazonaws.com
      SourceArn: {source}
"""


def queue_policy(principal: str = "events.amazonaws.com", source: str = "!GetAtt Rule.Arn") -> str:
    return f"""
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {{Service: {principal}}}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: {{ArnEquals: {{"aws:SourceArn": {source}}}}}
"""


def mapping(extra: str) -> str:
    return f"""
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Door, {extra}}}
"""


BAD = {
    "an unknown type": (
        "  Thing: {Type: AWS::Kendra::Index}",
        r"Thing: resource type 'AWS::Kendra::Index' is not supported \(template line 5\)",
    ),
    "a FIFO queue": (
        "  Queue: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}",
        r"Queue\.FifoQueue: is not supported for AWS::SQS::Queue \(template line 5\)",
    ),
    "a property inside a property": (
        """
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled, MfaDelete: Enabled}
""",
        r"Bucket\.VersioningConfiguration\.MfaDelete: is not supported .*\(template line 9\)",
    ),
    "notifications other than EventBridge's": (
        "  Bucket: {Type: AWS::S3::Bucket, Properties:"
        " {NotificationConfiguration: {QueueConfigurations: []}}}",
        r"Bucket\.NotificationConfiguration\.QueueConfigurations: is not supported",
    ),
    "an attribute there is not": (
        QUEUE + "  Other: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Queue.Name}}",
        r"Other\.QueueName: Queue \(AWS::SQS::Queue\) has no attribute 'Name'; "
        r"it has: Arn, QueueName, QueueUrl",
    ),
    "a reference to nothing": (
        "  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Missing}}",
        r"Queue\.QueueName: refers to 'Missing', which is not in the template",
    ),
    "a dependency on nothing": (
        "  Queue: {Type: AWS::SQS::Queue, DependsOn: Missing}",
        r"Queue\.DependsOn: depends on 'Missing'",
    ),
    "a circle": (
        "  A: {Type: AWS::SQS::Queue, DependsOn: B}\n  B: {Type: AWS::SQS::Queue, DependsOn: A}",
        r"in a circle: (A -> B -> A|B -> A -> B)",
    ),
    "an unknown function": (
        "  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue x}}",
        r"Queue\.QueueName: Fn::ImportValue is not supported",
    ),
    "an unknown attribute of a resource": (
        "  Queue: {Type: AWS::SQS::Queue, CreationPolicy: {}}",
        r"Queue\.CreationPolicy: is not supported",
    ),
    "a word of another kind": (
        "  Bucket: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: 'On'}}}",
        r"Bucket\.VersioningConfiguration\.Status: must be one of Enabled, Suspended, not 'On'",
    ),
    "what the service refuses": (
        "  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: 'no spaces'}}",
        r"Queue: An error occurred .*Can only include alphanumeric",
    ),
    "a parameter boto3 refuses": (
        "  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q, Tags: [{Key: a, Value: b}]}}\n"
        "  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 5, LogGroupName: ''}}\n"
        "  Table: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: [{AttributeName: a}],"
        " AttributeDefinitions: [{AttributeName: a, AttributeType: S}], BillingMode: PAY_PER_REQUEST}}",
        r"Table: Parameter validation failed",
    ),
    "a bad pattern": (
        QUEUE + rule("!GetAtt Queue.Arn", "{source: tests}"),
        r"Rule\.EventPattern: ",
    ),
    "a target nobody delivers to": (
        rule("arn:aws:states:eu-west-1:123456789012:stateMachine:x"),
        r"Rule\.Targets\[0\]\.Arn: .* is no target the local cloud delivers to",
    ),
    "a target's role": (
        QUEUE + rule("!GetAtt Queue.Arn, RoleArn: 'arn:aws:iam::1:role/x'"),
        r"Rule\.Targets\[0\]\.RoleArn: is for an event bus",
    ),
    "a queue without a policy for its rule": (
        QUEUE + rule("!GetAtt Queue.Arn"),
        r"Rule\.Targets\[0\]\.Arn: .*signalbox-Queue does not allow sqs:SendMessage to "
        r"events\.amazonaws\.com with aws:SourceArn .*rule/signalbox-Rule",
    ),
    "a queue policy for another rule": (
        QUEUE + rule("!GetAtt Queue.Arn") + queue_policy(source="arn:aws:events:eu-west-1:1:rule/x"),
        r"Rule\.Targets\[0\]\.Arn: .* does not allow",
    ),
    "a queue policy for another service": (
        QUEUE + rule("!GetAtt Queue.Arn") + queue_policy(principal="s3.amazonaws.com"),
        r"Rule\.Targets\[0\]\.Arn: .* does not allow",
    ),
    "a dead-letter queue without a policy": (
        QUEUE
        + "  Dead: {Type: AWS::SQS::Queue}\n"
        + queue_policy()
        + rule("!GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}"),
        r"Rule\.Targets\[0\]\.DeadLetterConfig: .*signalbox-Dead does not allow",
    ),
    "a queue that does not exist": (
        rule("arn:aws:sqs:eu-west-1:123456789012:gone"),
        r"Rule\.Targets\[0\]\.Arn: there is no arn:aws:sqs:eu-west-1:123456789012:gone",
    ),
    "a function without a permission": (
        FUNCTION % "" + rule("!GetAtt Door.Arn"),
        r"Rule\.Targets\[0\]\.Arn: .* does not allow lambda:InvokeFunction",
    ),
    "a permission for another action": (
        FUNCTION % "" + rule("!GetAtt Door.Arn") + permission("lambda:GetFunction"),
        r"Rule\.Targets\[0\]\.Arn: .* does not allow lambda:InvokeFunction",
    ),
    "a permission for another rule": (
        FUNCTION % "" + rule("!GetAtt Door.Arn") + permission(source="arn:aws:events:x:1:rule/y"),
        r"Rule\.Targets\[0\]\.Arn: .* does not allow lambda:InvokeFunction",
    ),
    "a queue that shows messages before the function is done": (
        FUNCTION % "" + "  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 9}}" + mapping(""),
        r"Mapping\.EventSourceArn: queue visibility timeout 9 s is less than function timeout 10 s",
    ),
    "a large batch without a window": (
        FUNCTION % "" + QUEUE + mapping("BatchSize: 11"),
        r"Mapping\.BatchSize: above 10 needs",
    ),
    "a maximum concurrency of one": (
        FUNCTION % "" + QUEUE + mapping("ScalingConfig: {MaximumConcurrency: 1}"),
        r"Mapping\.ScalingConfig\.MaximumConcurrency: must be from 2 to 1000, not 1",
    ),
    "a filter that is no pattern": (
        FUNCTION % "" + QUEUE + mapping("FilterCriteria: {Filters: [{Pattern: '{\"body\": 1}'}]}"),
        r"Mapping\.FilterCriteria: ",
    ),
    "a stream as a source": (
        FUNCTION % "" + mapping("").replace("!GetAtt Queue.Arn", "arn:aws:kinesis:eu-west-1:1:stream/s"),
        r"Mapping\.EventSourceArn: .* is not a standard SQS queue",
    ),
    "too long a timeout": (
        (FUNCTION % "").replace("Timeout: 10", "Timeout: 901"),
        r"Door\.Timeout: must be from 1 to 900, not 901",
    ),
    "another runtime": (
        (FUNCTION % "").replace("python3.11", "python3.13"),
        r"Door\.Runtime: must be one of python3\.11",
    ),
    "too large an environment": (
        FUNCTION % f", Environment: {{Variables: {{A: {'x' * 4096}}}}}",
        r"Door\.Environment: has 4097 bytes",
    ),
    "a layer of another account": (
        FUNCTION % ", Layers: ['arn:aws:lambda:eu-west-1:753240598075:layer:Adapter:27']",
        r"Door\.Layers: .* is not in the template",
    ),
    "six layers": (
        FUNCTION % ", Layers: [a, b, c, d, e, f]",
        r"Door\.Layers: a function has at most 5 layers",
    ),
    "a function switched off": (
        FUNCTION % ", ReservedConcurrentExecutions: 0",
        r"Door\.ReservedConcurrentExecutions: 0 stops the function",
    ),
    "code that was not built": (
        (FUNCTION % "").replace("CodeUri: Door", "CodeUri: Nowhere"),
        r"Door\.CodeUri: no built folder 'Nowhere' in .*: run `make build`",
    ),
    "a managed policy AWS does not have": (
        ROLE.replace("Policies:", "ManagedPolicyArns: ['arn:aws:iam::aws:policy/Nothing']\n      Policies:"),
        r"Role\.ManagedPolicyArns: AWS has no managed policy",
    ),
    "a Glue job that names no version": (
        "  Job: {Type: AWS::Glue::Job, Properties:"
        " {Role: r, Command: {Name: glueetl, ScriptLocation: s}}}",
        r"Job\.GlueVersion: is required",
    ),
    "a Glue job that is repeated too often": (
        "  Job: {Type: AWS::Glue::Job, Properties: {Role: r, GlueVersion: '5.1', MaxRetries: 11,"
        " Command: {Name: glueetl, ScriptLocation: s}}}",
        r"Job\.MaxRetries: must be 0 to 10, not 11",
    ),
    "what SAM refuses": (
        "  Door: {Type: AWS::Serverless::Function, Properties: {CodeUri: Door, Handler: a.b, Odd: 1}}",
        r"Odd",
    ),
    "an unknown SAM resource": (
        "  Api: {Type: AWS::Serverless::HttpApi, Properties: {}}",
        r"resource type 'AWS::ApiGatewayV2::Api' is not supported",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_honoured_is_an_error_that_names_it(deploy: Deploy, case: str) -> None:
    resources, message = BAD[case]
    with pytest.raises(DeployError, match=message):
        deploy(resources, FILES)


def test_outputs_conditions_and_parameters(deploy: Deploy) -> None:
    head = """
    Parameters:
      Stage: {Type: String, Default: test, AllowedValues: [test, prod]}
    Mappings: {Sizes: {test: {Delay: 5}, prod: {Delay: 9}}}
    Conditions: {Prod: !Equals [!Ref Stage, prod]}
    Outputs:
      Queue: {Value: !GetAtt Queue.QueueName, Description: its name}
      Other: {Value: !Ref Other, Condition: Prod}
    """
    resources = """
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-${Stage}-q"
      DelaySeconds: !FindInMap [Sizes, !Ref Stage, Delay]
      VisibilityTimeout: !If [Prod, 60, !Ref "AWS::NoValue"]
  Other: {Type: AWS::SQS::Queue, Condition: Prod}
"""
    cloud = deploy(resources, head=head)
    assert cloud.outputs == {"Queue": "signalbox-test-q"}
    attributes = cloud.client("sqs").get_queue_attributes(
        QueueUrl=cloud.physical_id("Queue"), AttributeNames=["All"]
    )["Attributes"]
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("5", "30")
    with pytest.raises(DeployError, match="refers to 'Other'"):
        cloud.physical_id("Other")


@pytest.mark.parametrize(
    ("head", "parameters", "message"),
    [
        ("Parameters: {Stage: {Type: String}}", {}, "Stage: the parameter has no default"),
        ("", {"Stage": "x"}, "Stage: the template has no such parameter"),
        ("Outputs: {X: {Value: !Ref Nothing}}", {}, r"X\.Value: refers to 'Nothing'"),
        ("Outputs: {X: {Value: a, Export: {Name: n}}}", {}, r"X\.Export: is not supported"),
    ],
)
def test_bad_parameters_and_outputs(
    deploy: Deploy, head: str, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(DeployError, match=message):
        deploy(QUEUE, head=head, parameters=parameters)


def test_what_the_chain_says_is_there(deploy: Deploy) -> None:
    cloud = deploy(CHAIN, CHAIN_FILES)
    lambdas, name = cloud.client("lambda"), cloud.physical_id("Door")
    configuration = lambdas.get_function_configuration(FunctionName=name)
    assert (configuration["Handler"], configuration["Timeout"]) == ("app.handler", 30)
    assert len(configuration["Layers"]) == 1
    (source,) = lambdas.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    s3 = cloud.client("s3")
    assert s3.get_bucket_versioning(Bucket=cloud.physical_id("Bucket"))["Status"] == "Enabled"


def test_policies_without_a_version_get_one(deploy: Deploy) -> None:
    cloud = deploy(ROLE)
    document = cloud.client("iam").get_role_policy(
        RoleName=cloud.physical_id("Role"), PolicyName="all"
    )["PolicyDocument"]
    assert document["Version"] == "2012-10-17"


def test_sams_own_roles_and_policy_templates(deploy: Deploy) -> None:
    resources = """
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
      SSESpecification: {SSEEnabled: true}
  Queue: {Type: AWS::SQS::Queue}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Policies: [DynamoDBCrudPolicy: {TableName: !Ref Table}]
      Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}
"""
    cloud = deploy(resources, FILES)
    iam, role = cloud.client("iam"), cloud.physical_id("DoorRole")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {each["PolicyName"] for each in attached} == {
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaSQSQueueExecutionRole",
    }
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    assert cloud.physical_id("Table") in document["Statement"][0]["Resource"][0]
    table = cloud.client("dynamodb").describe_time_to_live(TableName=cloud.physical_id("Table"))
    assert table["TimeToLiveDescription"]["AttributeName"] == "expires"


def test_a_tls_only_bucket_policy_is_kept_and_locks_nobody_out(deploy: Deploy) -> None:
    policy = """
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement:
          - {Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${Bucket.Arn}/*",
             Condition: {Bool: {"aws:SecureTransport": "false"}}}
"""
    cloud = deploy(BUCKET + policy)
    bucket = cloud.physical_id("Bucket")
    cloud.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1")
    kept = json.loads(cloud.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    assert kept["Statement"][0]["Resource"] == f"arn:aws:s3:::{bucket}/*"


def test_physical_names_are_the_same_every_time_and_fit(deploy: Deploy) -> None:
    long = "VeryLong" * 12
    cloud = deploy(f"  {long}: {{Type: AWS::SQS::Queue}}\n" + BUCKET)
    name = cloud.stack.attribute(long, "QueueName")
    assert len(name) == 80
    assert name.startswith("signalbox-VeryLong")
    assert cloud.physical_id("Bucket") == "signalbox-bucket"


def test_another_region(deploy: Deploy) -> None:
    cloud = deploy(CHAIN, CHAIN_FILES, region="us-east-1")
    bucket = cloud.physical_id("Bucket")
    cloud.client("s3").put_object(Bucket=bucket, Key="raw/a", Body=b"1")
    cloud.run_until_idle()
    assert cloud.client("s3").head_object(Bucket=bucket, Key="done/raw/a")
    assert ":us-east-1:" in cloud.stack.attribute("Door", "Arn")


def test_a_cloud_is_deployed_once(deploy: Deploy) -> None:
    with pytest.raises(DeployError, match="deployed before"):
        deploy(QUEUE).deploy()


def test_the_build_is_checked_before_anything_is_deployed(tmp_path: Path) -> None:
    build = write_build(tmp_path, QUEUE, {})

    def stale(folder: Path) -> None:
        assert folder == build
        raise DeployError("the build is older than its sources")

    with Cloud(build=build, check_build=stale) as cloud:
        with pytest.raises(DeployError, match="older than its sources"):
            cloud.deploy()
        assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []


def test_equal_builds_give_equal_packages(deploy: Deploy, tmp_path: Path) -> None:
    keys = []
    for place in ("one", "two"):
        build = write_build(tmp_path / place, FUNCTION % "", FILES)
        with Cloud(build=build) as cloud:
            cloud.deploy()
            listed = cloud.client("s3").list_objects_v2(Bucket=cloud.packages)["Contents"]
            keys.append([each["Key"] for each in listed])
    assert keys[0] == keys[1]
    assert [key.endswith(".zip") for key in keys[0]] == [True]
