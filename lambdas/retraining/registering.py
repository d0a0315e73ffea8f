"""The request that registers a challenger: metadata, metrics, lineage and model card. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas import contract
from lambdas.retraining.verdicts import METRICS, Checks, Evaluation

INPUT_TYPES = ["text/csv", "application/json", "application/x-npy"]
OUTPUT_TYPES = ["application/json"]
_JSON = "application/json"
_LONGEST_VALUE, _LONGEST_DESCRIPTION = 256, 1024


@dataclass(frozen=True)
class Registration:
    """A challenger that is to be registered.

    Parameters
    ----------
    endpoint, version, run, reason
        What it is for, what it is called, and which run made it, why.
    champion, champion_uri
        What it was compared with.
    folder
        S3 URI of the folder that its files lie in, without a slash at the end.
    sha256
        Digest of its artefact.
    container
        The live model's container.
    execution, commit, manifest
        The pipeline execution, the commit of the code, and the list of captures that it was trained on.
    signature
        What its metadata say of its signature.
    """

    endpoint: str
    version: str
    run: str
    reason: str
    champion: str
    champion_uri: str
    folder: str
    sha256: str
    container: Mapping[str, Any]
    execution: str
    commit: str
    manifest: str
    signature: Mapping[str, str]

    @property
    def artefact(self) -> str:
        """S3 URI of its archive."""
        return f"{self.folder}/model.tar.gz"


def request(registration: Registration, evaluation: Evaluation, checks: Checks, *, baseline: bool) -> dict[str, Any]:
    """Return CreateModelPackage's request; `baseline` says whether there is a baseline.json."""
    quality = _source(registration, "baseline.json") if baseline else None
    metrics: dict[str, Any] = {
        "ModelQuality": {"Statistics": _source(registration, "evaluation.json")},
        "Bias": {"Report": _source(registration, "checks.json")},
    }
    wanted: dict[str, Any] = {
        "ModelPackageGroupName": registration.endpoint,
        "ModelPackageDescription": _description(registration, evaluation),
        "ModelApprovalStatus": contract.PACKAGE_PENDING,
        "ClientToken": registration.run,
        "InferenceSpecification": {
            "Containers": [{**_container(registration.container), "ModelDataUrl": registration.artefact}],
            "SupportedContentTypes": INPUT_TYPES,
            "SupportedResponseMIMETypes": OUTPUT_TYPES,
        },
        "ModelMetrics": metrics,
        "MetadataProperties": _lineage(registration),
        "CustomerMetadataProperties": _metadata(registration),
        "ModelCard": {
            "ModelCardContent": json.dumps(card(registration, evaluation, checks)),
            "ModelCardStatus": "PendingReview",
        },
    }
    if quality is not None:
        metrics["ModelDataQuality"] = {"Statistics": quality}
        wanted["DriftCheckBaselines"] = {"ModelDataQuality": {"Statistics": quality}}
    return wanted


def _container(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a challenger takes over of the live model's container: nothing that is about that model alone."""
    variables = {
        name: value
        for name, value in (live.get("Environment") or {}).items()
        if name not in contract.MODEL_VARIABLES and not name.startswith(contract.CAPTURE_VARIABLES)
    }
    kept = {"Image": live.get("Image"), "Environment": variables}
    return {name: value for name, value in kept.items() if value}


def _description(registration: Registration, evaluation: Evaluation) -> str:
    text = (
        f"{registration.endpoint} {registration.version}, retrained by {registration.run}: accuracy "
        f"{evaluation.gain:+.2%} against {registration.champion}. {registration.reason}"
    )
    return text[:_LONGEST_DESCRIPTION]


def _lineage(registration: Registration) -> dict[str, str]:
    found = {"CommitId": registration.commit, "GeneratedBy": registration.execution}
    return {name: value for name, value in found.items() if value}


def _metadata(registration: Registration) -> dict[str, str]:
    found = {
        contract.PACKAGE_VERSION_KEY: registration.version,
        contract.PACKAGE_DIGEST_KEY: registration.sha256,
        contract.PACKAGE_PARENT_KEY: registration.champion,
        contract.PACKAGE_RUN_KEY: registration.run,
        contract.PACKAGE_DATA_KEY: registration.manifest,
        contract.PACKAGE_COMMIT_KEY: registration.commit,
        **registration.signature,
    }
    if not registration.signature:
        # A digest alone would look like what is left of a signature.
        del found[contract.PACKAGE_DIGEST_KEY]
    return {name: value[:_LONGEST_VALUE] for name, value in found.items() if value}


def _source(registration: Registration, name: str) -> dict[str, str]:
    return {"ContentType": _JSON, "S3Uri": f"{registration.folder}/{name}"}


def card(registration: Registration, evaluation: Evaluation, checks: Checks) -> dict[str, Any]:
    """Return the model card's content.

    The schema is that of a model package's card (SageMaker developer guide, "Model package model card schema"): the
    model card JSON schema without `model_package_details`, whose overview has creator and artefacts only.
    """
    groups = [
        {"name": who, "metric_data": _measured(metrics)}
        for who, metrics in (("challenger", evaluation.challenger), ("champion", evaluation.champion))
    ]
    return {
        "model_overview": {"model_creator": "Tidegate retraining", "model_artifact": [registration.artefact]},
        "intended_uses": {
            "purpose_of_model": f"Answers the requests of the endpoint {registration.endpoint}.",
            "intended_uses": f"The same as of {registration.champion}, in whose place it was trained.",
            "factors_affecting_model_efficiency": f"Drift of its inputs. Retrained because {registration.reason}",
            "risk_rating": "Unknown",
            "explanations_for_risk_rating": "Nobody has rated it; it is trained and compared by a program.",
        },
        "training_details": {
            "training_observations": f"Trained by {registration.run} on captured live traffic with labels.",
            "training_job_details": {"training_datasets": [registration.manifest]},
        },
        "evaluation_details": [
            {
                "name": "champion and challenger on the same held-out rows",
                "evaluation_observation": "; ".join((*evaluation.reasons, *checks.reasons, *checks.doubts)) or "none",
                "metadata": {"rows": str(evaluation.rows), "better": str(evaluation.better)},
                "metric_groups": [group for group in groups if group["metric_data"]],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": f"See {registration.folder}/changelog.md.",
            "custom_details": {"version": registration.version, "champion": registration.champion},
        },
    }


def _measured(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": "number", "value": metrics[name]}
        for name in METRICS
        if isinstance(metrics.get(name), int | float)
    ]
