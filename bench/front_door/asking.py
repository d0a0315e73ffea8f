"""Requests through the front door with all that the answer says of itself."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import urllib3

from bench.front_door.place import Place

_SECONDS = 35


@dataclass(frozen=True)
class Answer:
    """An answer.

    Parameters
    ----------
    ms
        Milliseconds until it was there.
    source
        `model`, `cache`, `stale` or `default`; empty for a failure.
    retry_after
        When to come again, as it says; empty where it does not.
    """

    ms: float
    status: int
    source: str
    retry_after: str
    body: bytes


class Caller:
    """One client with one connection, which keeps nothing from whoever looks.

    Parameters
    ----------
    place
        Where the front door is.
    """

    def __init__(self, place: Place) -> None:
        self._url = urljoin(place.door.url, "predictions")
        self._headers = {"Content-Type": "application/json", "X-Api-Key": place.key}
        self._pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=_SECONDS)

    def ask(self, rows: Sequence[Sequence[float]]) -> Answer:
        """Send rows."""
        body = json.dumps({"instances": rows})
        began = time.perf_counter()
        answer = self._pool.request("POST", self._url, body=body, headers=self._headers)
        ms = (time.perf_counter() - began) * 1000
        told = answer.headers
        return Answer(ms, answer.status, told.get("Tidegate-Answer", ""), told.get("Retry-After", ""), answer.data)
