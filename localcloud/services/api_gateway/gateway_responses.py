"""How the gateway's own errors are answered: by the response that is designed for them, or by default."""

import json

from localcloud.front.http_answer import HttpAnswer
from localcloud.services.api_gateway import templates
from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.gateway_errors import GatewayError, default_response
from localcloud.services.api_gateway.rest_api import Design, Record

_HEADER = "gatewayresponse.header."
_METHOD_HEADER = "method.request.header."


def answer_error(exchange: Exchange, error: GatewayError) -> HttpAnswer:
    """Return the answer to an error, and note it in the request's variables."""
    designed = _designed(exchange.stage.snapshot.design, error)
    exchange.context["error"] = {
        "message": error.message,
        "messageString": json.dumps(error.message),
        "responseType": error.kind,
        "validationErrorString": error.detail or None,
    }
    status = int(designed.get("statusCode") or error.status)
    content_type, text = _template(designed.get("responseTemplates") or {}, exchange.request.header("accept") or "")
    body = templates.filled(text, exchange.context, exchange.variables)
    if designed["defaultResponse"] and error.kind == "ACCESS_DENIED":
        # AWS writes this one with a capital letter, unless it is designed.
        body = json.dumps({"Message": error.message})
    headers = {"Content-Type": content_type, **_headers(exchange, designed)}
    if error.error_type:
        headers["x-amzn-ErrorType"] = error.error_type
    return HttpAnswer(status, body.encode(), list(headers.items()))


def _designed(design: Design, error: GatewayError) -> Record:
    """Return the response for the error's type, or for all of its class."""
    own = design.gateway_responses.get(error.kind)
    fallback = design.gateway_responses.get("DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX")
    return _with_template(own or fallback or default_response(error.kind))


def _with_template(response: Record) -> Record:
    templates_ = response.get("responseTemplates") or default_response("DEFAULT_4XX")["responseTemplates"]
    return {"defaultResponse": False, **response, "responseTemplates": templates_}


def _template(by_type: Record, accept: str) -> tuple[str, str]:
    """Return the template of the type that the caller accepts first; JSON, or else the first, if it accepts none."""
    accepted = [part.split(";")[0].strip() for part in accept.split(",")]
    chosen = next((kind for kind in accepted if kind in by_type), None)
    kind = chosen or ("application/json" if "application/json" in by_type else next(iter(by_type)))
    return kind, str(by_type[kind])


def _headers(exchange: Exchange, designed: Record) -> dict[str, str]:
    found = {
        name.removeprefix(_HEADER): _source(exchange, source)
        for name, source in (designed.get("responseParameters") or {}).items()
    }
    titled = {("Content-Type" if name.lower() == "content-type" else name): value for name, value in found.items()}
    return {name: value for name, value in titled.items() if value is not None}


def _source(exchange: Exchange, source: str) -> str | None:
    if source.startswith("'"):
        return source[1:-1]
    if source.startswith(_METHOD_HEADER):
        return exchange.request.header(source.removeprefix(_METHOD_HEADER))
    return templates.filled(f"${source}", exchange.context, exchange.variables) or None
