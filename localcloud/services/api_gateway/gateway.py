"""The way of a request through an API: route, authorise, admit, validate, integrate, record."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from localcloud.front.http_answer import HttpAnswer
from localcloud.services.api_gateway.admission import Admission
from localcloud.services.api_gateway.authorization import Authorization
from localcloud.services.api_gateway.exchange import Exchange, new_exchange
from localcloud.services.api_gateway.gateway_errors import GatewayError, broken, no_route, too_large
from localcloud.services.api_gateway.gateway_responses import answer_error
from localcloud.services.api_gateway.integrations import Integrations
from localcloud.services.api_gateway.records import Records
from localcloud.services.api_gateway.request import Request, request_of
from localcloud.services.api_gateway.rest_api import Apis
from localcloud.services.api_gateway.validating import check_request

_log = logging.getLogger(__name__)
_LONGEST_BODY = 10 * 1024 * 1024
_LONGEST_HEAD = 10_240


class Gateway:
    """Serves the stages of all APIs.

    Parameters
    ----------
    apis
        The APIs.
    authorization
        Lets callers in.
    admission
        Lets requests through.
    integrations
        Answers them.
    records
        Keeps metrics and logs.
    account, region
        Where the APIs are.
    """

    def __init__(
        self,
        apis: Apis,
        authorization: Authorization,
        admission: Admission,
        integrations: Integrations,
        records: Records,
        account: str,
        region: str,
    ) -> None:
        self._apis = apis
        self._authorization = authorization
        self._admission = admission
        self._integrations = integrations
        self._records = records
        self._account = account
        self._region = region

    def answer(self, environ: Mapping[str, Any], body: bytes) -> HttpAnswer | None:
        """Return the answer to a request to an API; None if the request is for something else."""
        request = request_of(environ, body)
        return None if request is None else self._serve(request)

    def _serve(self, request: Request) -> HttpAnswer:
        stage = self._apis.stage(request.api_id, request.stage)
        if stage is None or stage.snapshot.design.settings.get("disableExecuteApiEndpoint"):
            return _plain(403, "Forbidden", "ForbiddenException")
        if request.head_size > _LONGEST_HEAD:
            return _plain(431, "Request Header Fields Too Large", "BadRequestException")
        exchange = new_exchange(request, stage, self._account, self._region)
        answer = self._answer(exchange)
        known = exchange.context
        answer.headers += [("x-amzn-RequestId", known["requestId"]), ("x-amz-apigw-id", known["extendedRequestId"])]
        self._records.keep(exchange, answer)
        return answer

    def _answer(self, exchange: Exchange) -> HttpAnswer:
        try:
            return self._pass(exchange)
        except GatewayError as error:
            return answer_error(exchange, error)
        except Exception:
            _log.exception("%s failed in the local cloud itself", exchange.arn)
            return answer_error(exchange, broken(500))

    def _pass(self, exchange: Exchange) -> HttpAnswer:
        if len(exchange.request.body) > _LONGEST_BODY:
            raise too_large(f"HTTP content length exceeded {_LONGEST_BODY} bytes.")
        _route(exchange)
        self._authorization.check(exchange)
        self._admission.check(exchange)
        check_request(exchange)
        return self._integrations.answer(exchange)


def _route(exchange: Exchange) -> None:
    """Note the method that a request is for; raise `GatewayError` if there is none."""
    request = exchange.request
    found = exchange.stage.snapshot.router.find(request.path, request.method)
    if found is None:
        raise no_route()
    resource, parameters = found
    methods = resource["resourceMethods"]
    exchange.resource, exchange.parameters = dict(resource), parameters
    exchange.method = methods.get(request.method) or methods["ANY"]
    exchange.context.update(resourceId=resource["id"], resourcePath=resource["path"])
    if exchange.method.get("operationName"):
        exchange.context["operationName"] = exchange.method["operationName"]


def _plain(status: int, message: str, error_type: str) -> HttpAnswer:
    """Return an answer that no gateway response is for."""
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error_type)]
    return HttpAnswer(status, json.dumps({"message": message}).encode(), headers)
