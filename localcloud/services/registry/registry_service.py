"""SageMaker's API for the model registry."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.paging import page
from localcloud.physics.ports import EventSink
from localcloud.service import Service, operation
from localcloud.services.registry.packages import ModelPackage, ModelPackageGroup, caller

Params = Mapping[str, Any]
_EVENT = "SageMaker Model Package State Change"
_TAKEN_OVER = (
    "ModelPackageDescription",
    "InferenceSpecification",
    "SourceAlgorithmSpecification",
    "ValidationSpecification",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "AdditionalInferenceSpecifications",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
)
_REPLACED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)


class RegistryService(Service):
    """Model package groups and packages; every change of a package is told to EventBridge.

    Parameters
    ----------
    account, region
        For ARNs.
    emit
        EventBridge.
    """

    name: ClassVar[str] = "sagemaker"

    def __init__(self, account: str, region: str, emit: EventSink) -> None:
        self._prefix = f"arn:aws:sagemaker:{region}:{account}:"
        self._emit = emit
        self._lock = threading.RLock()
        self._groups: dict[str, ModelPackageGroup] = {}
        self._by_client_token: dict[str, str] = {}

    @operation("CreateModelPackageGroup")
    def create_group(self, params: Params) -> dict[str, Any]:
        """Create a group."""
        name = params["ModelPackageGroupName"]
        with self._lock:
            if name in self._groups:
                raise _invalid(f"Model Package Group already exists: {self._group_arn(name)}")
            attributes = {
                "ModelPackageGroupName": name,
                "ModelPackageGroupArn": self._group_arn(name),
                "CreationTime": datetime.now(UTC),
                "CreatedBy": caller(),
                "ModelPackageGroupStatus": "Completed",
            }
            if params.get("ModelPackageGroupDescription"):
                attributes["ModelPackageGroupDescription"] = params["ModelPackageGroupDescription"]
            self._groups[name] = ModelPackageGroup(attributes, _tags(params))
            return {"ModelPackageGroupArn": self._group_arn(name)}

    @operation("DescribeModelPackageGroup")
    def describe_group(self, params: Params) -> dict[str, Any]:
        """Describe a group."""
        return self._group(params["ModelPackageGroupName"]).attributes

    @operation("ListModelPackageGroups")
    def list_groups(self, params: Params) -> dict[str, Any]:
        """List groups."""
        groups = [g.attributes for g in self._groups.values() if params.get("NameContains", "") in g.name]
        return _listed("ModelPackageGroupSummaryList", groups, params)

    @operation("DeleteModelPackageGroup")
    def delete_group(self, params: Params) -> None:
        """Delete a group that has no versions left."""
        with self._lock:
            group = self._group(params["ModelPackageGroupName"])
            if group.versions:
                message = f"Model Package Group {group.arn} cannot be deleted: it still has model packages"
                raise AwsError("ConflictException", message)
            del self._groups[group.name]

    @operation("CreateModelPackage")
    def create_package(self, params: Params) -> dict[str, Any]:
        """Register a version of a group."""
        if "ModelPackageGroupName" not in params:
            raise NotSimulatedError("a model package without a group")
        with self._lock:
            token = params.get("ClientToken")
            if token in self._by_client_token:
                return {"ModelPackageArn": self._by_client_token[token]}
            package = self._registered(self._group(params["ModelPackageGroupName"]), params)
            if token:
                self._by_client_token[token] = package.arn
        self._tell(package)
        return {"ModelPackageArn": package.arn}

    def _registered(self, group: ModelPackageGroup, params: Params) -> ModelPackage:
        group.last_version += 1
        arn = f"{self._prefix}model-package/{group.name.lower()}/{group.last_version}"
        attributes = {
            "ModelPackageGroupName": group.name,
            "ModelPackageVersion": group.last_version,
            "ModelPackageArn": arn,
            "CreationTime": datetime.now(UTC),
            "CreatedBy": caller(),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": bool(params.get("CertifyForMarketplace", False)),
            "ModelApprovalStatus": params.get("ModelApprovalStatus", "PendingManualApproval"),
            **{name: params[name] for name in _TAKEN_OVER if name in params},
        }
        group.versions[group.last_version] = ModelPackage(attributes, _tags(params))
        return group.versions[group.last_version]

    @operation("DescribeModelPackage")
    def describe_package(self, params: Params) -> dict[str, Any]:
        """Describe a version, by ARN."""
        with self._lock:
            return dict(self._package(params["ModelPackageName"]).attributes)

    @operation("UpdateModelPackage")
    def update_package(self, params: Params) -> dict[str, Any]:
        """Change a version: its approval, and what it carries."""
        with self._lock:
            package = self._package(params["ModelPackageArn"])
            attributes = package.attributes
            attributes.update({name: params[name] for name in _REPLACED if name in params})
            metadata = {
                **attributes.get("CustomerMetadataProperties", {}),
                **params.get("CustomerMetadataProperties", {}),
            }
            for key in params.get("CustomerMetadataPropertiesToRemove", []):
                metadata.pop(key, None)
            if metadata or "CustomerMetadataProperties" in attributes:
                attributes["CustomerMetadataProperties"] = metadata
            added = params.get("AdditionalInferenceSpecificationsToAdd", [])
            if added:
                attributes.setdefault("AdditionalInferenceSpecifications", []).extend(added)
            package.touch()
        self._tell(package)
        return {"ModelPackageArn": package.arn}

    @operation("DeleteModelPackage")
    def delete_package(self, params: Params) -> None:
        """Delete a version; its number is not given again."""
        with self._lock:
            package = self._package(params["ModelPackageName"])
            group = self._group(package.attributes["ModelPackageGroupName"])
            del group.versions[package.attributes["ModelPackageVersion"]]

    @operation("ListModelPackages")
    def list_packages(self, params: Params) -> dict[str, Any]:
        """List versions, of one group or all, by approval and time."""
        with self._lock:
            groups = (
                [self._group(params["ModelPackageGroupName"])]
                if params.get("ModelPackageGroupName")
                else list(self._groups.values())
            )
            packages = [p.summary() for g in groups for p in g.versions.values() if _fits(p, params)]
        return _listed("ModelPackageSummaryList", packages, params)

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a group or version, to read or change."""
        if ":model-package-group/" in arn:
            return self._group(arn).tags
        return self._package(arn).tags

    def _tell(self, package: ModelPackage) -> None:
        with self._lock:
            detail = package.event_detail()
        self._emit("aws.sagemaker", _EVENT, detail, [package.arn])

    def _group_arn(self, name: str) -> str:
        return f"{self._prefix}model-package-group/{name}"

    def _group(self, name: str) -> ModelPackageGroup:
        short = name.rsplit("/", 1)[-1]
        found = self._groups.get(short) or next((g for g in self._groups.values() if g.name.lower() == short), None)
        if found is None:
            raise _invalid(f"ModelPackageGroup {self._group_arn(short)} does not exist.")
        return found

    def _package(self, name: str) -> ModelPackage:
        group_name, _, version = name.rsplit("model-package/", 1)[-1].rpartition("/")
        group = next((g for g in self._groups.values() if g.name.lower() == group_name.lower()), None)
        package = group.versions.get(int(version)) if group is not None and version.isdigit() else None
        if package is None:
            raise _invalid(f"ModelPackage {name} does not exist.")
        return package


