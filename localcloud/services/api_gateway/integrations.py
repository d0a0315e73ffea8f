"""What methods do: invoke a function, or answer by themselves."""

import json
import re
import time

from localcloud.front.http_answer import HttpAnswer
from localcloud.services.api_gateway import templates
from localcloud.services.api_gateway.api_service import function_of
from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.functions import Functions
from localcloud.services.api_gateway.gateway_errors import GatewayError, broken
from localcloud.services.api_gateway.proxy import answer_of, event_of, trace_id
from localcloud.services.api_gateway.rest_api import Record

_STATUS = re.compile(r"""["']?statusCode["']?\s*:\s*["']?(\d{3})""")
_HEADER = "method.response.header."
_LONGEST_ANSWER = 6 * 1024 * 1024


class Integrations:
    """Answers requests that have been let in.

    Parameters
    ----------
    functions
        Invokes functions.
    """

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def answer(self, exchange: Exchange) -> HttpAnswer:
        """Return the integration's answer."""
        integration = exchange.method["methodIntegration"]
        if integration["type"] == "MOCK":
            return _mock(exchange, integration)
        began = time.perf_counter()
        try:
            return self._function(exchange, integration)
        finally:
            exchange.integration_ms = (time.perf_counter() - began) * 1000

    def _function(self, exchange: Exchange, integration: Record) -> HttpAnswer:
        payload = json.dumps(event_of(exchange)).encode()
        arn = function_of(templates.filled(integration["uri"], {}, exchange.variables))
        known = exchange.context["integration"] = {"requestId": exchange.context["requestId"]}
        outcome = self._functions.call(arn, exchange.source_arn, payload, integration["timeoutInMillis"] / 1000)
        exchange.context["integrationStatus"] = known["integrationStatus"] = 200
        if outcome.error or len(outcome.payload) > _LONGEST_ANSWER:
            known["error"] = outcome.error or "Function.ResponseSizeTooLarge"
            raise broken()
        answer = answer_of(outcome.payload)
        known["status"] = answer.status
        answer.headers.append(("X-Amzn-Trace-Id", f"Root={trace_id(exchange.context['requestId'])}"))
        return answer


def _mock(exchange: Exchange, integration: Record) -> HttpAnswer:
    """Return what a MOCK answers under the status that its request template names."""
    requested = _STATUS.search((integration.get("requestTemplates") or {}).get("application/json", ""))
    responses = integration.get("integrationResponses") or {}
    chosen = responses.get(requested[1]) if requested else None
    chosen = chosen or next((each for each in responses.values() if not each.get("selectionPattern")), None)
    if chosen is None:
        raise GatewayError("API_CONFIGURATION_ERROR", "Internal server error")
    headers = [
        (name.removeprefix(_HEADER), source.strip("'"))
        for name, source in (chosen.get("responseParameters") or {}).items()
        if name.startswith(_HEADER)
    ]
    body = (chosen.get("responseTemplates") or {}).get("application/json", "")
    text = templates.filled(body, exchange.context, exchange.variables)
    return HttpAnswer(int(chosen["statusCode"]), text.encode(), [("Content-Type", "application/json"), *headers])
