"""Which service and operation an HTTP request is meant for, and under whose access key."""

import io
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl

from moto.core.model import OperationModel, ServiceModel
from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from localcloud.errors import AwsError, NotSimulatedError

Environ = dict[str, Any]

_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_CBOR_PATH = re.compile(r"^/service/(?P<prefix>[^/]+)/operation/(?P<operation>[^/]+)$")
_CONFIGURATION_DATA_PATH = re.compile(r"^/configuration(sessions)?$")
_INVOCATION_PATH = re.compile(r"^/endpoints/[^/]+/(async-)?invocations")

# Signing names that are not botocore's service name.
_SIGNED_AS = {"monitoring": "cloudwatch", "states": "stepfunctions", "email": "ses"}
SERVICES = (
    "s3",
    "sqs",
    "sns",
    "ssm",
    "sts",
    "iam",
    "kms",
    "logs",
    "firehose",
    "events",
    "lambda",
    "dynamodb",
    "sagemaker",
    "sagemaker-runtime",
    "cloudwatch",
    "application-autoscaling",
    "cloudformation",
    "stepfunctions",
    "kinesis",
    "glue",
    "appconfig",
    "appconfigdata",
    "apigateway",
    "elasticache",
)
"""Services that this cloud knows, under botocore's names."""

CBOR = "smithy-rpc-v2-cbor"


@dataclass
class Call:
    """One API request: what it asks for, before its parameters are read."""

    service: str
    operation: str
    protocol: str
    environ: Environ
    body: bytes
    region: str | None
    access_key: str | None
    token: str | None
    path_parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return ``service:Operation``."""
        return f"{self.service}:{self.operation}"

    @cached_property
    def request(self) -> Any:
        """Return the request as werkzeug sees it."""
        return request_of(self.environ, self.body)

    @cached_property
    def model(self) -> OperationModel:
        """Return the operation's botocore model."""
        return service_model(self.service).operation_model(self.operation)


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return get_service_model(service)


@cache
def _operation_names(service: str) -> frozenset[str]:
    return frozenset(service_model(service).operation_names)


@cache
def _target_prefixes() -> dict[str, str]:
    """Map the first half of X-Amz-Target to the service."""
    prefixes = {service_model(name).metadata.get("targetPrefix"): name for name in SERVICES}
    return {prefix: name for prefix, name in prefixes.items() if prefix}


def request_of(environ: Environ, body: bytes) -> Any:
    """Return a werkzeug request over a body that has been read already."""
    return Request({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})


def identify(environ: Environ, body: bytes) -> Call:
    """Return the call that a request makes; raise `AwsError` when there is no such operation here."""
    environ["RAW_URI"] = environ.get("REQUEST_URI") or environ.get("RAW_URI") or environ["PATH_INFO"]
    key, region, signed_for, token = signature_of(environ)
    service = _service(environ, signed_for)
    protocol = _protocol(service, environ)
    call = Call(service, "", protocol, environ, body, region, key, token)
    call.operation = _operation(call)
    if call.operation not in _operation_names(service):
        raise AwsError("UnknownOperationException", f"{service} has no operation {call.operation!r}", 404)
    return call


def signature_of(environ: Environ) -> tuple[str | None, str | None, str | None, str | None]:
    """Return access key, region, signing name and session token, from the header or a presigned URL's query."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    if not header:
        return _presigned(dict(parse_qsl(environ.get("QUERY_STRING", ""))))
    scope = _SCOPE.search(header)
    token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN")
    if scope is None:
        return None, None, None, token
    return scope["key"], scope["region"], scope["service"], token


def _presigned(query: dict[str, str]) -> tuple[str | None, str | None, str | None, str | None]:
    """Return the same of a URL that carries its signature, in the present form or S3's older one."""
    if "AWSAccessKeyId" in query:
        _check_expiry(float(query.get("Expires", 0)))
        return query["AWSAccessKeyId"], None, "s3", query.get("x-amz-security-token")
    scope = _SCOPE.search("Credential=" + query.get("X-Amz-Credential", ""))
    if scope is None:
        return None, None, None, None
    signed_at = datetime.strptime(query.get("X-Amz-Date", "19700101T000000Z"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    _check_expiry(signed_at.timestamp() + float(query.get("X-Amz-Expires", 0)))
    return scope["key"], scope["region"], scope["service"], query.get("X-Amz-Security-Token")


def _check_expiry(expires_at: float) -> None:
    if expires_at < time.time():
        raise AwsError("AccessDenied", "Request has expired", 403)


def _service(environ: Environ, signed_for: str | None) -> str:
    name = _SIGNED_AS.get(signed_for or "", signed_for) or _unsigned_service(environ)
    if name == "sagemaker" and _INVOCATION_PATH.match(environ["PATH_INFO"]):
        return "sagemaker-runtime"
    if name == "appconfig" and _CONFIGURATION_DATA_PATH.match(environ["PATH_INFO"]):
        return "appconfigdata"
    if name not in SERVICES:
        raise NotSimulatedError(f"AWS service {name!r}")
    return name


def _unsigned_service(environ: Environ) -> str:
    """Guess from target or host; what is neither can only be S3, whose URLs carry nothing else."""
    target = environ.get("HTTP_X_AMZ_TARGET", "").split(".")[0]
    if target in _target_prefixes():
        return _target_prefixes()[target]
    host = environ.get("HTTP_HOST", "").split(".")[0]
    return host if host in SERVICES else "s3"


def _protocol(service: str, environ: Environ) -> str:
    """Return the protocol that the client chose; cloudwatch's clients speak one of three, by their age."""
    if service == "cloudwatch":
        if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
            return CBOR
        return "json" if environ.get("HTTP_X_AMZ_TARGET") else "query"
    return str(service_model(service).protocol)


def _operation(call: Call) -> str:
    if call.protocol == "json":
        return str(call.environ.get("HTTP_X_AMZ_TARGET", "")).rsplit(".", 1)[-1]
    if call.protocol == "query":
        return str(call.request.values.get("Action", ""))
    if call.protocol == CBOR:
        match = _CBOR_PATH.match(call.environ["PATH_INFO"])
        return match["operation"] if match else ""
    return _rest_operation(call)


def _rest_operation(call: Call) -> str:
    try:
        model, call.path_parameters = get_service_router(call.service).match(call.request)
    except NotFound:
        line = f"{call.environ['REQUEST_METHOD']} {call.environ['RAW_URI']}"
        raise AwsError("UnknownOperationException", f"{call.service} has no operation for {line}", 404) from None
    return str(model.name)