class RegistryTags(Service):
    """SageMaker's tag operations for the registry's resources, and for whoever keeps the others.

    Parameters
    ----------
    registry
        Keeps groups and versions.
    others
        The tag operations for everything else in SageMaker.
    """

    name: ClassVar[str] = "sagemaker"

    def __init__(self, registry: RegistryService, others: Mapping[str, Callable[[Params], Any]]) -> None:
        self._registry = registry
        self._others = others

    @operation("AddTags")
    def add_tags(self, params: Params) -> dict[str, Any]:
        """Add or replace tags."""
        if not _is_ours(params):
            return dict(self._others["AddTags"](params) or {})
        tags = self._registry.tags(params["ResourceArn"])
        tags.update(_tags(params))
        return {"Tags": _tag_list(tags)}

    @operation("ListTags")
    def list_tags(self, params: Params) -> dict[str, Any]:
        """List tags."""
        if not _is_ours(params):
            return dict(self._others["ListTags"](params) or {})
        return {"Tags": _tag_list(self._registry.tags(params["ResourceArn"]))}

    @operation("DeleteTags")
    def delete_tags(self, params: Params) -> dict[str, Any]:
        """Remove tags."""
        if not _is_ours(params):
            return dict(self._others["DeleteTags"](params) or {})
        for key in params["TagKeys"]:
            self._registry.tags(params["ResourceArn"]).pop(key, None)
        return {}


def _is_ours(params: Params) -> bool:
    return ":model-package" in params["ResourceArn"]


def _tags(params: Params) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _fits(package: ModelPackage, params: Params) -> bool:
    attributes = package.attributes
    status = params.get("ModelApprovalStatus")
    created = attributes["CreationTime"]
    return (
        status in (None, attributes["ModelApprovalStatus"])
        and params.get("NameContains", "") in attributes["ModelPackageGroupName"]
        and not (params.get("CreationTimeAfter") and created <= params["CreationTimeAfter"])
        and not (params.get("CreationTimeBefore") and created >= params["CreationTimeBefore"])
    )


def _listed(key: str, items: list[dict[str, Any]], params: Params) -> dict[str, Any]:
    by_name = params.get("SortBy") == "Name"
    items.sort(
        key=lambda item: item["ModelPackageGroupName"] if by_name else item["CreationTime"],
        reverse=params.get("SortOrder") == "Descending",
    )
    found, token = page(items, params.get("NextToken"), params.get("MaxResults", 100))
    return {key: found, "NextToken": token} if token else {key: found}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
