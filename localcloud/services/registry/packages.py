"""Model packages and their groups, as records."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.credentials import current_principal

_EPOCH_FIELDS = ("CreationTime", "LastModifiedTime")
_IN_EVENTS = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ModelMetrics",
    "LastModifiedTime",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "ModelLifeCycle",
    "ApprovalDescription",
)
_IN_SUMMARIES = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
)


@dataclass
class ModelPackage:
    """One version: what DescribeModelPackage answers, and its tags."""

    attributes: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Return the version's ARN."""
        return str(self.attributes["ModelPackageArn"])

    def touch(self) -> None:
        """Mark a modification."""
        self.attributes["LastModifiedTime"] = datetime.now(UTC)
        self.attributes["LastModifiedBy"] = caller()

    def summary(self) -> dict[str, Any]:
        """Return what ListModelPackages answers."""
        return {name: self.attributes[name] for name in _IN_SUMMARIES if name in self.attributes}

    def event_detail(self) -> dict[str, Any]:
        """Return the detail of its state change event, in which times are ISO text."""
        detail = {name: self.attributes[name] for name in _IN_EVENTS if name in self.attributes}
        for name in _EPOCH_FIELDS:
            if name in detail:
                detail[name] = detail[name].strftime("%Y-%m-%dT%H:%M:%SZ")
        return detail


@dataclass
class ModelPackageGroup:
    """A named series of versions."""

    attributes: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[int, ModelPackage] = field(default_factory=dict)
    last_version: int = 0

    @property
    def name(self) -> str:
        """Return the group's name."""
        return str(self.attributes["ModelPackageGroupName"])

    @property
    def arn(self) -> str:
        """Return the group's ARN."""
        return str(self.attributes["ModelPackageGroupArn"])


def caller() -> dict[str, Any]:
    """Return who makes the request, as SageMaker records it."""
    principal = current_principal.get(None)
    return {"IamIdentity": {"Arn": principal.arn, "PrincipalId": principal.user_id}} if principal else {}
