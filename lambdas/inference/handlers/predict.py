"""Answers requests for predictions, and says what they may hold.

It is invoked by API Gateway (REST, proxy integration) for ``POST /predictions`` and ``GET /schema``, where answers
of batches can be asked for by key for ``GET /predictions/{key}``, and with ``{"tidegate": "warm"}`` by whoever wants it
to be ready.

Calls: sagemaker InvokeEndpoint; dynamodb GetItem and PutItem on the front doors' table, and GetItem on the rollout
table; appconfig StartConfigurationSession and GetLatestConfiguration; sagemaker DescribeModelPackage,
DescribeEndpointConfig and DescribeModel, and s3 GetObject of signatures; where answers are kept in Valkey, elasticache
Connect, and GET and SET of the cache.
"""

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

from lambdas.inference import bodies, headers, identity
from lambdas.inference.adapters.runtime import runtime_client
from lambdas.inference.answer_size import check_fits
from lambdas.inference.asking_by_key import SOURCE, KeyedAnswers, KeyedCall
from lambdas.inference.cors import shown_to_pages
from lambdas.inference.handlers.answering import answered, check_method
from lambdas.inference.handlers.wiring import log_of, real_ports
from lambdas.inference.http import HttpAnswer, HttpRequest
from lambdas.inference.predicting import Answered, Call, Predictor
from lambdas.inference.problems import Problem
from lambdas.inference.settings import front_door

LONGEST_SECONDS = 28.0
"""API Gateway gives up after 29 s."""

_MARGIN_SECONDS = 0.5
_MILLISECONDS = 1000.0
_WARM = "warm"
_PROVISIONED = "provisioned-concurrency"

_settings = front_door()
_log = log_of(_settings, "predict")
_ports = real_ports(_settings, runtime_client(_settings.timeout_seconds), _log)
_predictor = Predictor(_settings, _ports, check_fits)
_keyed = KeyedAnswers(_settings, _ports) if _settings.batch is not None and _settings.batch.serve_days else None


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request; whatever happens, with an answer that says what it is."""
    if event.get("tidegate") == _WARM:
        _predictor.prime()
        return {"tidegate": _WARM}
    prediction_id = str(uuid.uuid4())
    _log.bind(request=str(getattr(context, "aws_request_id", "")), prediction=prediction_id)
    found = answered(
        lambda: _route(HttpRequest.of(event), prediction_id, _time_left(context)),
        _log,
        prediction_id,
        {headers.PREDICTION_ID: prediction_id},
    )
    return found.proxy(shown_to_pages(event, _settings))


def _route(request: HttpRequest, prediction_id: str, left: Callable[[], float]) -> HttpAnswer:
    if request.resource == "/predictions":
        check_method(request, "POST")
        return _predictions(request, prediction_id, left)
    if request.resource == "/schema":
        check_method(request, "GET")
        return HttpAnswer.json(200, _predictor.schema(), {"Content-Type": "application/schema+json"})
    if request.resource == "/predictions/{key}" and _keyed is not None:
        check_method(request, "GET")
        return _by_key(_keyed, request, prediction_id)
    raise Problem("not-found", f"there is no {request.resource}; ask for /predictions or /schema")


def _predictions(request: HttpRequest, prediction_id: str, left: Callable[[], float]) -> HttpAnswer:
    caller = identity.caller_of(request, _settings)
    asked = headers.asked(request, caller)
    instances = bodies.instances(request, _settings)
    found = _predictor.predict(Call(prediction_id, caller, asked, instances, left))
    return HttpAnswer(200, found.body, _headers(found, prediction_id))


def _by_key(answers: KeyedAnswers, request: HttpRequest, prediction_id: str) -> HttpAnswer:
    caller = identity.caller_of(request, _settings)
    on_behalf_of = headers.text_of(request, headers.CALLER)
    found = answers.find(KeyedCall(prediction_id, caller, on_behalf_of, request.path_parameters["key"]))
    said = {
        headers.PREDICTION_ID: prediction_id,
        headers.ANSWER: SOURCE,
        headers.MODEL_VERSION: found.version,
        "Last-Modified": found.time,
    }
    return HttpAnswer(200, found.body, said)


def _headers(found: Answered, prediction_id: str) -> dict[str, str]:
    said = {
        headers.PREDICTION_ID: prediction_id,
        headers.ANSWER: found.source,
        headers.VARIANT: found.variant,
        headers.MODEL_VERSION: found.served.version if found.served else "",
    }
    return {name: value for name, value in said.items() if value}


def _time_left(context: Any) -> Callable[[], float]:
    given = float(context.get_remaining_time_in_millis()) / _MILLISECONDS - _MARGIN_SECONDS
    ends = time.monotonic() + min(given, LONGEST_SECONDS)
    return lambda: ends - time.monotonic()


if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == _PROVISIONED:
    # Nobody waits for this start, so it does all that the first request would have to.
    _predictor.prime()
