"""Models that are live, and versions in the SageMaker model registry."""

from collections.abc import Mapping
from typing import Any

from lambdas.contract import PACKAGE_APPROVED, PACKAGE_PENDING, PACKAGE_RUN_KEY
from lambdas.retraining.ports import Model
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Champion
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import ForeignError, PermanentError

BASELINE_NAME = "baseline.json"
_LONGEST_REASON = 1024


class SageMakerModels:
    """Implements `lambdas.retraining.ports.Models`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")

    def of(self, champion: Champion, settings: Settings) -> Model:
        """Return the model of the live version: what its variant runs, whether or not that is in the registry."""
        container = self._container(champion)
        uri = str(container.get("ModelDataUrl") or _source(container))
        if not uri:
            raise PermanentError(
                f"the model of {champion.version} in {champion.config} has no artefact in S3; only such are retrained"
            )
        return Model(uri, self._baseline(champion, settings) or _beside(uri), container)

    def approve(self, arn: str, run: str, reason: str) -> str:
        """Approve a version that waits for approval; return the status that it has if it does not wait."""
        with translated():
            found = self._client().describe_model_package(ModelPackageName=arn)
        status = str(found.get("ModelApprovalStatus", ""))
        if status == PACKAGE_APPROVED and found.get("ApprovalDescription") == reason[:_LONGEST_REASON]:
            return ""  # an earlier try of ours, of which we did not hear
        if status != PACKAGE_PENDING:
            return status
        made_by = (found.get("CustomerMetadataProperties") or {}).get(PACKAGE_RUN_KEY)
        if made_by != run:
            raise ForeignError(
                f"{arn} was not registered by {run}: its metadata name {made_by or 'no run'} ({PACKAGE_RUN_KEY})"
            )
        with translated():
            self._client().update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus=PACKAGE_APPROVED, ApprovalDescription=reason[:_LONGEST_REASON]
            )
        return ""

    def _container(self, champion: Champion) -> dict[str, Any]:
        with translated():
            config = self._client().describe_endpoint_config(EndpointConfigName=champion.config)
        variants = {each["VariantName"]: each for each in config["ProductionVariants"]}
        if champion.slot not in variants:
            raise PermanentError(f"{champion.config} has no variant {champion.slot}, only {sorted(variants)}")
        with translated():
            model = self._client().describe_model(ModelName=variants[champion.slot]["ModelName"])
        return dict(model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0])

    def _baseline(self, champion: Champion, settings: Settings) -> str:
        if champion.package_arn is None:
            return settings.bootstrap.baseline or ""
        with translated():
            package = self._client().describe_model_package(ModelPackageName=champion.package_arn)
        return baseline_of(package)


def baseline_of(package: Mapping[str, Any]) -> str:
    """Return where a package says that its baseline lies; empty when it does not."""
    quality = (package.get("DriftCheckBaselines") or {}).get("ModelDataQuality") or {}
    return str((quality.get("Statistics") or {}).get("S3Uri") or "")


def _source(container: Mapping[str, Any]) -> str:
    return str(((container.get("ModelDataSource") or {}).get("S3DataSource") or {}).get("S3Uri") or "")


def _beside(uri: str) -> str:
    return f"{uri.rpartition('/')[0]}/{BASELINE_NAME}"
