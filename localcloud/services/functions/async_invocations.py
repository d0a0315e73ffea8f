"""Asynchronous invocations: accepted at once, run soon, retried, and sent elsewhere when they keep failing."""

import json
import logging
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.clock import Clock
from localcloud.errors import AwsError
from localcloud.services.deliveries import Deliveries, DeliveryError, Parcel, Sender
from localcloud.services.functions.function import Function
from localcloud.services.functions.invocation import Outcome
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.pool import ThrottledError
from localcloud.services.functions.qualified import LATEST, Qualified

_log = logging.getLogger(__name__)

RETRY_SECONDS = (1.0, 2.0)
"""Pauses before the first and second retry of a failed event (AWS: 60 and 120 s)."""

_DEFAULT_RETRIES = 2
_DEFAULT_AGE = 6 * 3600
_FIRST_THROTTLE_PAUSE = 0.1
_LONGEST_THROTTLE_PAUSE = 5.0


@dataclass
class _Event:
    """An accepted event on its way to a function, a version or an alias."""

    function: Qualified
    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    accepted_at: float = field(default_factory=time.time)
    failures: int = 0
    throttles: int = 0


class AsyncInvocations:
    """The queue in front of the functions.

    Parameters
    ----------
    platform
        Runs invocations.
    clock
        Times the retries.
    """

    def __init__(self, platform: FunctionPlatform, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock
        self._executor = ThreadPoolExecutor(max_workers=64, thread_name_prefix="localcloud-async")
        self._closed = False
        self.deliveries: Deliveries | None = None
        self.configurations: dict[str, dict[str, Any]] = {}

    def accept(self, name: str, payload: bytes) -> str:
        """Take an event for a function, a version or an alias, by name or ARN, and return its request id."""
        event = _Event(self._platform.asked(name), payload)
        self._submit(event)
        return event.request_id

    def forget(self, gone: Qualified) -> None:
        """Forget the settings of a function and its versions, or of one version."""
        for key in list(self.configurations):
            if gone.text in (key, key.split(":")[0]):
                self.configurations.pop(key, None)

    def close(self) -> None:
        """Drop what waits."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, event: _Event) -> None:
        if self._closed:
            return
        try:
            self._executor.submit(self._run, event)
        except RuntimeError:  # closed meanwhile
            return

    def _run(self, event: _Event) -> None:
        try:
            outcome, _ = self._platform.invoke(event.function.text, event.payload, event.request_id)
        except ThrottledError:
            self._retry_throttled(event)
        except AwsError:
            _log.warning("an event for %s is lost: the function is gone", event.function.text)
        except Exception:
            _log.exception("an event for %s failed in the local cloud itself", event.function.text)
        else:
            self._settle(event, outcome)

    def _settle(self, event: _Event, outcome: Outcome) -> None:
        if outcome.error is None:
            self._notify(event, outcome, "OnSuccess", "Success")
            return
        event.failures += 1
        config = self._config(event)
        retries = config.get("MaximumRetryAttempts", _DEFAULT_RETRIES)
        if event.failures > retries:
            self._give_up(event, outcome, "RetriesExhausted")
        elif self._too_old(event, config):
            self._give_up(event, outcome, "EventAgeExceeded")
        else:
            pause = RETRY_SECONDS[min(event.failures, len(RETRY_SECONDS)) - 1]
            self._clock.call_later(pause, lambda: self._submit(event))

    def _retry_throttled(self, event: _Event) -> None:
        if self._too_old(event, self._config(event)):
            self._give_up(event, Outcome.failed("Throttled", "Rate exceeded"), "EventAgeExceeded")
            return
        pause = min(_FIRST_THROTTLE_PAUSE * 2**event.throttles, _LONGEST_THROTTLE_PAUSE)
        event.throttles += 1
        self._clock.call_later(pause, lambda: self._submit(event))

    def _config(self, event: _Event) -> Mapping[str, Any]:
        return self.configurations.get(event.function.settings_key, {})

    @staticmethod
    def _too_old(event: _Event, config: Mapping[str, Any]) -> bool:
        return time.time() - event.accepted_at > float(config.get("MaximumEventAgeInSeconds", _DEFAULT_AGE))

    def _give_up(self, event: _Event, outcome: Outcome, condition: str) -> None:
        self._notify(event, outcome, "OnFailure", condition)
        function = self._platform.find(event.function.text)
        if function is None or function.dead_letter_target is None:
            return
        attributes = {
            "RequestID": event.request_id,
            "ErrorCode": "200",
            "ErrorMessage": outcome.payload.decode(errors="replace")[:1024],
        }
        self._send(function, function.dead_letter_target, Parcel(event.payload.decode(errors="replace"), attributes))

    def _notify(self, event: _Event, outcome: Outcome, which: str, condition: str) -> None:
        function = self._platform.find(event.function.text)
        target = self._config(event).get("DestinationConfig", {}).get(which, {}).get("Destination")
        if function is not None and target:
            self._send(function, target, Parcel(json.dumps(_record(function, event, outcome, condition))))

    def _send(self, function: Function, target: str, parcel: Parcel) -> None:
        if self.deliveries is None:
            return
        try:
            self.deliveries.send(target, parcel, Sender(principal=self._platform.principal(function)))
        except DeliveryError as error:
            _log.warning("the record of a failed event of %s is lost: %s", function.name, error)


def _record(function: Function, event: _Event, outcome: Outcome, condition: str) -> dict[str, Any]:
    """Return an invocation record as destinations get it."""
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": outcome.version}
    if outcome.error:
        response["functionError"] = outcome.error
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{function.arn}:{event.function.qualifier or LATEST}",
            "condition": condition,
            "approximateInvokeCount": max(event.failures, 1),
        },
        "requestPayload": _json(event.payload),
        "responseContext": response,
        "responsePayload": _json(outcome.payload),
    }


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")
