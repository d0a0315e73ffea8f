"""Which variant, and which of its instances, answers a request."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localcloud.errors import AwsError
from localcloud.physics.async_settings import is_asynchronous
from localcloud.physics.hosting import Hosting
from localcloud.physics.records import SERVING, Endpoint, Instance, Request, Variant


@dataclass(frozen=True)
class Route:
    """Where a request goes; no instance if none of the variant's is in service."""

    endpoint: str
    variant: str
    instance: Instance | None
    metrics_period: int
    capture: Request | None
    mirrored: bool = False
    """Whether the shadow variant gets a copy of the request."""


class Router:
    """Chooses variants by weight.

    Parameters
    ----------
    hosting
        The endpoints.
    chance
        Source of the choices.
    """

    def __init__(self, hosting: Hosting, chance: random.Random) -> None:
        self._hosting = hosting
        self._chance = chance

    @contextmanager
    def route(self, endpoint_name: str, target_variant: str | None) -> Iterator[Route]:
        """Hold a route for as long as the request lasts: its instance is not stopped meanwhile.

        Raises
        ------
        AwsError
            If there is no such endpoint in service, or no such variant.
        """
        with self._hosting.lock:
            endpoint = serving(self._hosting, endpoint_name)
            _refuse_asynchronous(endpoint)
            variant = self._named(endpoint, target_variant) if target_variant else self._weighted(endpoint)
            route = self._claim(endpoint, variant, self._is_sampled(endpoint, variant))
        try:
            yield route
        finally:
            self._release(route)

    @contextmanager
    def shadow_route(self, endpoint_name: str) -> Iterator[Route | None]:
        """Hold the route of a copy to the shadow variant; None if there is none any more."""
        with self._hosting.lock:
            endpoint = self._hosting.endpoints.get(endpoint_name)
            shadow = next(iter(endpoint.shadows.values()), None) if endpoint else None
            route = self._claim(endpoint, shadow) if endpoint and shadow else None
        try:
            yield route
        finally:
            self._release(route)

    def _claim(self, endpoint: Endpoint, variant: Variant, mirrored: bool = False) -> Route:
        instance = self._instance(variant)
        if instance is not None:
            instance.in_flight += 1
        return Route(endpoint.name, variant.name, instance, endpoint.metrics_period(), endpoint.capture, mirrored)

    def _release(self, route: Route | None) -> None:
        if route is not None and route.instance is not None:
            with self._hosting.lock:
                route.instance.in_flight -= 1

    def _is_sampled(self, endpoint: Endpoint, production: Variant) -> bool:
        """Whether the shadow gets a copy of this request: its weight is a share of the production variant's.

        SageMaker's guide ("Testing models with shadow variants") deploys a shadow of weight 1 beside a production
        variant of weight 1, and its "Create a shadow test" calls what is replicated a percentage of the production
        variant's requests. That the share is the quotient of the two weights is nowhere spelled out; a shadow heavier
        than the production variant gets every request here.
        """
        return any(
            production.current_weight > 0 and self._chance.random() * production.current_weight < shadow.current_weight
            for shadow in endpoint.shadows.values()
        )

    def _named(self, endpoint: Endpoint, name: str) -> Variant:
        if name not in endpoint.variants:
            raise AwsError("ValidationError", f"Variant {name} not found for endpoint {endpoint.name}.")
        return endpoint.variants[name]

    def _weighted(self, endpoint: Endpoint) -> Variant:
        variants = [variant for variant in endpoint.variants.values() if variant.current_weight > 0]
        if not variants:
            raise AwsError("ValidationError", f"No variant of endpoint {endpoint.name} has a weight above 0.")
        return self._chance.choices(variants, [variant.current_weight for variant in variants])[0]

    def _instance(self, variant: Variant) -> Instance | None:
        healthy = [instance for instance in variant.instances if instance.container.ping()]
        if not healthy:
            return None
        if (variant.config.get("RoutingConfig") or {}).get("RoutingStrategy") == "LEAST_OUTSTANDING_REQUESTS":
            return min(healthy, key=lambda instance: instance.in_flight)
        return self._chance.choice(healthy)


def serving(hosting: Hosting, name: str) -> Endpoint:
    """Return an endpoint that takes requests, or refuse as SageMaker does; its caller holds the lock."""
    endpoint = hosting.endpoints.get(name)
    if endpoint is None or endpoint.status not in SERVING:
        raise AwsError("ValidationError", f"Endpoint {name} of account {hosting.account} not found.")
    return endpoint


def _refuse_asynchronous(endpoint: Endpoint) -> None:
    if is_asynchronous(endpoint.config.request):
        raise AwsError(
            "ValidationError",
            f"Endpoint {endpoint.name} has an AsyncInferenceConfig and takes asynchronous requests only: use "
            "InvokeEndpointAsync.",
        )
