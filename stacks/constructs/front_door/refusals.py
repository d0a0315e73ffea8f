"""What API Gateway answers by itself, as problem details (RFC 9457) like the functions' own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from lambdas.inference.problems import CONTENT_TYPE, KINDS, REQUEST_PREFIX, TYPE_PREFIX

_PROBLEM = f"'{CONTENT_TYPE}'"
_RETRY_SECONDS = "'1'"


@dataclass(frozen=True)
class _Refusal:
    slug: str
    detail: str
    retried: bool = False


_REFUSALS = {
    "UNAUTHORIZED": _Refusal("unauthorized", "Bring a valid token in the header Authorization."),
    "ACCESS_DENIED": _Refusal("forbidden", "You may not call this."),
    "INVALID_API_KEY": _Refusal(
        "forbidden", "The caller is no known client; bring the API key of one in X-Api-Key, or a token issued to one."
    ),
    "MISSING_AUTHENTICATION_TOKEN": _Refusal(
        "forbidden", "There is nothing at this path and method, or the request is not signed."
    ),
    "INVALID_SIGNATURE": _Refusal("forbidden", "The request's signature is wrong; sign it again."),
    "EXPIRED_TOKEN": _Refusal("forbidden", "The credentials have expired; take new ones."),
    "WAF_FILTERED": _Refusal("forbidden", "The firewall has refused this request."),
    "REQUEST_TOO_LARGE": _Refusal("too-large", "Send fewer rows at a time."),
    "THROTTLED": _Refusal("throttled", "More requests than allowed in a second; send fewer.", retried=True),
    "QUOTA_EXCEEDED": _Refusal("throttled", "The client's quota of the month is used up."),
    "INTEGRATION_TIMEOUT": _Refusal("timeout", "No answer came in time; try again.", retried=True),
    "DEFAULT_4XX": _Refusal("invalid-request", "The request could not be taken."),
    "DEFAULT_5XX": _Refusal("internal", "Something is wrong on our side.", retried=True),
}
_OWN_STATUS = ("DEFAULT_4XX", "DEFAULT_5XX")
"""Each stands for several statuses, which are left as they are."""


def refuse_in_words(scope: Construct, api: apigateway.RestApi, origins: Sequence[str]) -> None:
    """Let an API answer its own refusals as problem details, with what a browser needs to show them."""
    for kind, refusal in _REFUSALS.items():
        made = apigateway.CfnGatewayResponse(
            scope,
            f"Refusal-{kind}",
            rest_api_id=api.rest_api_id,
            response_type=kind,
            status_code=None if kind in _OWN_STATUS else str(KINDS[refusal.slug][0]),
            response_parameters={
                "gatewayresponse.header.Content-Type": _PROBLEM,
                **({"gatewayresponse.header.Retry-After": _RETRY_SECONDS} if refusal.retried else {}),
                **({"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"} if origins else {}),
            },
            response_templates={"application/json": _template(kind, refusal)},
        )
        _serve_with(api, made)


def _serve_with(api: apigateway.RestApi, made: apigateway.CfnGatewayResponse) -> None:
    """Let the deployment have it: a stage answers as the API was when it was deployed, refusals too."""
    deployment = api.latest_deployment
    assert deployment is not None
    deployment.node.add_dependency(made)
    properties = (made.response_type, made.status_code, made.response_parameters, made.response_templates)
    deployment.add_to_logical_id(json.dumps(properties, sort_keys=True))


def _template(kind: str, refusal: _Refusal) -> str:
    status, title = KINDS[refusal.slug]
    document = {
        "type": f"{TYPE_PREFIX}{refusal.slug}",
        "title": title,
        "status": status,
        "detail": refusal.detail,
        "instance": f"{REQUEST_PREFIX}$context.requestId",
    }
    if kind in _OWN_STATUS:
        del document["status"]  # which it is only the answer's own status line says
    return json.dumps(document)
