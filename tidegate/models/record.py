"""A registered version with everything that the registry says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lambdas import contract
from tidegate import registry
from tidegate.aws import Aws
from tidegate.errors import UsageError
from tidegate.registry import Package

ARCHIVED = "Archived"


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from; what is not known is empty.

    Parameters
    ----------
    champion
        Version that it was compared with, and beat.
    run
        Retraining run that registered it.
    data
        S3 URI of the list of data that it was trained on.
    commit
        Of the code that trained it.
    execution
        ARN of the pipeline execution.
    """

    champion: str = ""
    run: str = ""
    data: str = ""
    commit: str = ""
    execution: str = ""


@dataclass(frozen=True)
class Record:
    """One registered version.

    Parameters
    ----------
    package
        As it is listed.
    container
        What it runs in: image, artefact and variables.
    stage, stage_description
        Of its life cycle; empty where nobody has set any.
    approval_reason
        Why it was approved or rejected.
    created_by, modified_by
        Names of the identities that registered it, and changed it last.
    modified_at
        When it was changed last; None when it never was.
    metadata
        Its CustomerMetadataProperties.
    lineage
        Where it comes from.
    quality_uri, baseline_uri
        S3 URIs of what was measured of it, and of the counts of its training data; empty where it names none.
    card
        Its model card's content.
    """

    package: Package
    container: Mapping[str, Any] = field(default_factory=dict)
    stage: str = ""
    stage_description: str = ""
    approval_reason: str = ""
    created_by: str = ""
    modified_by: str = ""
    modified_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    lineage: Lineage = Lineage()
    quality_uri: str = ""
    baseline_uri: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.package.version

    @property
    def archived(self) -> bool:
        """Whether it has been let go; one that was approved again since has not."""
        return self.stage == ARCHIVED and self.package.approval == contract.PACKAGE_REJECTED

    @property
    def pinned(self) -> str:
        """Who wants it kept, and why; empty when nobody does."""
        return self.metadata.get(contract.PACKAGE_PINNED_KEY, "")

    def beside(self, name: str) -> str:
        """Return the S3 URI of a file in its artefact's folder; empty where it has no artefact."""
        folder, slash, _ = self.package.model_data.rpartition("/")
        return f"{folder}/{name}" if slash else ""


def records(aws: Aws, group: str) -> list[Record]:
    """Return every registered version of the group, oldest first."""
    found = [describe(aws, arn) for arn in registry.arns(aws, group)]
    return sorted(found, key=lambda record: record.package.number)


def find(known: list[Record], group: str, version: str, hint: str) -> Record:
    """Return the newest record of that version; `hint` says how to list them."""
    for record in reversed(known):
        if record.version == version:
            return record
    versions = ", ".join(record.version for record in known) or "none"
    raise UsageError(f"{group} has no version {version!r}; registered: {versions}", hint)


def describe(aws: Aws, arn: str) -> Record:
    """Return the version of that package."""
    return read(aws.sagemaker.describe_model_package(ModelPackageName=arn))


def read(answer: Any) -> Record:
    """Return what DescribeModelPackage answered as a record."""
    metadata, cycle = answer.get("CustomerMetadataProperties", {}), answer.get("ModelLifeCycle", {})
    metrics, checks = answer.get("ModelMetrics", {}), answer.get("DriftCheckBaselines", {})
    return Record(
        package=registry.read_package(answer),
        container=answer["InferenceSpecification"]["Containers"][0],
        stage=cycle.get("Stage", ""),
        stage_description=cycle.get("StageDescription", ""),
        approval_reason=answer.get("ApprovalDescription", ""),
        created_by=_name(answer.get("CreatedBy", {})),
        modified_by=_name(answer.get("LastModifiedBy", {})),
        modified_at=answer.get("LastModifiedTime"),
        metadata=metadata,
        lineage=_lineage(metadata, answer.get("MetadataProperties", {})),
        quality_uri=_statistics(metrics.get("ModelQuality", {})),
        baseline_uri=_statistics(checks.get("ModelDataQuality", {})),
        card=_card(answer.get("ModelCard", {}).get("ModelCardContent", "")),
    )


def _lineage(metadata: Mapping[str, str], properties: Mapping[str, str]) -> Lineage:
    return Lineage(
        champion=metadata.get(contract.PACKAGE_PARENT_KEY, ""),
        run=metadata.get(contract.PACKAGE_RUN_KEY, ""),
        data=metadata.get(contract.PACKAGE_DATA_KEY, ""),
        commit=metadata.get(contract.PACKAGE_COMMIT_KEY) or properties.get("CommitId", ""),
        execution=properties.get("GeneratedBy", ""),
    )


def _statistics(part: Mapping[str, Any]) -> str:
    return str(part.get("Statistics", {}).get("S3Uri", ""))


def _name(who: Mapping[str, Any]) -> str:
    """Return the last part of an identity's ARN, as SageMaker gives it; Studio's users have a name of their own."""
    arn = str(who.get("IamIdentity", {}).get("Arn", ""))
    return str(who.get("UserProfileName") or arn.rpartition("/")[2].rpartition(":")[2])


def _card(content: str) -> Mapping[str, Any]:
    try:
        found = json.loads(content or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
