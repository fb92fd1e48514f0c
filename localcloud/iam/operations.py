"""The reviewed table: where a request's permission is not simply its own name on its own resource.

Citations: "Required permissions for Amazon S3 API operations" of the S3 User Guide; "Actions,
resources, and condition keys" of each service in the Service Authorization Reference; "Using IAM
with DynamoDB"; "Grant a user permissions to pass a role". What is not in here, nor in
`special.py`, is judged on the action named like the operation.
"""

from __future__ import annotations

PREFIXES = {
    "bedrock-agent-runtime": "bedrock",
    "bedrock-runtime": "bedrock",
    "s3control": "s3",
    "sagemaker-featurestore-runtime": "sagemaker",
    "sagemaker-runtime": "sagemaker",
}
"""botocore's service -> IAM's prefix, where they differ."""

FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
"""Operations that need no permission."""

RENAMED: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "Invoke"): ("InvokeFunction",),
    ("s3", "CompleteMultipartUpload"): ("PutObject",),
    ("s3", "CreateMultipartUpload"): ("PutObject",),
    ("s3", "DeleteBucketEncryption"): ("PutEncryptionConfiguration",),
    ("s3", "DeleteBucketLifecycle"): ("PutLifecycleConfiguration",),
    ("s3", "GetBucketEncryption"): ("GetEncryptionConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("GetLifecycleConfiguration",),
    ("s3", "GetBucketNotificationConfiguration"): ("GetBucketNotification",),
    ("s3", "GetPublicAccessBlock"): ("GetBucketPublicAccessBlock",),
    ("s3", "HeadBucket"): ("ListBucket",),
    ("s3", "HeadObject"): ("GetObject",),
    ("s3", "ListBuckets"): ("ListAllMyBuckets",),
    ("s3", "ListMultipartUploads"): ("ListBucketMultipartUploads",),
    ("s3", "ListObjectVersions"): ("ListBucketVersions",),
    ("s3", "ListObjects"): ("ListBucket",),
    ("s3", "ListObjectsV2"): ("ListBucket",),
    ("s3", "ListParts"): ("ListMultipartUploadParts",),
    ("s3", "PutBucketEncryption"): ("PutEncryptionConfiguration",),
    ("s3", "PutBucketLifecycleConfiguration"): ("PutLifecycleConfiguration",),
    ("s3", "PutBucketNotificationConfiguration"): ("PutBucketNotification",),
    ("s3", "PutPublicAccessBlock"): ("PutBucketPublicAccessBlock",),
    ("s3", "UploadPart"): ("PutObject",),
    ("sns", "PublishBatch"): ("Publish",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("ChangeMessageVisibility",),
    ("sqs", "DeleteMessageBatch"): ("DeleteMessage",),
    ("sqs", "SendMessageBatch"): ("SendMessage",),
}
"""(prefix, operation) -> actions that take its place, each on the same resource."""

OF_VERSION = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
"""S3 actions on an object -> the one for a named version."""

NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "bedrock": {"GuardrailId": ("guardrailIdentifier",)},
    "cloudwatch": {"AlarmName": ("AlarmName", "AlarmNames")},
    "dynamodb": {"TableName": ("TableName",)},
    "events": {
        "EventBusName": ("EventBusName", "Name"),
        "RuleName": ("Rule", "Name"),
        "ArchiveName": ("ArchiveName",),
        "ReplayName": ("ReplayName",),
    },
    "glue": {"JobName": ("JobName", "Name")},
    "iam": {"RoleNameWithPath": ("RoleName",)},
    "kms": {"KeyId": ("KeyId",)},
    "lambda": {
        "FunctionName": ("FunctionName",),
        "LayerName": ("LayerName",),
        "LayerVersion": ("VersionNumber",),
        "UUID": ("UUID",),
    },
    "logs": {
        "LogGroupName": ("logGroupName", "logGroupIdentifier"),
        "LogStreamName": ("logStreamName",),
    },
    "ram": {"ResourcePath": ("resourceShareArn", "resourceShareInvitationArn", "permissionArn")},
    "s3": {"BucketName": ("Bucket",), "ObjectName": ("Key",)},
    "sagemaker": {
        "EndpointConfigName": ("EndpointConfigName",),
        "ExportJobName": ("ModelCardExportJobArn",),
        "FeatureGroupName": ("FeatureGroupName",),
        "ModelCardName": ("ModelCardName", "ModelCardExportJobArn"),
        "ModelPackageGroupName": ("ModelPackageGroupName",),
        "ModelPackageName": ("ModelPackageName", "ModelPackageArn"),
    },
    "scheduler": {"ScheduleName": ("Name",), "GroupName": ("GroupName",)},
    "secretsmanager": {"SecretId": ("SecretId", "Name")},
    "sns": {"TopicName": ("TopicArn", "TargetArn", "Name")},
    "sqs": {"QueueName": ("QueueUrl", "QueueName")},
    "ssm": {"ParameterNameWithoutLeadingSlash": ("Name", "Names", "Path")},
    "sts": {"RoleNameWithPath": ("RoleArn",)},
}
"""prefix -> variable of an ARN template -> parameters that may hold it, else one of its own name."""

