"""Rates: how many requests a second, and how many at once."""

import threading
import time
from collections.abc import Callable


class TokenBucket:
    """Holds up to `burst` tokens, and fills at `rate` tokens a second.

    Parameters
    ----------
    rate
        Tokens a second.
    burst
        Tokens at the most.
    now
        Seconds, for the filling.
    """

    def __init__(self, rate: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._now = now
        self._tokens = burst
        self._filled_at = now()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a token; return whether there was one."""
        with self._lock:
            now = self._now()
            self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate)
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class Throttles:
    """Buckets by name; one whose settings have changed begins anew."""

    def __init__(self) -> None:
        self._buckets: dict[object, TokenBucket] = {}
        self._lock = threading.Lock()

    def admit(self, name: object, rate: float | None, burst: float | None) -> bool:
        """Whether a request may pass; without a rate or a burst that side has no limit, as with -1."""
        rate, burst = _limit(rate), _limit(burst)
        if rate is None and burst is None:
            return True
        return self._bucket(name, rate, burst).take()

    def _bucket(self, name: object, rate: float | None, burst: float | None) -> TokenBucket:
        per_second = _NO_LIMIT if rate is None else rate
        at_once = max(per_second, 1.0) if burst is None else burst
        with self._lock:
            bucket = self._buckets.get(name)
            if bucket is None or (bucket.rate, bucket.burst) != (per_second, at_once):
                bucket = self._buckets[name] = TokenBucket(per_second, at_once)
        return bucket


_NO_LIMIT = 1e9


def _limit(value: float | None) -> float | None:
    return None if value is None or value < 0 else float(value)
