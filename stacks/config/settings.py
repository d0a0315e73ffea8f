"""What an endpoint's parameter tells its rollouts."""

import json
from dataclasses import dataclass
from typing import Any

from stacks.config.model import Endpoint, Fleet, Signatures

_SCHEMA = 1


@dataclass(frozen=True)
class Places:
    """What of an endpoint's settings its environment says, or only the place where it is deployed.

    Parameters
    ----------
    image
        The serving container.
    image_repository
        Its repository.
    execution_role_arn
        Role that the models run under.
    artefact_bucket
        Bucket in which a model's artefact must lie.
    capture_destination
        Where captured traffic goes.
    signing_key
        Key that signs the environment's model packages.
    signatures
        Whether a package without a signature is refused (`required`) or not (`checked`).
    """

    image: str
    image_repository: str
    execution_role_arn: str
    artefact_bucket: str
    capture_destination: str
    signing_key: str
    signatures: Signatures


def settings_of(endpoint: Endpoint, environment: str, places: Places) -> dict[str, Any]:
    """Return the settings of an endpoint, as `lambdas.rollout.settings` reads them."""
    return {
        "schema": _SCHEMA,
        "environment": environment,
        "endpoint": endpoint.full_name(environment),
        "execution_role_arn": places.execution_role_arn,
        "image_repositories": [places.image_repository, *endpoint.image_repositories],
        "artefact_bucket": places.artefact_bucket,
        "signing_key": places.signing_key,
        "signatures": places.signatures,
        "policy": endpoint.rollout.to_dict(),
        "evidence": _evidence(endpoint),
        "fleet": _fleet(endpoint.fleet, places),
    }


def size_of(settings: dict[str, Any]) -> int:
    """Return how many bytes settings are as a parameter."""
    return len(json.dumps(settings, separators=(",", ":"), ensure_ascii=False).encode())


def _evidence(endpoint: Endpoint) -> dict[str, float]:
    """What a step must have seen: as many periods, each with as many requests, as the alarms look at."""
    return {
        "periods": endpoint.alarms.of_periods,
        "period_seconds": endpoint.fleet.metrics_period_seconds,
        "min_requests": endpoint.alarms.min_requests,
        "error_rate_percent": endpoint.alarms.error_rate_percent,
    }


def _fleet(fleet: Fleet, places: Places) -> dict[str, Any]:
    return {
        "image": places.image,
        "instance_type": fleet.instance_type,
        "min_instances": fleet.min_instances,
        "max_instances": fleet.max_instances,
        "target_invocations_per_instance": fleet.target_invocations_per_instance,
        "inference_ami_version": fleet.inference_ami_version,
        "capture": {
            "enabled": fleet.data_capture,
            "sampling_percent": fleet.capture_sampling_percent,
            "destination": places.capture_destination,
            **({"variables": fleet.capture_variables} if fleet.captures_itself else {}),
        },
        "startup_timeout_seconds": fleet.startup_timeout_seconds,
        "download_timeout_seconds": fleet.download_timeout_seconds,
        "metrics_period_seconds": fleet.metrics_period_seconds,
        "network_isolation": fleet.network_isolation,
    }
