"""Lifecycle rules of a bucket, from the template's form to the API's."""

from collections.abc import Mapping
from typing import Any

from localcloud.deploy.resources.shape import only, renamed, same

_RULE = {
    "Id": "ID",
    **same("Status", "Prefix", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"),
    **same("NoncurrentVersionExpirationInDays", "ExpirationInDays", "ExpirationDate", "ExpiredObjectDeleteMarker"),
    **same("Transitions", "NoncurrentVersionTransitions", "TagFilters"),
    **same("ObjectSizeGreaterThan", "ObjectSizeLessThan"),
}
_AGE = {"TransitionInDays": "NoncurrentDays", **same("StorageClass", "NewerNoncurrentVersions")}
_TRANSITION = {"TransitionInDays": "Days", "TransitionDate": "Date", **same("StorageClass")}
_EXPIRATION = {
    "ExpirationInDays": "Days",
    "ExpirationDate": "Date",
    "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
}


def lifecycle(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``LifecycleConfiguration`` as ``PutBucketLifecycleConfiguration`` takes it."""
    return {"Rules": [_rule(rule) for rule in value["Rules"]]}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    given = renamed(rule, "LifecycleConfiguration.Rules", _RULE)
    made: dict[str, Any] = only(given, "ID", "Status", "AbortIncompleteMultipartUpload")
    made["Filter"] = _filter(given)
    expiration = {name: given[key] for key, name in _EXPIRATION.items() if key in given}
    if expiration:
        made["Expiration"] = expiration
    noncurrent = _noncurrent_expiration(given)
    if noncurrent:
        made["NoncurrentVersionExpiration"] = noncurrent
    for key, names in (("Transitions", _TRANSITION), ("NoncurrentVersionTransitions", _AGE)):
        if key in given:
            made[key] = [renamed(transition, f"LifecycleConfiguration.Rules.{key}", names) for transition in given[key]]
    return made


def _noncurrent_expiration(given: Mapping[str, Any]) -> dict[str, Any]:
    if "NoncurrentVersionExpirationInDays" in given:
        return {"NoncurrentDays": given["NoncurrentVersionExpirationInDays"]}
    return dict(given.get("NoncurrentVersionExpiration", {}))


def _filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule's filter; several criteria must be joined by ``And``."""
    criteria = {key: given[key] for key in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in given}
    tags = given.get("TagFilters", [])
    if not tags and len(criteria) <= 1:
        return criteria or {"Prefix": ""}
    if len(tags) == 1 and not criteria:
        return {"Tag": tags[0]}
    return {"And": {**criteria, **({"Tags": tags} if tags else {})}}
