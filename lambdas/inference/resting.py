"""A store that is left alone for a while after it has failed, so that nobody waits for one that is away."""

from collections.abc import Callable
from typing import TypeVar

from lambdas.contract import CACHE_FAILURES_METRIC
from lambdas.inference.breaker import CircuitBreaker
from lambdas.inference.ports import AnswerKey, AnswerStore, KeptAnswer, Log
from lambdas.inference.settings import Breaker
from lambdas.rollout.errors import TidegateError

REST_SECONDS = 5.0
"""A store that does not answer costs one request of an instance its time-outs, and in these seconds no other."""

_AFTER_ONE = Breaker(failures=1, open_seconds=REST_SECONDS)

_Found = TypeVar("_Found")


class RestingStore:
    """Implements `lambdas.inference.ports.AnswerStore` by another, whose failures are no answers; none is raised.

    Parameters
    ----------
    store
        The other.
    log
        Told when it fails that did not before, and when it is there again; counts each failure.
    clock
        Seconds on a clock that never goes back, and sees the time that a function is frozen.
    """

    def __init__(self, store: AnswerStore, log: Log, clock: Callable[[], float]) -> None:
        self._store = store
        self._log = log
        self._breaker = CircuitBreaker(_AFTER_ONE, clock)

    def prime(self) -> None:
        """Do beforehand what the first call would wait for."""
        self._asked(self._store.prime)

    def get(self, key: AnswerKey) -> KeptAnswer | None:
        """Return an answer; None when there is none, or the store is left alone."""
        return self._asked(lambda: self._store.get(key))

    def put(self, key: AnswerKey, answer: KeptAnswer, seconds: int) -> None:
        """Keep an answer, unless the store is left alone."""
        self._asked(lambda: self._store.put(key, answer, seconds))

    def _asked(self, ask: Callable[[], _Found]) -> _Found | None:
        if not self._breaker.admits():
            return None
        try:
            found = ask()
        except TidegateError as error:
            self._failed(error)
            return None
        except (KeyError, TypeError, ValueError):
            self._succeeded()  # it is there, and holds something strange
            raise
        self._succeeded()
        return found

    def _failed(self, error: TidegateError) -> None:
        if not self._breaker.is_open:
            self._log.warning(f"the cache is left alone for {REST_SECONDS:.0f} s at a time: {error}")
        self._log.count(CACHE_FAILURES_METRIC)
        self._breaker.failed()

    def _succeeded(self) -> None:
        if self._breaker.is_open:
            self._log.info("the cache is there again")
        self._breaker.succeeded()
