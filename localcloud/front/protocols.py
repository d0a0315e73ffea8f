"""Requests to parameters, results and errors to answers, in every protocol that AWS clients speak."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class

from localcloud.errors import AwsError
from localcloud.front.calls import CBOR, Call
from localcloud.front.cbor import CborCodec

_codec = CborCodec()
_JSON_TYPES = {"1.0": "application/x-amz-json-1.0", "1.1": "application/x-amz-json-1.1"}
_XML_PROTOCOLS = ("query", "rest-xml")

# Services whose JSON protocol replaced the query protocol keep the old error codes in a header.
_QUERY_COMPATIBLE = ("sqs", "cloudwatch")


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def parameters(call: Call) -> dict[str, Any]:
    """Return a request's parameters as boto3 takes them."""
    shape = call.model.input_shape
    if shape is None:
        return {}
    try:
        if call.protocol == CBOR:
            return _codec.read(call.body, shape)
        if call.protocol == "json":
            return dict(_parser(call).parse({"body": call.body}))
        return dict(_parser(call).parse(_request_parts(call)))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise AwsError("SerializationException", f"{call.name}: the request cannot be read: {error}") from error


def _request_parts(call: Call) -> dict[str, Any]:
    request = call.request
    return {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": call.body,
        "url_path": request.path,
        "url_params": call.path_parameters,
    }


def _parser(call: Call) -> Any:
    return PROTOCOL_PARSERS[call.protocol](call.model, timestamp_parser=_aware_timestamp)


def _aware_timestamp(value: Any) -> datetime:
    parsed: datetime = parse_timestamp(value)
    return parsed.astimezone(UTC)


def answer(call: Call, result: Mapping[str, Any] | None) -> Answer:
    """Return the answer that carries a result."""
    result = result or {}
    if call.protocol == CBOR:
        shape = call.model.output_shape
        body = _codec.write(dict(result), shape) if shape is not None else b""
        return Answer(200, body, _cbor_headers())
    context = SerializationContext(str(uuid.uuid4()))
    serialized = _serializer_class(call.service, call.protocol)(call.model, context=context).serialize(result)
    body = serialized["body"]
    headers = {name: str(value) for name, value in serialized["headers"].items()}
    if call.protocol == "json":
        headers["Content-Type"] = _json_type(call)
    _mend_rest_answer(call, result, headers)
    status = _modelled_status(call, result) or serialized["status_code"]
    return Answer(status, body.encode() if isinstance(body, str) else bytes(body), headers)


@cache
def _serializer_class(service: str, protocol: str) -> Any:
    return get_serializer_class(service, protocol)


def _mend_rest_answer(call: Call, result: Mapping[str, Any], headers: dict[str, str]) -> None:
    """Set a modelled Content-Type again: the serialiser overwrites it with its protocol's own."""
    shape = call.model.output_shape
    if call.protocol != "rest-json" or shape is None:
        return
    member = shape.members.get("ContentType")
    if member is not None and member.serialization.get("location") == "header" and result.get("ContentType"):
        headers["Content-Type"] = str(result["ContentType"])


def _modelled_status(call: Call, result: Mapping[str, Any]) -> int | None:
    """Return the HTTP status if the output has a member that is one (`StatusCode` of Lambda's Invoke)."""
    shape = call.model.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "statusCode" and name in result:
            return int(result[name])
    return None


def error_answer(call: Call | None, error: AwsError, content_type: str = "") -> Answer:
    """Return the answer that carries an error, in the caller's protocol (by the request's type if it is not known)."""
    protocol = call.protocol if call is not None else "query" if "form-urlencoded" in content_type else "json"
    status = _error_status(call, error)
    if protocol == CBOR:
        body = _codec.write_error({"__type": error.code, "message": error.message, **error.extra})
        return Answer(status, body, {**_cbor_headers(), **_query_error(call, error)})
    if protocol in _XML_PROTOCOLS:
        return Answer(status, _xml_error(call, error).encode(), {"Content-Type": "text/xml"})
    body = json.dumps(
        {"__type": error.code, "message": error.message, "Message": error.message, **error.extra}
    ).encode()
    headers = {"Content-Type": _json_type(call), "X-Amzn-Errortype": error.code, **_query_error(call, error)}
    return Answer(status, body, headers)


def _error_status(call: Call | None, error: AwsError) -> int:
    """Return the error's own status, or the modelled one when the error carries only the default."""
    if call is None or error.status != 400 or not call.operation:
        return error.status
    for shape in call.model.error_shapes:
        details = shape.metadata.get("error", {})
        if error.code in (shape.name, details.get("code")):
            return int(details.get("httpStatusCode", error.status))
    return error.status


def _query_error(call: Call | None, error: AwsError) -> dict[str, str]:
    if call is None or call.service not in _QUERY_COMPATIBLE:
        return {}
    return {"x-amzn-query-error": f"{error.code};Sender"}


def _xml_error(call: Call | None, error: AwsError) -> str:
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    request_id = uuid.uuid4()
    if call is not None and call.service == "s3":
        return f"<?xml version='1.0' encoding='UTF-8'?><Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    return (
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _json_type(call: Call | None) -> str:
    if call is None or call.protocol == "rest-json":
        return "application/json"
    return _JSON_TYPES[str(call.model.service_model.metadata.get("jsonVersion", "1.1"))]


def _cbor_headers() -> dict[str, str]:
    return {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
