"""Small builds, laid out as `sam build` lays them out, for tests of the local cloud."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: [
             events.amazonaws.com, glue.amazonaws.com, lambda.amazonaws.com,
             sagemaker.amazonaws.com, scheduler.amazonaws.com]}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: all
          PolicyDocument: {Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
"""

BUCKET = """
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}
      VersioningConfiguration: {Status: Enabled}
"""

# a file under raw/ reaches the queue; the function takes batches from it
CHAIN = (
    BUCKET
    + ROLE
    + """
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: !Sub "${AWS::StackName}-bus"}
  Raw:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [aws.s3]
        detail-type: [Object Created]
        detail: {bucket: {name: [!Ref Bucket]}, object: {key: [{prefix: raw/}]}}
      Targets: [{Id: Queue, Arn: !GetAtt Queue.Arn}]
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !GetAtt Raw.Arn}}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: Layer, CompatibleRuntimes: [python3.11]}
  Door:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: app.handler
      CodeUri: Door
      Role: !GetAtt Role.Arn
      Timeout: 30
      Layers: [!Ref Layer]
      Environment: {Variables: {BUCKET: !Ref Bucket, BUS: !Ref Bus}}
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
"""
)

DOOR = """
import json
import os

import boto3

from signalbox import words

s3 = boto3.client("s3")
events = boto3.client("events")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        key = json.loads(record["body"])["detail"]["object"]["key"]
        print("doing", key)
        if "bad" in key:
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        body = s3.get_object(Bucket=os.environ["BUCKET"], Key=key)["Body"].read()
        s3.put_object(Bucket=os.environ["BUCKET"], Key="done/" + key, Body=body + words.MARK)
        detail = {"key": key, "function": context.function_name}
        entry = {"Source": "signalbox", "DetailType": "Done", "Detail": json.dumps(detail),
                 "EventBusName": os.environ["BUS"]}
        events.put_events(Entries=[entry])
    return {"batchItemFailures": failed}
"""


def write_build(folder: Path, resources: str, files: dict[str, str], head: str = "") -> Path:
    """Write a built template and the folders it names; returns the build folder."""
    build = folder / "build"
    build.mkdir(parents=True)
    lines = [
        'AWSTemplateFormatVersion: "2010-09-09"',
        "Transform: AWS::Serverless-2016-10-31",
        dedent(head).strip("\n"),
        "Resources:",
        resources,
    ]
    (build / "template.yaml").write_text("\n".join(lines), encoding="utf-8")
    for name, text in files.items():
        path = build / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return build


def chain_build(folder: Path, door: str = DOOR) -> Path:
    """S3 → rule → queue → function with a layer → S3 and an own bus."""
    words = "layer/python/signalbox"
    return write_build(
        folder,
        CHAIN,
        {
            "Door/app.py": door,
            "Layer/python/signalbox/__init__.py": "",
            "Layer/python/signalbox/words.py": f'MARK = b" from the {words}"\n',
        },
    )
