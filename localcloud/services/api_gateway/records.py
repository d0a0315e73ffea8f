"""What is kept of each request: metrics and a line of the access log."""

import hashlib
import time
from collections.abc import Callable, Mapping

from localcloud.credentials import Principal, session_arn
from localcloud.front.http_answer import HttpAnswer
from localcloud.services.api_gateway import templates
from localcloud.services.api_gateway.admission import method_settings
from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.functions.log_shipper import Line, MetricSink

_NAMESPACE = "AWS/ApiGateway"
SESSION = "BackplaneAssumeRoleSession"


class Records:
    """Writes metrics and access logs.

    Parameters
    ----------
    metrics
        Takes metrics.
    ship
        Takes log lines.
    log_role
        Returns the role under which logs are written; None while there is none.
    """

    def __init__(self, metrics: MetricSink, ship: Callable[[Line], None], log_role: Callable[[], str | None]) -> None:
        self._metrics = metrics
        self._ship = ship
        self._log_role = log_role

    def keep(self, exchange: Exchange, answer: HttpAnswer) -> None:
        """Note how a request was answered."""
        latency = (time.perf_counter() - exchange.began) * 1000
        integration = exchange.integration_ms
        exchange.context.update(status=answer.status, responseLength=len(answer.body), responseLatency=round(latency))
        if integration is not None:
            exchange.context["integrationLatency"] = round(integration)
            exchange.context.setdefault("integration", {})["latency"] = round(integration)
        self._measure(exchange, answer.status, latency, integration)
        self._log(exchange)

    def _measure(self, exchange: Exchange, status: int, latency: float, integration: float | None) -> None:
        now = time.time()
        values = [
            ("Count", 1.0, "Count"),
            ("4XXError", float(400 <= status < 500), "Count"),
            ("5XXError", float(status >= 500), "Count"),
            ("Latency", latency, "Milliseconds"),
        ]
        if integration is not None:
            values.append(("IntegrationLatency", integration, "Milliseconds"))
        for dimensions in _dimensions(exchange):
            for name, value, unit in values:
                self._metrics(_NAMESPACE, name, dimensions, value, unit, now)

    def _log(self, exchange: Exchange) -> None:
        settings = exchange.stage.record.get("accessLogSettings") or {}
        role = self._log_role()
        if not role or not settings.get("destinationArn") or not settings.get("format"):
            return
        group = settings["destinationArn"].partition(":log-group:")[2].removesuffix(":*")
        text = templates.filled(settings["format"], exchange.context, exchange.variables, absent="-")
        stream = hashlib.md5(exchange.request.stage.encode(), usedforsecurity=False).hexdigest()
        at_ms = int(exchange.context["requestTimeEpoch"])
        self._ship(Line(group, stream, at_ms, text, log_principal(role), needs_group=True))


def log_principal(role: str) -> Principal:
    """Return the role as API Gateway writes logs under it."""
    return Principal(session_arn(role, SESSION), role.split(":")[4], f"AROALOCAL:{SESSION}", role)


def _dimensions(exchange: Exchange) -> list[Mapping[str, str]]:
    """Return the dimensions of a request's metrics; those of its method only if the stage asks for them."""
    api = {"ApiName": str(exchange.stage.snapshot.design.settings["name"])}
    of_stage = {**api, "Stage": exchange.request.stage}
    settings = method_settings(exchange) if exchange.method else None
    if settings is None or not settings[1].get("metricsEnabled"):
        return [api, of_stage]
    of_method = {"Method": exchange.method["httpMethod"], "Resource": exchange.resource["path"]}
    return [api, of_stage, {**of_stage, **of_method}]
