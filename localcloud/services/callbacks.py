"""URLs on the front to which a function answers, as a custom resource's function answers CloudFormation."""

import secrets
import threading
from collections.abc import Callable

PATH = "/_localcloud/cfn/"


class Callback:
    """One URL that waits for one PUT."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._arrived = threading.Event()
        self._body = b""

    def deliver(self, body: bytes) -> None:
        """Take the answer; only the first counts."""
        if not self._arrived.is_set():
            self._body = body
            self._arrived.set()

    def wait(self, timeout: float) -> bytes:
        """Return the answer; raise `TimeoutError` if none comes in time."""
        if not self._arrived.wait(timeout):
            raise TimeoutError(f"nobody answered {self.url} within {timeout:g} s")
        return self._body


class Callbacks:
    """All URLs that were given out.

    Parameters
    ----------
    endpoint_url
        Returns the front's URL, which is known only once it listens.
    """

    def __init__(self, endpoint_url: Callable[[], str]) -> None:
        self._endpoint_url = endpoint_url
        self._waiting: dict[str, Callback] = {}

    def new(self, token: str | None = None) -> Callback:
        """Return a fresh callback."""
        token = token or secrets.token_urlsafe(24)
        self._waiting[token] = Callback(f"{self._endpoint_url()}{PATH}{token}")
        return self._waiting[token]

    def deliver(self, token: str, body: bytes) -> bool:
        """Hand an answer to whoever waits for it; False if nobody does."""
        callback = self._waiting.pop(token, None)
        if callback is not None:
            callback.deliver(body)
        return callback is not None