ARNS = ("PipelineExecutionArn", "ResourceArn", "resourceArn", "ResourceARN")
"""Parameters that hold the ARN of the resource itself."""

DEFAULTS = {("events", "EventBusName"): "default", ("scheduler", "GroupName"): "default"}
"""What a variable is where the request leaves it out."""

SHARED = (("sagemaker", "ModelCard"), ("sagemaker", "Tags"), ("s3", "Object"))
"""Service and part of the operation's name, where requests may name what other accounts share."""

ROLES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("events", "PutTargets"): (("Targets[].RoleArn", "events.amazonaws.com"),),
    ("glue", "CreateJob"): (("Role", "glue.amazonaws.com"),),
    ("glue", "UpdateJob"): (("JobUpdate.Role", "glue.amazonaws.com"),),
    ("lambda", "CreateFunction"): (("Role", "lambda.amazonaws.com"),),
    ("lambda", "UpdateFunctionConfiguration"): (("Role", "lambda.amazonaws.com"),),
    ("sagemaker", "CreateFeatureGroup"): (("RoleArn", "sagemaker.amazonaws.com"),),
    ("sagemaker", "CreateHyperParameterTuningJob"): (
        ("TrainingJobDefinition.RoleArn", "sagemaker.amazonaws.com"),
        ("TrainingJobDefinitions[].RoleArn", "sagemaker.amazonaws.com"),
    ),
    ("sagemaker", "CreateModel"): (("ExecutionRoleArn", "sagemaker.amazonaws.com"),),
    ("sagemaker", "CreatePipeline"): (("RoleArn", "sagemaker.amazonaws.com"),),
    ("sagemaker", "CreateProcessingJob"): (("RoleArn", "sagemaker.amazonaws.com"),),
    ("sagemaker", "CreateTrainingJob"): (("RoleArn", "sagemaker.amazonaws.com"),),
    ("sagemaker", "StartPipelineExecution"): (("RoleArn", "sagemaker.amazonaws.com"),),
    ("sagemaker", "UpdatePipeline"): (("RoleArn", "sagemaker.amazonaws.com"),),
    ("scheduler", "CreateSchedule"): (("Target.RoleArn", "scheduler.amazonaws.com"),),
    ("scheduler", "UpdateSchedule"): (("Target.RoleArn", "scheduler.amazonaws.com"),),
}
"""(prefix, operation) -> parameter that hands over a role, and the service it is handed to."""

TAGGED = "sagemaker"
"""Whose Create operations need AddTags on the new resource too, where the request has tags.

"Provide permissions for tagging SageMaker AI resources" of the SageMaker Developer Guide.
"""

KEY_USE: dict[str, tuple[str, ...]] = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "sagemaker:CreateModelCard": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sagemaker:CreateModelCardExportJob": ("kms:Decrypt",),
    "sagemaker:DescribeModelCard": ("kms:Decrypt",),
    "sagemaker:UpdateModelCard": ("kms:GenerateDataKey", "kms:Decrypt"),
    "secretsmanager:GetSecretValue": ("kms:Decrypt",),
    "secretsmanager:PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
}
"""Action on something encrypted with a customer's key -> what its caller needs on that key.

"Using server-side encryption with AWS KMS keys" (S3), "Key management" (SQS, SNS), "Secret
encryption and decryption" (Secrets Manager), "Set up AWS KMS permissions for shared accounts" and
`IncludedData` of DescribeModelCard (SageMaker).
"""

IN_PARTS = {"CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart", "UploadPartCopy"}
"""S3 operations whose s3:PutObject needs kms:Decrypt too, since the parts are read again.

"Multipart upload API and permissions" of the S3 User Guide: both permissions on the key.
"""
