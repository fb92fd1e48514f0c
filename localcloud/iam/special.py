"""Requests that need several permissions, or are judged on more than their parameters say.

Citations: "Required permissions for Amazon S3 API operations" of the S3 User Guide; "Using IAM with
DynamoDB transactions"; "Actions, resources, and condition keys" of each service in the Service
Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote

from localcloud.iam.needs import Need, Params, need_of, resource_of
from localcloud.seams import Permissions
from localcloud.wiring import Call


def _read_object(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """S3 says "not found" only to those who may list the bucket, to others "denied"."""
    yield need_of("s3:GetObject", call, params, known)
    bucket, key = str(params["Bucket"]), str(params["Key"])
    if not known.has_object(bucket, key, params.get("VersionId")):
        yield Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")


def _put_object(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    yield need_of("s3:PutObject", call, params, known)
    if params.get("Tagging"):
        yield need_of("s3:PutObjectTagging", call, params, known)
    if params.get("ACL"):
        yield need_of("s3:PutObjectAcl", call, params, known)


def _copy_object(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """The source's key is "URL-encoded" in the header: `CopySource` of CopyObject (botocore)."""
    source = params["CopySource"]
    if isinstance(source, str):
        path, _, version = source.partition("?versionId=")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        source = {"Bucket": bucket, "Key": key, "VersionId": version or None}
    yield need_of("s3:GetObject", call, source, known)
    yield from _put_object(call, {**params, "VersionId": None}, known)


