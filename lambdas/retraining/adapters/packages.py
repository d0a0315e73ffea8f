"""Versions in the SageMaker model registry, and the key that they are signed with."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdas import signing
from lambdas.contract import PACKAGE_RUN_KEY, PACKAGE_VERSION_KEY
from lambdas.retraining.adapters.clients import lazy
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_PAGE = 100
_LATELY = 20


class SageMakerPackages:
    """Implements `lambdas.retraining.concluding.Packages`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("sagemaker")

    def versions(self, group: str) -> list[str]:
        """Return the names of every registered version."""
        return [str(_metadata(each).get(PACKAGE_VERSION_KEY, "")) for each in self._all(group, None)]

    def of_run(self, group: str, run: str) -> str | None:
        """Return the package (ARN) that a run has registered lately; None when there is none."""
        found = (each for each in self._all(group, _LATELY) if _metadata(each).get(PACKAGE_RUN_KEY) == run)
        return next((str(each["ModelPackageArn"]) for each in found), None)

    def create(self, request: Mapping[str, Any]) -> str:
        """Register a version, or return the one that was registered with this token."""
        with translated():
            return str(self._client().create_model_package(**request)["ModelPackageArn"])

    def _all(self, group: str, most: int | None) -> Iterator[dict[str, Any]]:
        """Yield descriptions of a group's packages, the newest first."""
        request: dict[str, Any] = {
            "ModelPackageGroupName": group,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": most or _PAGE,
        }
        while True:
            with translated():
                page = self._client().list_model_packages(**request)
            for each in page["ModelPackageSummaryList"]:
                with translated():
                    yield self._client().describe_model_package(ModelPackageName=each["ModelPackageArn"])
            if most is not None or not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]


class KmsSigner:
    """Implements `lambdas.retraining.concluding.Signer`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("kms")

    def sign(self, key: str, message: bytes) -> bytes:
        """Return the signature of a message."""
        with translated():
            answer = self._client().sign(
                KeyId=key, Message=message, MessageType=signing.MESSAGE_TYPE, SigningAlgorithm=signing.ALGORITHM
            )
        return bytes(answer["Signature"])


def _metadata(package: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = package.get("CustomerMetadataProperties") or {}
    return found
