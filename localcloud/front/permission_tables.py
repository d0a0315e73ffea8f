"""Permissions of every operation that roles may call here."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from localcloud.front.api_gateway_permissions import API_GATEWAY
from localcloud.front.appconfig_permissions import APPCONFIG
from localcloud.front.dynamodb_permissions import DYNAMODB
from localcloud.front.glue_permissions import GLUE
from localcloud.front.kinesis_permissions import KINESIS
from localcloud.front.lambda_permissions import LAMBDA
from localcloud.front.permissions import Need, Params, Rule, Scope, Table, anywhere, nothing, on
from localcloud.front.sagemaker_permissions import CLOUDWATCH, SAGEMAKER, SCALING
from localcloud.front.states_permissions import STATES


def _queue(action: str) -> Rule:
    return on(f"sqs:{action}", lambda params, scope: scope.arn("sqs", str(params["QueueUrl"]).rsplit("/", 1)[-1]))


def _topic(params: Params, scope: Scope) -> list[Need]:
    return [Need("sns:Publish", params.get("TopicArn") or params.get("TargetArn") or scope.arn("sns", "*"))]


def _parameter(name: str, scope: Scope) -> str:
    return name if name.startswith("arn:") else scope.arn("ssm", f"parameter/{name.lstrip('/')}")


def _parameters(params: Params, scope: Scope) -> list[Need]:
    return [Need("ssm:GetParameters", _parameter(name, scope)) for name in params["Names"]]


def _log_stream(operation: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        stream = params.get("logStreamName", "")
        return [Need(f"logs:{operation}", scope.arn("logs", f"log-group:{params['logGroupName']}:log-stream:{stream}"))]

    return needs


def _key(operation: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        context: dict[str, str | list[str]] = {}
        if params.get("SigningAlgorithm"):
            context["kms:signingalgorithm"] = str(params["SigningAlgorithm"])
            context["kms:messagetype"] = str(params.get("MessageType") or "RAW")
        return [Need(f"kms:{operation}", _key_arn(str(params["KeyId"]), scope), context)]

    return needs


def _key_arn(key: str, scope: Scope) -> str:
    """Return the ARN of a key, or of an alias of which the authorizer finds the key."""
    if key.startswith("arn:"):
        return key
    return scope.arn("kms", key if key.startswith("alias/") else f"key/{key}")


def _events(params: Params, scope: Scope) -> list[Need]:
    return [_event(entry, scope) for entry in params["Entries"]]


def _event(entry: Mapping[str, Any], scope: Scope) -> Need:
    bus = str(entry.get("EventBusName", "default"))
    arn = bus if bus.startswith("arn:") else scope.arn("events", f"event-bus/{bus}")
    context: dict[str, str | list[str]] = {"events:source": str(entry.get("Source", ""))}
    return Need("events:PutEvents", arn, {**context, "events:detail-type": str(entry.get("DetailType", ""))})


def _object(action: str) -> Rule:
    return on(f"s3:{action}", lambda params, _scope: f"arn:aws:s3:::{params['Bucket']}/{params['Key']}")


def _version(action: str) -> Rule:
    """Return the rule of an action on objects that has another name when a version is given."""

    def needs(params: Params, _scope: Scope) -> list[Need]:
        suffix = "Version" if params.get("VersionId") else ""
        return [Need(f"s3:{action}{suffix}", f"arn:aws:s3:::{params['Bucket']}/{params['Key']}")]

    return needs


def _delete_objects(params: Params, _scope: Scope) -> list[Need]:
    bucket = params["Bucket"]
    return [
        Need("s3:DeleteObject" + ("Version" if item.get("VersionId") else ""), f"arn:aws:s3:::{bucket}/{item['Key']}")
        for item in params["Delete"]["Objects"]
    ]


def _put_object(params: Params, scope: Scope) -> list[Need]:
    """Return the permission to write an object, and to use the key that the request itself names for it."""
    found = _object("PutObject")(params, scope)
    key = params.get("SSEKMSKeyId")
    if not key:
        return found
    via: dict[str, str | list[str]] = {"kms:viaservice": f"s3.{scope.region}.amazonaws.com"}
    return [*found, Need("kms:GenerateDataKey", _key_arn(str(key), scope), {**via, "kms:calleraccount": scope.account})]


def _copy(params: Params, scope: Scope) -> list[Need]:
    """Return the permissions to read what is copied and to write the copy."""
    source, _, version = unquote(str(params["CopySource"])).lstrip("/").partition("?versionId=")
    return [
        Need("s3:GetObject" + ("Version" if version else ""), f"arn:aws:s3:::{source}"),
        *_put_object(params, scope),
    ]


def _bucket(action: str) -> Rule:
    def needs(params: Params, _scope: Scope) -> list[Need]:
        return [
            Need(f"s3:{action}", f"arn:aws:s3:::{params['Bucket']}", {"s3:prefix": str(params.get("Prefix") or "")})
        ]

    return needs


_S3: Table = {
    "s3:GetObject": _version("GetObject"),
    "s3:HeadObject": _version("GetObject"),
    "s3:PutObject": _put_object,
    "s3:CopyObject": _copy,
    "s3:CreateMultipartUpload": _put_object,
    "s3:UploadPart": _object("PutObject"),
    "s3:CompleteMultipartUpload": _object("PutObject"),
    "s3:AbortMultipartUpload": _object("AbortMultipartUpload"),
    "s3:DeleteObject": _version("DeleteObject"),
    "s3:DeleteObjects": _delete_objects,
    "s3:ListObjects": _bucket("ListBucket"),
    "s3:ListObjectsV2": _bucket("ListBucket"),
    "s3:HeadBucket": _bucket("ListBucket"),
    "s3:ListObjectVersions": _bucket("ListBucketVersions"),
    "s3:GetBucketLocation": _bucket("GetBucketLocation"),
    "s3:GetBucketVersioning": _bucket("GetBucketVersioning"),
    "s3:ListMultipartUploads": _bucket("ListBucketMultipartUploads"),
}

_SQS: Table = {
    **{
        f"sqs:{name}": _queue(name)
        for name in (
            "SendMessage",
            "ReceiveMessage",
            "DeleteMessage",
            "ChangeMessageVisibility",
            "GetQueueAttributes",
            "PurgeQueue",
        )
    },
    "sqs:SendMessageBatch": _queue("SendMessage"),
    "sqs:DeleteMessageBatch": _queue("DeleteMessage"),
    "sqs:ChangeMessageVisibilityBatch": _queue("ChangeMessageVisibility"),
    "sqs:GetQueueUrl": on("sqs:GetQueueUrl", lambda params, scope: scope.arn("sqs", params["QueueName"])),
}

_KEY_OPERATIONS = ("Decrypt", "Encrypt", "GenerateDataKey", "DescribeKey", "Sign", "Verify", "GetPublicKey")

_REST: Table = {
    "sns:Publish": _topic,
    "sns:PublishBatch": _topic,
    "ssm:GetParameter": on("ssm:GetParameter", lambda params, scope: _parameter(params["Name"], scope)),
    "ssm:PutParameter": on("ssm:PutParameter", lambda params, scope: _parameter(params["Name"], scope)),
    "ssm:GetParametersByPath": on("ssm:GetParametersByPath", lambda params, scope: _parameter(params["Path"], scope)),
    "ssm:GetParameters": _parameters,
    "logs:CreateLogGroup": _log_stream("CreateLogGroup"),
    "logs:CreateLogStream": _log_stream("CreateLogStream"),
    "logs:PutLogEvents": _log_stream("PutLogEvents"),
    "logs:GetLogEvents": _log_stream("GetLogEvents"),
    "logs:FilterLogEvents": _log_stream("FilterLogEvents"),
    "logs:DescribeLogStreams": _log_stream("DescribeLogStreams"),
    "logs:DescribeLogGroups": anywhere("logs:DescribeLogGroups"),
    **{f"kms:{name}": _key(name) for name in _KEY_OPERATIONS},
    "events:PutEvents": _events,
    "sts:GetCallerIdentity": nothing,
    "sts:AssumeRole": on("sts:AssumeRole", lambda params, _scope: str(params["RoleArn"])),
}


def _stream(action: str) -> Rule:
    return on(
        f"firehose:{action}",
        lambda params, scope: scope.arn("firehose", f"deliverystream/{params['DeliveryStreamName']}"),
    )


_FIREHOSE: Table = {
    f"firehose:{name}": _stream(name) for name in ("PutRecord", "PutRecordBatch", "DescribeDeliveryStream")
}


def _stack(params: Params, scope: Scope) -> list[Need]:
    """Return the permission for one stack by name or id, or for all of them."""
    name = str(params.get("StackName") or "*")
    arn = name if name.startswith("arn:") else scope.arn("cloudformation", f"stack/{name}/*")
    return [Need("cloudformation:DescribeStacks", arn)]


_STACKS: Table = {"cloudformation:DescribeStacks": _stack}

TABLES: Table = {
    **_S3,
    **DYNAMODB,
    **_SQS,
    **_REST,
    **LAMBDA,
    **_FIREHOSE,
    **SAGEMAKER,
    **CLOUDWATCH,
    **SCALING,
    **STATES,
    **_STACKS,
    **KINESIS,
    **GLUE,
    **APPCONFIG,
    **API_GATEWAY,
}
