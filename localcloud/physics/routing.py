"""Which variant, and which of its instances, answers a request."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localcloud.errors import AwsError
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
            endpoint = self._serving(endpoint_name)
            variant = self._named(endpoint, target_variant) if target_variant else self._weighted(endpoint)
            instance = self._instance(variant)
            if instance is not None:
                instance.in_flight += 1
            route = Route(endpoint.name, variant.name, instance, endpoint.metrics_period(), endpoint.capture)
        try:
            yield route
        finally:
            if instance is not None:
                with self._hosting.lock:
                    instance.in_flight -= 1

    def _serving(self, name: str) -> Endpoint:
        endpoint = self._hosting.endpoints.get(name)
        if endpoint is None or endpoint.status not in SERVING:
            raise AwsError("ValidationError", f"Endpoint {name} of account {self._hosting.account} not found.")
        return endpoint

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
