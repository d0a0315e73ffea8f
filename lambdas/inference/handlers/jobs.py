"""Takes jobs in, and tells how they stand.

It is invoked by API Gateway (REST, proxy integration) for ``POST /jobs`` and ``GET /jobs/{id}``.

Calls: dynamodb GetItem and PutItem of jobs, and GetItem on the rollout table; s3 PutObject of jobs' rows and GetObject
of their answers; sqs SendMessage to the queue of jobs; appconfig StartConfigurationSession and GetLatestConfiguration;
and what `predict` calls to learn signatures.
"""

import re
import time
import uuid
from typing import Any

from lambdas.contract import ENV_JOBS_QUEUE_URL
from lambdas.inference import bodies, headers, identity
from lambdas.inference.adapters.job_files import S3JobFiles
from lambdas.inference.adapters.job_table import DynamoJobs
from lambdas.inference.adapters.queues import SqsQueue
from lambdas.inference.canonical import input_hash
from lambdas.inference.cors import shown_to_pages
from lambdas.inference.flags import switched_off
from lambdas.inference.handlers.answering import answered, check_method
from lambdas.inference.handlers.times import SystemClock
from lambdas.inference.handlers.wiring import log_of, real_ports
from lambdas.inference.headers import Asked
from lambdas.inference.http import HttpAnswer, HttpRequest
from lambdas.inference.jobs.accepting import Accepting, Request
from lambdas.inference.jobs.job import Status
from lambdas.inference.jobs.showing import POLL_SECONDS, Showing
from lambdas.inference.problems import Problem
from lambdas.inference.settings import Jobs, front_door

_ID = re.compile(r"[0-9a-f]{32}")
_WARM = "warm"

_settings = front_door()
_log = log_of(_settings, "jobs")
_ports = real_ports(_settings, None, _log)
_clock, _store, _files = SystemClock(), DynamoJobs(), S3JobFiles()
_keep_days = (_settings.jobs or Jobs()).keep_days
_queue = SqsQueue(ENV_JOBS_QUEUE_URL)
_accepting = Accepting(_settings.endpoint, _keep_days, _store, _files, _queue, _clock, time.sleep)
_showing = Showing(_settings.endpoint, _store, _files, _clock)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request; whatever happens, with an answer that says what it is."""
    if event.get("tidegate") == _WARM:
        return {"tidegate": _WARM}
    request_id = str(uuid.uuid4())
    _log.bind(request=str(getattr(context, "aws_request_id", "")), prediction=request_id)
    return answered(lambda: _route(HttpRequest.of(event)), _log, request_id).proxy(shown_to_pages(event, _settings))


def _route(request: HttpRequest) -> HttpAnswer:
    if request.resource == "/jobs":
        check_method(request, "POST")
        return _post(request)
    if request.resource == "/jobs/{id}":
        check_method(request, "GET")
        return _get(request)
    raise Problem("not-found", f"there is no {request.resource}; ask for /jobs or /jobs/{{id}}")


def _post(request: HttpRequest) -> HttpAnswer:
    caller = identity.caller_of(request, _settings)
    asked = headers.asked(request, caller)
    _check_untargeted(asked)
    _check_open()
    instances = bodies.instances(request, _settings)
    _check_signature(instances)
    # What was sent, not what a signature makes of it: a replay must hash alike whether or not that can be read.
    asked_for = Request(
        client=caller.client,
        caller=asked.caller or "",
        subject=asked.subject or "",
        rows=instances,
        input_hash=input_hash(instances),
        key=asked.idempotency_key,
    )
    accepted = _accepting.accept(asked_for)
    # Relative to what was asked for, which only the caller knows: a custom domain has another path than the stage.
    place = f"jobs/{accepted.id}"
    found = {"Location": place, "Retry-After": str(POLL_SECONDS), headers.PREDICTION_ID: accepted.id}
    replayed = {headers.REPLAYED: "true"} if accepted.replayed else {}
    return HttpAnswer.json(202, {"id": accepted.id, "status": Status.QUEUED.value}, found | replayed)


def _get(request: HttpRequest) -> HttpAnswer:
    caller = identity.caller_of(request, _settings)
    asked_for = request.path_parameters.get("id", "")
    if not _ID.fullmatch(asked_for):
        raise Problem("not-found", "there is no such job, or it is no longer kept")
    document, found = _showing.of(asked_for, caller.client)
    return HttpAnswer.json(200, document, found | {headers.PREDICTION_ID: asked_for})


def _check_untargeted(asked: Asked) -> None:
    if asked.target is not None:
        detail = f"{headers.TARGET} is for predictions, and a job is answered by whichever is live then; leave it out"
        raise Problem("invalid-header", detail)


def _check_open() -> None:
    switches = _ports.flags.latest()
    if not (switches.front_door and switches.jobs):
        raise switched_off(f"jobs of {_settings.endpoint} have")


def _check_signature(instances: list[Any]) -> None:
    view = _ports.views.latest()
    signature = _ports.signatures.of(view.live) if view is not None else None
    if signature is not None:
        signature.check(instances)
