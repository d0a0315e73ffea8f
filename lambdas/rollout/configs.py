"""How a rollout's model and endpoint configs are made from the live ones. Pure.

The live ones are cloned rather than built anew, so that whatever they carry beyond the declared fleet is kept.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.contract import CAPTURE_VARIABLES, FULL_WEIGHT
from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel, CreateShadowConfig
from lambdas.rollout.fleet import Capture, Fleet

_NOT_CREATED = frozenset({"EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata", "Tags"})
_MODEL_CLONED = ("VpcConfig",)
_CAPTURE_DEFAULTS: dict[str, Any] = {
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    # Bodies of these types are captured as text, all others in base64.
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}


def variant_of(config: Mapping[str, Any], slot: str) -> dict[str, Any]:
    """Return a config's production variant of that name."""
    return next(dict(variant) for variant in config["ProductionVariants"] if variant["VariantName"] == slot)


def model_request(live: Mapping[str, Any], action: CreateModel) -> dict[str, Any]:
    """Return what CreateModel takes, given what DescribeModel says of the live model."""
    container = dict(action.container if action.container is not None else live["PrimaryContainer"])
    if "ModelDataUrl" in container:
        # SageMaker shows the same artefact under both names, and takes only one.
        container.pop("ModelDataSource", None)
    container["Image"] = action.image or container["Image"]
    _set_variables(container, action.variables)
    return {
        **{name: live[name] for name in _MODEL_CLONED if live.get(name)},
        "ModelName": action.name,
        "PrimaryContainer": container,
        "ExecutionRoleArn": action.execution_role_arn,
        "EnableNetworkIsolation": action.network_isolation,
        "Tags": tag_list(action.tags),
    }


def _set_variables(container: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Set what the fleet says; neither a package nor the model that is cloned can say otherwise."""
    given = container.pop("Environment", None) or {}
    own = {name: value for name, value in given.items() if not name.startswith(CAPTURE_VARIABLES)}
    if own or variables:
        container["Environment"] = {**own, **variables}


def mixed_config(live: Mapping[str, Any], action: CreateMixedConfig) -> dict[str, Any]:
    """Return the live config with the new variant beside the live one, at weight 0."""
    stable = _only_variant(live)
    return {
        **_beside(live, action),
        "ProductionVariants": [{**stable, "InitialVariantWeight": FULL_WEIGHT}, _new_variant(stable, action, 0.0)],
    }


def shadow_config(live: Mapping[str, Any], action: CreateShadowConfig) -> dict[str, Any]:
    """Return the live config with the new variant as its shadow.

    SageMaker copies to a shadow the percentage of the requests that its weight is of the production variant's.
    """
    stable, share = _only_variant(live), float(action.traffic_percent)
    return {
        **_beside(live, action),
        "ProductionVariants": [{**stable, "InitialVariantWeight": FULL_WEIGHT}],
        "ShadowProductionVariants": [_new_variant(stable, action, share)],
    }


def _only_variant(live: Mapping[str, Any]) -> dict[str, Any]:
    [stable] = [dict(variant) for variant in live["ProductionVariants"]]
    return stable


def _beside(live: Mapping[str, Any], action: CreateMixedConfig | CreateShadowConfig) -> dict[str, Any]:
    return {
        **_clone(live),
        **_endpoint_wide(live, action.fleet),
        "EndpointConfigName": action.name,
        "Tags": tag_list(action.tags),
    }


def _new_variant(
    stable: Mapping[str, Any], action: CreateMixedConfig | CreateShadowConfig, weight: float
) -> dict[str, Any]:
    new = {**stable, **_variant(action), "InitialVariantWeight": weight}
    if action.fleet.inference_ami_version is None:
        new.pop("InferenceAmiVersion", None)
    return new


def final_config(mixed: Mapping[str, Any], action: CreateFinalConfig) -> dict[str, Any]:
    """Return the mixed config with the new variant alone, at full weight."""
    variant = {**variant_of(mixed, action.slot), "InitialVariantWeight": FULL_WEIGHT}
    return {
        **_clone(mixed),
        "EndpointConfigName": action.name,
        "ProductionVariants": [variant],
        "Tags": tag_list(action.tags),
    }


def same(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Return whether what exists under a name is what was to be created, as far as that says."""
    return all(_agrees(value, found.get(name)) for name, value in wanted.items() if name != "Tags")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as SageMaker takes them."""
    return [{"Key": name, "Value": value} for name, value in sorted(tags.items())]


def _agrees(wanted: Any, found: Any) -> bool:
    # AWS fills in defaults, so what exists may say more than what was asked.
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_agrees(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_agrees, wanted, found))
    return bool(wanted == found)


def _clone(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _NOT_CREATED}


def _variant(action: CreateMixedConfig | CreateShadowConfig) -> dict[str, Any]:
    fleet = action.fleet
    ami = {"InferenceAmiVersion": fleet.inference_ami_version} if fleet.inference_ami_version else {}
    return {
        "VariantName": action.slot,
        "ModelName": action.model,
        "InstanceType": fleet.instance_type,
        "InitialInstanceCount": action.count,
        "ModelDataDownloadTimeoutInSeconds": fleet.download_timeout_seconds,
        "ContainerStartupHealthCheckTimeoutInSeconds": fleet.startup_timeout_seconds,
        **ami,
    }


def _endpoint_wide(live: Mapping[str, Any], fleet: Fleet) -> dict[str, Any]:
    metrics = {
        "EnableDetailedObservability": False,  # charged, and on in a new config unless it is said
        **live.get("MetricsConfig", {}),
        "EnableEnhancedMetrics": True,
        "MetricPublishFrequencyInSeconds": fleet.metrics_period_seconds,
    }
    return {"MetricsConfig": metrics, "DataCaptureConfig": _capture(live.get("DataCaptureConfig") or {}, fleet.capture)}


def _capture(live: Mapping[str, Any], capture: Capture) -> dict[str, Any]:
    return {
        **_CAPTURE_DEFAULTS,
        **live,
        "EnableCapture": capture.enabled,
        "InitialSamplingPercentage": capture.sampling_percent,
        "DestinationS3Uri": capture.destination,
    }
