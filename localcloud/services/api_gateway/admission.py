"""Keys, quotas and rates: how often a caller, and all callers together, may call."""

from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.gateway_errors import no_key, over_quota, throttled
from localcloud.services.api_gateway.rest_api import Record
from localcloud.services.api_gateway.throttling import Throttles
from localcloud.services.api_gateway.usage import Plans


class Admission:
    """Lets requests through as plans and stages allow.

    Parameters
    ----------
    plans
        Keys and usage plans.
    """

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._throttles = Throttles()

    def check(self, exchange: Exchange) -> None:
        """Raise `GatewayError` unless the request may pass."""
        if exchange.method.get("apiKeyRequired"):
            self._check_key(exchange)
        self._check_stage(exchange)

    def _check_key(self, exchange: Exchange) -> None:
        request = exchange.request
        value = _key_value(exchange)
        found = self._plans.of(value, request.api_id, request.stage) if value else None
        if found is None:
            raise no_key()
        key, plan = found
        exchange.context["identity"].update(apiKey=key["value"], apiKeyId=key["id"])
        self._check_plan(plan, key["id"])

    def _check_plan(self, plan: Record, key_id: str) -> None:
        """Hold the request against the plan's rate, and then its quota, for this key alone."""
        rate = plan.get("throttle") or {}
        if not self._throttles.admit((plan["id"], key_id), rate.get("rateLimit"), rate.get("burstLimit")):
            raise throttled()
        if not self._plans.count(plan, key_id):
            raise over_quota()

    def _check_stage(self, exchange: Exchange) -> None:
        found = method_settings(exchange)
        if found is None:
            return
        name, settings = found
        request = exchange.request
        bucket = (request.api_id, request.stage, name)
        if not self._throttles.admit(bucket, settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")):
            raise throttled()


def method_settings(exchange: Exchange) -> tuple[object, Record] | None:
    """Return the settings of the method, or else of all methods, of which each is held against its own rate."""
    settings = exchange.stage.record.get("methodSettings") or {}
    path, verb = exchange.resource["path"], exchange.method["httpMethod"]
    for name in (f"{path}/{verb}", "*/*"):
        if name in settings:
            return (path, verb), settings[name]
    return None


def _key_value(exchange: Exchange) -> str | None:
    if exchange.stage.snapshot.design.settings.get("apiKeySource") == "AUTHORIZER":
        return exchange.usage_key
    return exchange.request.header("x-api-key")
