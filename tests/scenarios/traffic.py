"""A steady stream of requests to an endpoint, and what became of each."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from model_containers.training import replay
from tidegate.aws import session

SENDERS = 4
RATE = 10.0
"""Requests a second: enough for an alarm to judge half of them by, and little work for two cores."""

_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """One request's outcome; `variant` is None when none answered."""

    at: float
    variant: str | None
    error: str | None


@dataclass
class Traffic:
    """Requests sent so far and what became of them."""

    answers: list[Answer] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, answer: Answer) -> None:
        """Keep an answer."""
        with self._lock:
            self.answers.append(answer)

    @property
    def failures(self) -> list[Answer]:
        """The requests that were not answered with success."""
        return [answer for answer in self.answers if answer.error is not None]


@contextmanager
def sending(cloud: LocalCloud, endpoint: str, rate: float = RATE) -> Iterator[Traffic]:
    """Send recorded days, of all kinds at any time, at a steady rate for as long as the context lasts."""
    traffic, stop, client = Traffic(), Event(), _client(cloud)
    rows = _mixed(replay.rows(replay.REPLAY.start, replay.REPLAY.stop))

    def send(rows: list[str]) -> None:
        for row in itertools.cycle(rows):
            if stop.wait(SENDERS / rate):
                return
            traffic.add(_ask(client, endpoint, row))

    threads = [Thread(target=send, args=(rows[first::SENDERS],), daemon=True) for first in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _mixed(days: list[str]) -> list[str]:
    # The bad version fails on days of a kind, of which there are none for weeks on end. With this stride there are five
    # in any forty, so that no period of an alarm is spared, however slowly the days go by.
    stride = 53
    return [day for first in range(stride) for day in days[first::stride]]


def _client(cloud: LocalCloud) -> Any:
    once = Config(retries={"total_max_attempts": 1}, read_timeout=_PATIENCE_SECONDS)
    return session(cloud.environment).client("sagemaker-runtime", endpoint_url=cloud.endpoint_url, config=once)


def _ask(client: Any, endpoint: str, row: str) -> Answer:
    at = time.time()
    try:
        answer = client.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row.encode())
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        return Answer(at, headers.get("x-amzn-invoked-production-variant"), str(error))
    return Answer(at, answer["InvokedProductionVariant"], None)