def _delete_objects(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    for each in params["Delete"]["Objects"]:
        yield need_of("s3:DeleteObject", call, {"Bucket": params["Bucket"], **each}, known)


def _put_events(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    seen = set()
    for entry in params["Entries"]:
        bus = str(entry.get("EventBusName") or "default")
        need = (bus, str(entry.get("Source", "")), str(entry.get("DetailType", "")))
        if need not in seen:
            seen.add(need)
            context = {"events:source": need[1], "events:detail-type": need[2]}
            arn = resource_of("events:PutEvents", call, {"EventBusName": bus}, known)
            yield Need("events:PutEvents", arn, context)


def _rule(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """Rules of the default bus have a shorter ARN."""
    del known
    bus = str(params.get("EventBusName") or "default").rsplit("/", 1)[-1]
    name = str(params.get("Rule") or params["Name"])
    path = name if bus == "default" else f"{bus}/{name}"
    arn = f"arn:aws:events:{call.region}:{call.account}:rule/{path}"
    yield Need(f"events:{call.operation()}", arn)


def _table(call: Call, name: str) -> str:
    return (
        name
        if name.startswith("arn:")
        else f"arn:aws:dynamodb:{call.region}:{call.account}:table/{name}"
    )


def _items(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    del known
    for name in params["RequestItems"]:
        yield Need(f"dynamodb:{call.operation()}", _table(call, name))


def _indexed(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    del known
    table = _table(call, str(params["TableName"]))
    index = f"{table}/index/{params['IndexName']}" if params.get("IndexName") else table
    yield Need(f"dynamodb:{call.operation()}", index)


def _transaction(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """ "IAM permissions for transactions": each item needs the permission of its own kind."""
    del known
    kinds = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem",
             "ConditionCheck": "ConditionCheckItem"}  # fmt: skip
    for item in params["TransactItems"]:
        for kind, body in item.items():
            yield Need(f"dynamodb:{kinds[kind]}", _table(call, body["TableName"]))


def _endpoint(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """An endpoint's ARN is in lower case; to use a configuration takes the action on it too."""
    del known
    name = str(params["EndpointName"]).lower()
    arn = f"arn:aws:sagemaker:{call.region}:{call.account}:endpoint/{name}"
    yield Need(f"sagemaker:{call.operation()}", arn)
    if params.get("EndpointConfigName"):
        config = f"endpoint-config/{params['EndpointConfigName']}"
        arn = f"arn:aws:sagemaker:{call.region}:{call.account}:{config}"
        yield Need(f"sagemaker:{call.operation()}", arn)


def _pipeline(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """A definition that lies in S3 is read with the caller's rights."""
    yield need_of(f"sagemaker:{call.operation()}", call, params, known)
    place = params.get("PipelineDefinitionS3Location")
    if place:
        named = {"Bucket": place["Bucket"], "Key": place["ObjectKey"]}
        yield need_of("s3:GetObject", call, {**named, "VersionId": place.get("VersionId")}, known)


def _callback(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """A callback's token stands for the execution that waits for it."""
    arn = known.callbacks.get(str(params["CallbackToken"]), "*")
    yield Need(f"sagemaker:{call.operation()}", arn)


def _package(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """Of a group's versions as a whole, and of one that has no number yet: any of its versions."""
    group = str(params.get("ModelPackageGroupName") or "").rpartition("/")[2]
    action = f"sagemaker:{call.operation()}"
    if not group:
        yield need_of(action, call, params, known)
        return
    arn = f"arn:aws:sagemaker:{call.region}:{call.account}:model-package/{group}/*"
    yield Need(action, arn)


def _model(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """ "Actions, resources, and condition keys for Amazon Bedrock": Converse is InvokeModel."""
    del known
    model, streams = str(params["modelId"]), call.operation().endswith("Stream")
    arn = f"arn:aws:bedrock:{call.region}::foundation-model/{model}"
    action = "InvokeModelWithResponseStream" if streams else "InvokeModel"
    yield Need(f"bedrock:{action}", model if model.startswith("arn:") else arn)


def _parameters(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    for name in params["Names"]:
        yield need_of(f"ssm:{call.operation()}", call, {"Name": name}, known)


def _permission(call: Call, params: Params, known: Permissions) -> Iterator[Need]:
    """Whoever changes a share's permission needs the action on the share and on the permission."""
    del known
    for name in ("resourceShareArn", "permissionArn"):
        yield Need(f"ram:{call.operation()}", str(params[name]))


Special = Callable[[Call, Params, Permissions], Iterator[Need]]
SPECIAL: dict[tuple[str, str], Special] = {
    ("bedrock", "Converse"): _model,
    ("bedrock", "ConverseStream"): _model,
    ("bedrock", "InvokeModel"): _model,
    ("bedrock", "InvokeModelWithResponseStream"): _model,
    ("dynamodb", "BatchGetItem"): _items,
    ("dynamodb", "BatchWriteItem"): _items,
    ("dynamodb", "Query"): _indexed,
    ("dynamodb", "Scan"): _indexed,
    ("dynamodb", "TransactGetItems"): _transaction,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("events", "DeleteRule"): _rule,
    ("events", "DescribeRule"): _rule,
    ("events", "DisableRule"): _rule,
    ("events", "EnableRule"): _rule,
    ("events", "ListTargetsByRule"): _rule,
    ("events", "PutEvents"): _put_events,
    ("events", "PutRule"): _rule,
    ("events", "PutTargets"): _rule,
    ("events", "RemoveTargets"): _rule,
    ("ram", "AssociateResourceSharePermission"): _permission,
    ("ram", "DisassociateResourceSharePermission"): _permission,
    ("s3", "CopyObject"): _copy_object,
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "GetObject"): _read_object,
    ("s3", "HeadObject"): _read_object,
    ("s3", "PutObject"): _put_object,
    ("s3", "UploadPartCopy"): _copy_object,
    ("sagemaker", "CreateEndpoint"): _endpoint,
    ("sagemaker", "CreateModelPackage"): _package,
    ("sagemaker", "CreatePipeline"): _pipeline,
    ("sagemaker", "DeleteEndpoint"): _endpoint,
    ("sagemaker", "DescribeEndpoint"): _endpoint,
    ("sagemaker", "InvokeEndpoint"): _endpoint,
    ("sagemaker", "InvokeEndpointAsync"): _endpoint,
    ("sagemaker", "ListModelPackages"): _package,
    ("sagemaker", "SendPipelineExecutionStepFailure"): _callback,
    ("sagemaker", "SendPipelineExecutionStepSuccess"): _callback,
    ("sagemaker", "UpdateEndpoint"): _endpoint,
    ("sagemaker", "UpdatePipeline"): _pipeline,
    ("ssm", "DeleteParameters"): _parameters,
    ("ssm", "GetParameters"): _parameters,
}
"""(prefix, operation) -> what it needs."""
