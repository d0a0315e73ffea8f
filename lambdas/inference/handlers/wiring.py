"""The real world's ports for a front door."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from lambdas.contract import function_service
from lambdas.inference.adapters.answers import TableAnswers
from lambdas.inference.adapters.flags import AppConfigFlags, NoFlags, quick_appconfig
from lambdas.inference.adapters.log import JsonLog
from lambdas.inference.adapters.runtime import SageMakerRuntime
from lambdas.inference.adapters.signatures import RecordedSignatures, quick
from lambdas.inference.adapters.table import InferenceTable, RecordedRoute, quick_dynamodb
from lambdas.inference.adapters.valkey_answers import ValkeyAnswers
from lambdas.inference.adapters.valkey_connection import KeptConnection, connect
from lambdas.inference.handlers.freshness import FreshnessClock
from lambdas.inference.ports import AnswerStore, FeatureFlags, Log, Ports, Table
from lambdas.inference.resting import RestingStore
from lambdas.inference.settings import FrontDoor
from lambdas.inference.view import Views


def log_of(settings: FrontDoor, handler: str) -> JsonLog:
    """Return the log of a function of an endpoint's front door."""
    return JsonLog(function_service(handler), endpoint=settings.endpoint)


def real_ports(settings: FrontDoor, runtime: Any, log: Log) -> Ports:
    """Return the ports to AWS.

    Parameters
    ----------
    settings
        How the front door behaves.
    runtime
        SageMaker runtime's client; no other is made before it is used.
    log
        Of the function.
    """
    dynamodb = quick_dynamodb()
    table = InferenceTable(dynamodb)
    fresh = FreshnessClock(time.time, time.monotonic)
    return Ports(
        runtime=SageMakerRuntime(settings.endpoint, runtime, settings.timeout_seconds),
        table=table,
        answers=_answers(settings, table, log, fresh),
        views=Views(RecordedRoute(settings.endpoint, dynamodb), fresh, log.warning),
        signatures=RecordedSignatures(settings.endpoint, table, log, quick("sagemaker"), quick("s3"), time.time),
        flags=_flags(settings, log, fresh),
        log=log,
        now=time.time,
        clock=time.monotonic,
        freshness_clock=fresh,
    )


def _answers(settings: FrontDoor, table: Table, log: Log, fresh: Callable[[], float]) -> AnswerStore:
    valkey = settings.cache.valkey if settings.cache is not None else None
    if valkey is None:
        return TableAnswers(table)
    return RestingStore(ValkeyAnswers(KeptConnection(partial(connect, valkey), fresh)), log, fresh)


def _flags(settings: FrontDoor, log: Log, fresh: Callable[[], float]) -> FeatureFlags:
    if settings.flags is None:
        return NoFlags()
    return AppConfigFlags(settings.flags, quick_appconfig(), fresh, log)
