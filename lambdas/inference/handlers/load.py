"""Puts a stretch of a batch's answer file where its answers can be asked for by key.

It is invoked by a state machine with a `lambdas.inference.batch.loading.Task`, and answers with the task that goes on
behind what it has loaded; its ``done`` says whether there is one. It ends by itself well before its time-out.

Calls: s3 GetObject and PutObject below ``batch/<endpoint>/``; dynamodb PutItem on the front doors' table.
"""

import functools
import time
from dataclasses import asdict
from typing import Any

from lambdas.inference.batch.adapters.answers import DynamoAnswers, patient_dynamodb
from lambdas.inference.batch.adapters.files import S3Lines
from lambdas.inference.batch.adapters.objects import S3Objects
from lambdas.inference.batch.loading import Loader, Task
from lambdas.inference.settings import front_door
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.handlers.wiring import begin_long, logger

MARGIN_SECONDS = 40.0
"""Before the time-out, after which no block is begun: enough for one that is throttled, and to say how far it is."""

_GIVE_UP_SECONDS = 15.0
_MILLISECONDS = 1000.0

_dynamodb = functools.cache(patient_dynamodb)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Load a stretch; what is wrong fails the step, by name."""
    begin_long(context)
    settings = front_door()
    if settings.batch is None or not settings.batch.serve_days:
        raise PermanentError(f"answers of {settings.endpoint} are not asked for by key any more: it has no batch.serve")
    ends = time.monotonic() + float(context.get_remaining_time_in_millis()) / _MILLISECONDS
    loader = Loader(
        endpoint=settings.endpoint,
        keep_days=settings.batch.serve_days,
        lines=S3Lines(),
        answers=DynamoAnswers(_dynamodb(), lambda: ends - _GIVE_UP_SECONDS - time.monotonic()),
        results=S3Objects(),
        in_time=lambda: time.monotonic() < ends - MARGIN_SECONDS,
    )
    task = Task(**event)
    following = loader.load(task)
    logger.info(f"{task.key}: loaded lines {task.line + 1} to {following.line}", done=following.done)
    return asdict(following)
