"""SageMaker's operations on endpoint configurations."""

from collections import Counter
from typing import Any

from localcloud.errors import NotSimulatedError
from localcloud.physics.async_settings import check_asynchronous
from localcloud.physics.catalogue import validation
from localcloud.physics.hosting import Hosting
from localcloud.physics.listing import listing
from localcloud.physics.records import Named, Request, initial_weight, variants_of
from localcloud.physics.times import to_datetime
from localcloud.service import operation

_NOT_SIMULATED = ("ExplainerConfig", "CrossRegionTrafficConfig")
_NOT_SIMULATED_OF_VARIANT = (
    "ServerlessConfig",
    "ManagedInstanceScaling",
    "InstancePools",
    "AcceleratorType",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
    "CoreDumpConfig",
)
_KINDS = ("ProductionVariants", "ShadowProductionVariants")
_PUBLISH_PERIODS = (10, 30, 60, 120, 180, 240, 300)


class ConfigOperations:
    """CreateEndpointConfig and its companions."""

    _hosting: Hosting

    @operation("CreateEndpointConfig")
    def create_endpoint_config(self, request: Request) -> dict[str, Any]:
        """Create a configuration; it never changes."""
        hosting, name = self._hosting, request["EndpointConfigName"]
        _check(request)
        with hosting.lock:
            hosting.configs.check_free(name)
            for variant, _ in variants_of(request):
                hosting.models.get(variant["ModelName"])
            config = Named(name, hosting.configs.arn(name), request, hosting.clock.now())
            hosting.configs.add(config)
            hosting.tag(config.arn, request)
            return {"EndpointConfigArn": config.arn}

    @operation("DescribeEndpointConfig")
    def describe_endpoint_config(self, request: Request) -> dict[str, Any]:
        """Describe a configuration."""
        with self._hosting.lock:
            config = self._hosting.configs.get(request["EndpointConfigName"])
        asked = {key: value for key, value in config.request.items() if key != "Tags"}
        variants = {kind: _described(asked[kind]) for kind in _KINDS if asked.get(kind)}
        return {
            "EnableNetworkIsolation": False,
            **asked,
            **variants,
            "EndpointConfigArn": config.arn,
            "CreationTime": to_datetime(config.created_at),
        }

    @operation("DeleteEndpointConfig")
    def delete_endpoint_config(self, request: Request) -> dict[str, Any]:
        """Delete a configuration, even one in use: its endpoint then refuses every update."""
        with self._hosting.lock:
            config = self._hosting.configs.remove(request["EndpointConfigName"])
            self._hosting.tags.pop(config.arn, None)
        return {}

    @operation("ListEndpointConfigs")
    def list_endpoint_configs(self, request: Request) -> dict[str, Any]:
        """List configurations."""
        with self._hosting.lock:
            return listing("EndpointConfigs", self._hosting.configs.all(), request, _summary)


def _described(variants: list[Request]) -> list[dict[str, Any]]:
    return [{**variant, "InitialVariantWeight": initial_weight(variant)} for variant in variants]


def _check(request: Request) -> None:
    for name in _NOT_SIMULATED:
        if request.get(name):
            raise NotSimulatedError(f"CreateEndpointConfig {name}")
    for kind in _KINDS:
        for variant in request.get(kind) or []:
            _check_variant(variant, kind)
    _check_shadow(request)
    check_asynchronous(request)
    names = Counter(variant["VariantName"] for variant, _ in variants_of(request))
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise validation(f'Variant names must be unique; "{twice[0]}" is given more than once.')
    _check_metrics(request.get("MetricsConfig") or {})


def _check_shadow(request: Request) -> None:
    """Refuse more than one shadow, and a shadow of more than one production variant.

    So says the service model of CreateEndpointConfig: with ShadowProductionVariants, "you can only specify one variant
    for ProductionVariants and one variant for ShadowProductionVariants".
    """
    counts = [len(request.get(kind) or []) for kind in _KINDS]
    if counts[1] and counts != [1, 1]:
        raise validation(
            f"ShadowProductionVariants takes exactly one production and one shadow variant; {counts[0]} and "
            f"{counts[1]} are given."
        )


def _check_variant(variant: Request, kind: str) -> None:
    for name in _NOT_SIMULATED_OF_VARIANT:
        if variant.get(name):
            raise NotSimulatedError(f"CreateEndpointConfig {kind}.{name}")
    for name in ("ModelName", "InstanceType", "InitialInstanceCount"):
        if not variant.get(name):
            raise validation(f'Variant "{variant["VariantName"]}" needs {name}.')


def _check_metrics(metrics: Request) -> None:
    period = metrics.get("MetricPublishFrequencyInSeconds")
    if period is not None and period not in _PUBLISH_PERIODS:
        allowed = ", ".join(map(str, _PUBLISH_PERIODS))
        raise validation(f"MetricPublishFrequencyInSeconds is {period}; it must be one of {allowed}.")


def _summary(config: Named) -> dict[str, Any]:
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": to_datetime(config.created_at),
    }
