"""The stream of answers.

Needs kinesis:PutRecords on it (`TIDEGATE_OUTPUT_STREAM`), and kms:GenerateDataKey on its key; the stream that is read
needs what Lambda's event source does (kinesis:GetRecords, kinesis:GetShardIterator, kinesis:DescribeStream,
kinesis:DescribeStreamSummary, kinesis:ListShards, kinesis:SubscribeToShard; kms:Decrypt).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lambdas.contract import ENV_OUTPUT_STREAM
from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.streaming.answers import Outcome
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import TidegateError

MOST_RECORDS = 500
MOST_BYTES = 5 * 1024 * 1024
TRIES = 5
_PAUSE = 0.1
_CONNECT, _READ = 1.0, 5.0

Put = tuple[int, dict[str, Any]]
"""The place of an outcome, and its record."""


class KinesisResults:
    """Implements `lambdas.inference.streaming.ports.Results`.

    Parameters
    ----------
    pause
        Waits for some seconds.
    warn
        Told what went wrong.
    client
        Returns Kinesis' client.
    """

    def __init__(
        self, pause: Callable[[float], None], warn: Callable[[str], None], client: Callable[[], Any] | None = None
    ) -> None:
        self._pause, self._warn = pause, warn
        self._client = client or Lazy("kinesis", connect=_CONNECT, read=_READ)

    def put(self, outcomes: Sequence[Outcome]) -> int | None:
        """Write outcomes; return the place of the first that was not written, None when all are.

        Of records under one key, the second is sent when the first is written: PutRecords may write the second of two
        and refuse the first, which then could only be written after it.
        """
        records = [{"Data": each.data(), "PartitionKey": each.source.partition_key} for each in outcomes]
        left = set(range(len(records)))
        for wave in waves(list(enumerate(records))):
            for call in calls(wave):
                missing = self._persistently(call)
                left -= {place for place, _ in call} - {place for place, _ in missing}
                if missing:
                    # With what has not been sent: a later wave may hold what was before it in the stream.
                    return min(left)
        return None

    def _persistently(self, call: list[Put]) -> list[Put]:
        for tried in range(TRIES):
            if tried:
                self._pause(_PAUSE * 2**tried)
            call = self._refused(call)
            if not call:
                break
        return call

    def _refused(self, call: list[Put]) -> list[Put]:
        try:
            with translated():
                answer = self._client().put_records(
                    StreamName=os.environ[ENV_OUTPUT_STREAM], Records=[record for _, record in call]
                )
        except TidegateError as error:
            self._warn(f"{len(call)} answers were not written: {error}")
            return call
        told = zip(call, answer["Records"], strict=True)
        refused = [(put, each["ErrorCode"]) for put, each in told if each.get("ErrorCode")]
        if refused:
            self._warn(f"{len(refused)} of {len(call)} answers were not written: {refused[0][1]}")
        return [put for put, _ in refused]


def waves(puts: Sequence[Put]) -> list[list[Put]]:
    """Return records so that none shares a wave with another of its key, and those of a key keep their order."""
    found: list[list[Put]] = []
    seen: dict[str, int] = {}
    for put in puts:
        key = put[1]["PartitionKey"]
        number = seen.get(key, 0)
        seen[key] = number + 1
        if number == len(found):
            found.append([])
        found[number].append(put)
    return found


def calls(wave: Sequence[Put]) -> Iterator[list[Put]]:
    """Yield records as many together as PutRecords takes."""
    call: list[Put] = []
    size = 0
    for put in wave:
        own = len(put[1]["Data"]) + len(put[1]["PartitionKey"].encode())
        if call and (len(call) == MOST_RECORDS or size + own > MOST_BYTES):
            yield call
            call, size = [], 0
        call.append(put)
        size += own
    if call:
        yield call
