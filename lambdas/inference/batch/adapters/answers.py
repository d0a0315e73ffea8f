"""Answers in the front doors' table, each under a key of its own.

Needs dynamodb:PutItem on the front doors' table (`TIDEGATE_INFERENCE_TABLE`), for the partitions
``PREDICTION#<endpoint>#*``, with kms:Decrypt and kms:GenerateDataKey where that has a key of its own.
"""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lambdas import contract
from lambdas.inference.adapters.attributes import written
from lambdas.inference.adapters.clients import make
from lambdas.inference.batch.loading import Outcome
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import RetryableError

AT_ONCE = 16
"""Writes that are under way at a time; a write waits for DynamoDB most of its life."""

_CONNECT, _READ = 1.0, 3.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_OLDER_OR_ITSELF = "attribute_not_exists(#at) OR #at < :at OR (#run = :run AND #source = :source)"
_NAMES = {"#at": "at", "#run": "run", "#source": "source"}


def patient_dynamodb() -> Any:
    """Return a client for many writes at a time."""
    return make("dynamodb", connect=_CONNECT, read=_READ, connections=AT_ONCE)


class DynamoAnswers:
    """Implements `lambdas.inference.batch.loading.Answers`.

    A write that is throttled is made again after a pause, twice as long as the one before it and less by chance, which
    holds up those behind it: so the table is not asked for more than it gives.

    Parameters
    ----------
    client
        DynamoDB's, for `AT_ONCE` threads.
    left
        Returns how many seconds are left for trying again.
    sleep
        Waits.
    """

    def __init__(self, client: Any, left: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._left = left
        self._sleep = sleep

    def put(self, items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Write answers over those of older runs; return what became of each."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="answers") as threads:
            return list(threads.map(self._put, items))

    def _put(self, item: Mapping[str, Any]) -> Outcome:
        pause = _SHORTEST_PAUSE
        while True:
            try:
                return self._tried(item)
            except RetryableError:
                if pause > self._left():
                    raise
            self._sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _tried(self, item: Mapping[str, Any]) -> Outcome:
        from botocore.exceptions import ClientError

        own = written({":at": item["at"], ":run": item["run"], ":source": item["source"]})
        with translated():
            try:
                self._client.put_item(
                    TableName=os.environ[contract.ENV_INFERENCE_TABLE],
                    Item=written(item),
                    ConditionExpression=_OLDER_OR_ITSELF,
                    ExpressionAttributeNames=_NAMES,
                    ExpressionAttributeValues=own,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                there: Any = error.response.get("Item") or {}
                return _of(there, own)
        return Outcome.LOADED


def _of(there: Mapping[str, Any], own: Mapping[str, Any]) -> Outcome:
    return Outcome.REPEATED if there.get("run") == own[":run"] else Outcome.SUPERSEDED
