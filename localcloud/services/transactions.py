"""DynamoDB's TransactWriteItems that come again under their token: moto would write twice, or refuse the second."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from localcloud.errors import AwsError
from localcloud.front.calls import Call
from localcloud.front.moto_store import MotoStore
from localcloud.front.protocols import Answer

_REMEMBERED_SECONDS = 600.0


@dataclass(frozen=True)
class _Done:
    digest: str
    answer: Answer
    at: float


class Transactions:
    """Writes a transaction once, however often it is sent within ten minutes.

    SDKs give each call a ``ClientRequestToken`` and keep it when they repeat the call because no answer came in time.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

    Parameters
    ----------
    store
        moto, which keeps the items.
    now
        Seconds on a clock that only goes forward.
    """

    def __init__(self, store: MotoStore, now: Callable[[], float] = time.monotonic) -> None:
        self._store, self._now = store, now
        self._done: dict[str, _Done] = {}

    def write_call(self, call: Call) -> Answer:
        """Answer TransactWriteItems; what is sent again while the first is under way waits for it."""
        token = json.loads(call.body).get("ClientRequestToken")
        digest = sha256(call.body).hexdigest()
        with self._store.lock:
            self._forget()
            done = self._done.get(token)
            if done is None:
                return self._write(call, digest, token)
            if done.digest != digest:
                message = f"ClientRequestToken {token} has been used for another transaction; use a new one"
                raise AwsError("IdempotentParameterMismatchException", message)
            return done.answer

    def _write(self, call: Call, digest: str, token: str | None) -> Answer:
        answer = self._store.call(call)
        if token and answer.status == 200:  # one that was cancelled has done nothing, and may be tried again
            self._done[token] = _Done(digest, answer, self._now())
        return answer

    def _forget(self) -> None:
        """Forget what was done too long ago: the oldest come first."""
        oldest = self._now() - _REMEMBERED_SECONDS
        while self._done and (token := next(iter(self._done))) and self._done[token].at < oldest:
            del self._done[token]
