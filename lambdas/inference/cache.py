"""Answers that are given again.

An answer is kept under the endpoint, what gave it (the model, and the config that it is live with), and the hash of its
input. So a version that is promoted starts with what it answered as a candidate, and one that gets another container
with nothing; one that is rolled back to finds its own answers again; and no answer is ever given in another version's
name. How old an answer is is told by its own time: stores delete late what has expired.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lambdas.inference.ports import AnswerKey, AnswerStore, KeptAnswer, Log
from lambdas.inference.settings import Cache
from lambdas.inference.view import Served
from lambdas.rollout.errors import TidegateError

LARGEST_BYTES = 300_000
"""An item of DynamoDB has room for 400 KB."""


@dataclass(frozen=True)
class Stored:
    """An answer that a version has given before, and when (epoch seconds)."""

    body: str
    at: float


class Answers:
    """The answers that an endpoint has given.

    Nothing here fails: an answer that cannot be read is one that is not there.

    Parameters
    ----------
    settings
        For how long they are good.
    endpoint
        Whose.
    store, log
        Where they are, and where it is said what went wrong.
    now
        Returns epoch seconds.
    """

    def __init__(self, settings: Cache, endpoint: str, store: AnswerStore, log: Log, now: Callable[[], float]) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._store = store
        self._log = log
        self._now = now

    def prime(self) -> None:
        """Do beforehand what the first look would wait for."""
        try:
            self._store.prime()
        except TidegateError as error:
            self._log.warning(f"the cache could not be reached: {error}")

    def find(self, served: Served, input_hash: str) -> Stored | None:
        """Return what a version has answered, as long as it may stand in for it."""
        try:
            kept = self._store.get(self._key(served, input_hash))
        except (TidegateError, KeyError, TypeError, ValueError) as error:
            self._log.warning(f"the cache could not be read: {type(error).__name__}: {error}")
            return None
        stored = _stored(kept, served)
        return stored if stored is not None and self._age(stored) < self._longest else None

    def is_fresh(self, stored: Stored) -> bool:
        """Return whether an answer is as good as the model's."""
        return self._age(stored) < self._settings.seconds

    def keep(self, served: Served, input_hash: str, body: str) -> None:
        """Keep what a version has answered just now."""
        if len(body.encode()) > LARGEST_BYTES:
            return
        answer = KeptAnswer(body, served.cache, served.version, self._now())
        try:
            self._store.put(self._key(served, input_hash), answer, self._longest + 1)
        except TidegateError as error:
            self._log.warning(f"an answer could not be kept: {error}")

    @property
    def _longest(self) -> int:
        return max(self._settings.seconds, self._settings.stale_seconds)

    def _age(self, stored: Stored) -> float:
        # A clock that is behind the one that wrote it makes nothing younger than new.
        return max(self._now() - stored.at, 0.0)

    def _key(self, served: Served, input_hash: str) -> AnswerKey:
        return AnswerKey(self._endpoint, served.cache, input_hash)


def _stored(kept: KeptAnswer | None, served: Served) -> Stored | None:
    # What stands under one version's key and says that another has given it is believed by nobody.
    return Stored(kept.body, kept.at) if kept is not None and kept.who == served.cache else None
