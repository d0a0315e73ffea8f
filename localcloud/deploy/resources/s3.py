"""AWS::S3: buckets and their policies."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from localcloud.deploy.errors import UnsupportedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.s3_lifecycle import lifecycle
from localcloud.deploy.resources.shape import renamed, same
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_list, tag_map

_CANNED = {
    "Private": "private",
    "PublicRead": "public-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerFullControl": "bucket-owner-full-control",
}


@dataclass(frozen=True)
class _Aspect:
    """A property that an operation of its own sets, and another (or the same, with `nothing`) takes away."""

    operation: str
    parameters: Callable[[str, Any], dict[str, Any]]
    removal: str
    nothing: dict[str, Any]


def _encryption(_bucket: str, value: Any) -> dict[str, Any]:
    where = "BucketEncryption.ServerSideEncryptionConfiguration"
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault", **same("BucketKeyEnabled")}
    rules = [renamed(rule, where, names) for rule in value["ServerSideEncryptionConfiguration"]]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _notification(_bucket: str, value: Any) -> dict[str, Any]:
    bridge = renamed(value, "NotificationConfiguration", same("EventBridgeConfiguration"))["EventBridgeConfiguration"]
    enabled = str(bridge.get("EventBridgeEnabled", True)).lower() == "true"
    return {"NotificationConfiguration": {"EventBridgeConfiguration": {}} if enabled else {}}


def _as(member: str) -> Callable[[str, Any], dict[str, Any]]:
    return lambda _bucket, value: {member: value}


_ASPECTS: dict[str, _Aspect] = {
    "OwnershipControls": _Aspect(
        "PutBucketOwnershipControls", _as("OwnershipControls"), "DeleteBucketOwnershipControls", {}
    ),
    "PublicAccessBlockConfiguration": _Aspect(
        "PutPublicAccessBlock", _as("PublicAccessBlockConfiguration"), "DeletePublicAccessBlock", {}
    ),
    "BucketEncryption": _Aspect("PutBucketEncryption", _encryption, "DeleteBucketEncryption", {}),
    "VersioningConfiguration": _Aspect(
        "PutBucketVersioning",
        _as("VersioningConfiguration"),
        "PutBucketVersioning",
        {"VersioningConfiguration": {"Status": "Suspended"}},
    ),
    "LifecycleConfiguration": _Aspect(
        "PutBucketLifecycleConfiguration",
        lambda _bucket, value: {"LifecycleConfiguration": lifecycle(value)},
        "DeleteBucketLifecycle",
        {},
    ),
    "NotificationConfiguration": _Aspect(
        "PutBucketNotificationConfiguration",
        _notification,
        "PutBucketNotificationConfiguration",
        {"NotificationConfiguration": {}},
    ),
    "Tags": _Aspect(
        "PutBucketTagging",
        lambda _bucket, value: {"Tagging": {"TagSet": tag_list(tag_map(value))}},
        "DeleteBucketTagging",
        {},
    ),
}


class Bucket(ResourceType):
    """A bucket; each property beside its name is set by an operation of its own."""

    name: ClassVar[str] = "AWS::S3::Bucket"
    handled: ClassVar[frozenset[str]] = frozenset({"BucketName", "AccessControl", *_ASPECTS})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"BucketName"})
    name_property: ClassVar[str | None] = "BucketName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "DomainName", "RegionalDomainName"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the bucket, then give it its properties."""
        bucket = desired.get("BucketName") or scope.name(63, lower=True)
        region = scope.access.region
        place = None if region == "us-east-1" else {"LocationConstraint": region}
        scope.call("s3", "CreateBucket", Bucket=bucket, CreateBucketConfiguration=place, ACL=_acl(desired))
        made = scope.note(
            bucket,
            Arn=f"arn:{scope.access.partition}:s3:::{bucket}",
            DomainName=f"{bucket}.s3.{scope.access.url_suffix}",
            RegionalDomainName=f"{bucket}.s3.{region}.{scope.access.url_suffix}",
        )
        _set_aspects(scope, bucket, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the properties that differ, take away those that are gone."""
        if old.get("AccessControl") != new.get("AccessControl"):
            scope.call("s3", "PutBucketAcl", Bucket=made.physical_id, ACL=_acl(new) or "private")
        _set_aspects(scope, made.physical_id, old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the bucket, which must be empty."""
        with ignoring("NoSuchBucket"):
            scope.call("s3", "DeleteBucket", Bucket=made.physical_id)


def _acl(properties: Properties) -> str | None:
    wanted = properties.get("AccessControl")
    if wanted is not None and wanted not in _CANNED:
        raise UnsupportedError(f"AccessControl {wanted} is not handled; handled are {sorted(_CANNED)}")
    return _CANNED[wanted] if wanted else None


def _set_aspects(scope: Scope, bucket: str, old: Properties, new: Properties) -> None:
    for name, aspect in _ASPECTS.items():
        if old.get(name) == new.get(name):
            continue
        if name in new:
            scope.call("s3", aspect.operation, Bucket=bucket, **aspect.parameters(bucket, new[name]))
        else:
            scope.call("s3", aspect.removal, Bucket=bucket, **aspect.nothing)


class BucketPolicy(ResourceType):
    """The one policy of a bucket."""

    name: ClassVar[str] = "AWS::S3::BucketPolicy"
    handled: ClassVar[frozenset[str]] = frozenset({"Bucket", "PolicyDocument"})
    required: ClassVar[frozenset[str]] = handled
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Bucket"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the policy."""
        policy = json.dumps(desired["PolicyDocument"])
        scope.call("s3", "PutBucketPolicy", Bucket=desired["Bucket"], Policy=policy)
        return scope.note(desired["Bucket"])

    def update(self, scope: Scope, _made: Made, _old: Properties, new: Properties) -> Made:
        """Put the policy again."""
        return self.create(scope, new)

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the policy."""
        with ignoring("NoSuchBucket", "NoSuchBucketPolicy"):
            scope.call("s3", "DeleteBucketPolicy", Bucket=made.physical_id)
