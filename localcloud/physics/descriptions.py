"""Endpoints as DescribeEndpoint and events show them."""

from typing import Any

from localcloud.physics.records import Deployment, Endpoint, Plan, Request, Variant
from localcloud.physics.times import to_datetime

_EVENT_STATUS = {
    "Creating": "CREATING",
    "Updating": "UPDATING",
    "InService": "IN_SERVICE",
    "Deleting": "DELETING",
    "Failed": "FAILED",
}

_SHOWN = ("AsyncInferenceConfig", "MetricsConfig")
"""What an endpoint shows of its configuration as it is."""


def describe_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Return what DescribeEndpoint answers."""
    described: dict[str, Any] = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config.name,
        "EndpointStatus": endpoint.status,
        "CreationTime": to_datetime(endpoint.created_at),
        "LastModifiedTime": to_datetime(endpoint.modified_at),
    }
    if endpoint.variants:
        described["ProductionVariants"] = [_describe_variant(v) for v in endpoint.variants.values()]
    if endpoint.shadows:
        described["ShadowProductionVariants"] = [_describe_variant(v) for v in endpoint.shadows.values()]
    if endpoint.capture is not None:
        described["DataCaptureConfig"] = _describe_capture(endpoint.capture)
    if endpoint.failure_reason is not None:
        described["FailureReason"] = endpoint.failure_reason[:1024]
    if endpoint.deployment is not None:
        described["PendingDeploymentSummary"] = _describe_deployment(endpoint.deployment)
    asked = endpoint.config.request
    return described | {name: asked[name] for name in _SHOWN if asked.get(name)}


def _describe_variant(variant: Variant) -> dict[str, Any]:
    return {
        "VariantName": variant.name,
        "DeployedImages": [_image(variant.model.image, variant.deployed_at)],
        "CurrentWeight": variant.current_weight,
        "DesiredWeight": variant.desired_weight,
        "CurrentInstanceCount": len(variant.instances),
        "DesiredInstanceCount": variant.desired_count,
    }


def _image(uri: str, deployed_at: float) -> dict[str, Any]:
    return {"SpecifiedImage": uri, "ResolvedImage": uri, "ResolutionTime": to_datetime(deployed_at)}


def is_capturing(capture: Request) -> bool:
    """Whether captured data is wanted; capture is on unless it is switched off."""
    return capture.get("EnableCapture") is not False


def _describe_capture(capture: Request) -> dict[str, Any]:
    enabled = is_capturing(capture)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId") or "",
    }


def _describe_deployment(deployment: Deployment) -> dict[str, Any]:
    started_at = deployment.started_at
    described: dict[str, Any] = {
        "EndpointConfigName": deployment.config.name,
        "ProductionVariants": [_describe_plan(plan, started_at) for plan in deployment.plans if not plan.shadow],
        "StartTime": to_datetime(started_at),
    }
    shadows = [_describe_plan(plan, started_at) for plan in deployment.plans if plan.shadow]
    return {**described, "ShadowProductionVariants": shadows} if shadows else described


def _describe_plan(plan: Plan, started_at: float) -> dict[str, Any]:
    return {
        "VariantName": plan.name,
        "DeployedImages": [{"SpecifiedImage": plan.model.image}],
        "DesiredWeight": plan.weight,
        "DesiredInstanceCount": plan.count,
        "InstanceType": plan.config["InstanceType"],
        "VariantStatus": [{"Status": "Creating", "StartTime": to_datetime(started_at)}],
    }


def event_detail(endpoint: Endpoint, tags: dict[str, str]) -> dict[str, Any]:
    """Return the detail of ``SageMaker Endpoint State Change``; its times are epoch milliseconds."""
    names = ("VariantName", "CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount")
    variants = [_describe_variant(variant) for variant in endpoint.variants.values()]
    detail: dict[str, Any] = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.config.name,
        "ProductionVariants": [{name: variant[name] for name in names} for variant in variants],
        "EndpointStatus": _EVENT_STATUS[endpoint.status],
        "CreationTime": int(endpoint.created_at * 1000),
        "LastModifiedTime": int(endpoint.modified_at * 1000),
        "Tags": tags,
    }
    return {**detail, "FailureReason": endpoint.failure_reason} if endpoint.failure_reason else detail
