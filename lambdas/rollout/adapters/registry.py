"""The SageMaker model registry."""

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.contract import PACKAGE_APPROVED, PACKAGE_VERSION_KEY
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import MissingError
from lambdas.rollout.ports import Package

_PAGES = 5
_PAGE = 100


class SageMakerRegistry:
    """Implements `lambdas.rollout.ports.Registry`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")

    def describe(self, arn: str) -> Package | None:
        """Return a package, or None when there is none."""
        try:
            with translated():
                found = self._client().describe_model_package(ModelPackageName=arn)
        except MissingError:
            return None
        return Package(
            arn=found["ModelPackageArn"],
            group=found.get("ModelPackageGroupName", ""),
            approval=found.get("ModelApprovalStatus", ""),
            status=found["ModelPackageStatus"],
            modified_at=(found.get("LastModifiedTime") or found["CreationTime"]).timestamp(),
            version=_version(found),
            containers=found.get("InferenceSpecification", {}).get("Containers", []),
            metadata=found.get("CustomerMetadataProperties", {}),
        )

    def approved(self, group: str) -> list[str]:
        """Return the ARNs of a group's approved packages, the newest first."""
        arns: list[str] = []
        request = {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": PACKAGE_APPROVED,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": _PAGE,
        }
        for _ in range(_PAGES):
            with translated():
                page = self._client().list_model_packages(**request)
            arns += [each["ModelPackageArn"] for each in page["ModelPackageSummaryList"]]
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
        return arns

    def delete_all(self, group: str, has_time: Callable[[], bool]) -> bool:
        """Delete a group's packages and return whether none is left; a group that does not exist has none."""
        while has_time():
            try:
                with translated():
                    page = self._client().list_model_packages(ModelPackageGroupName=group, MaxResults=_PAGE)
            except MissingError:
                return True
            if not page["ModelPackageSummaryList"]:
                return True
            for each in page["ModelPackageSummaryList"]:
                with translated():
                    self._client().delete_model_package(ModelPackageName=each["ModelPackageArn"])
        return False


def _version(found: Mapping[str, Any]) -> str:
    named = found.get("CustomerMetadataProperties", {}).get(PACKAGE_VERSION_KEY)
    return str(named or f"version {found.get('ModelPackageVersion', '?')}")
