"""A request on its way through a stage, with all that becomes known of it."""

import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.services.api_gateway.request import Request
from localcloud.services.api_gateway.rest_api import Record, Stage

_IDENTITY = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "user",
)
_SENT_TO_FUNCTIONS = (
    "resourceId",
    "resourcePath",
    "operationName",
    "httpMethod",
    "extendedRequestId",
    "requestTime",
    "path",
    "accountId",
    "protocol",
    "stage",
    "domainPrefix",
    "requestTimeEpoch",
    "requestId",
    "domainName",
    "deploymentId",
    "apiId",
)


@dataclass
class Exchange:
    """A request, where it is served, and the variables that templates and functions see."""

    request: Request
    stage: Stage
    context: Record
    arn_prefix: str
    resource: Record = field(default_factory=dict)
    method: Record = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    usage_key: str | None = None
    began: float = field(default_factory=time.perf_counter)
    integration_ms: float | None = None

    @property
    def variables(self) -> Record:
        """Return the stage's variables."""
        found: Record = self.stage.record.get("variables") or {}
        return found

    @property
    def arn(self) -> str:
        """Return what policies call the method and path of the request."""
        request = self.request
        return f"{self.arn_prefix}{request.api_id}/{request.stage}/{request.method}{request.path}"

    @property
    def source_arn(self) -> str:
        """Return what a function's policy calls the method that invokes it."""
        request, verb = self.request, self.method.get("httpMethod", "")
        shown = "*" if verb == "ANY" else verb
        return f"{self.arn_prefix}{request.api_id}/{request.stage}/{shown}{self.resource.get('path', '/')}"

    def request_context(self) -> Record:
        """Return the part of the variables that a function is told."""
        found = {name: self.context[name] for name in _SENT_TO_FUNCTIONS if name in self.context}
        found["identity"] = dict(self.context["identity"])
        if "authorizer" in self.context:
            found["authorizer"] = dict(self.context["authorizer"])
        return found


def new_exchange(request: Request, stage: Stage, account: str, region: str) -> Exchange:
    """Return a request at its beginning."""
    now = time.time()
    identity: dict[str, Any] = dict.fromkeys(_IDENTITY)
    identity.update(sourceIp=request.source_ip, userAgent=request.header("user-agent"))
    context = {
        "requestId": str(uuid.uuid4()),
        "extendedRequestId": secrets.token_urlsafe(11) + "=",
        "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1000),
        "httpMethod": request.method,
        "path": f"/{request.stage}{request.path}",
        "protocol": str(request.environ.get("SERVER_PROTOCOL", "HTTP/1.1")),
        "accountId": account,
        "apiId": request.api_id,
        "stage": request.stage,
        "domainPrefix": request.api_id,
        "domainName": f"{request.api_id}.execute-api.{region}.amazonaws.com",
        "deploymentId": stage.snapshot.deployment_id,
        "identity": identity,
    }
    return Exchange(request, stage, context, f"arn:aws:execute-api:{region}:{account}:")
