"""One SQS event source: messages of a queue become invocations of a function."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError
from localcloud.services.functions.invocation import Outcome
from localcloud.services.functions.pool import ThrottledError
from localcloud.services.queues import QueueMissingError, Queues, Received

_log = logging.getLogger(__name__)
_DEFAULT_CONCURRENCY = 5
_RECEIVE_AT_ONCE = 10
_THROTTLE_PAUSE = 0.25


@dataclass(frozen=True)
class SourceSettings:
    """What decides how messages are gathered."""

    queue_arn: str
    function: str
    batch_size: int
    window_seconds: float
    report_failures: bool
    concurrency: int = _DEFAULT_CONCURRENCY


class EventSource:
    """Polls a queue for a function.

    Parameters
    ----------
    settings
        Queue, function, batching.
    queues
        Where messages come from.
    invoke
        Runs the function, by name, and returns the outcome.
    refusal
        Returns why the function's role may not read the queue; None if it may.
    """

    def __init__(
        self,
        settings: SourceSettings,
        queues: Queues,
        invoke: Callable[[str, bytes], tuple[Outcome, str]],
        refusal: Callable[[], str | None],
    ) -> None:
        self.settings = settings
        self.last_result = "No records processed"
        self._queues = queues
        self._invoke = invoke
        self._refusal = refusal
        self._stopping = threading.Event()
        self._slots = threading.Semaphore(settings.concurrency)
        self._executor = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="localcloud-source-batch")
        self._thread = threading.Thread(target=self._poll, name="localcloud-source", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; batches under way end."""
        self._stopping.set()
        self._queues.wake()
        self._executor.shutdown(wait=False)

    def join(self, timeout: float) -> None:
        """Wait for the poller's end."""
        self._thread.join(timeout)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                self._poll_once()
            except QueueMissingError:
                self.last_result = "PROBLEM: the queue does not exist"
                self._stopping.wait(1)
            except Exception:
                _log.exception("polling %s for %s failed", self.settings.queue_arn, self.settings.function)
                self._stopping.wait(1)

    def _poll_once(self) -> None:
        """Gather one batch, as soon as a slot is free for it, and hand it over."""
        if not self._slots.acquire(timeout=0.5):
            return
        batch: list[Received] = []
        since = self._queues.changes
        try:
            batch = self._gather()
        finally:
            if not batch:
                self._slots.release()
        if not batch:
            self._queues.wait(self.settings.queue_arn, since)
            return
        try:
            self._executor.submit(self._process, batch)
        except RuntimeError:  # stopped meanwhile: the messages become visible again by themselves
            self._slots.release()

    def _gather(self) -> list[Received]:
        refusal = self._refusal()
        if refusal is not None:
            self.last_result = f"PROBLEM: {refusal}"
            self._stopping.wait(1)
            return []
        batch = self._receive(self.settings.batch_size)
        deadline = time.monotonic() + self.settings.window_seconds
        while batch and len(batch) < self.settings.batch_size and not self._stopping.is_set():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            since = self._queues.changes
            batch.extend(self._receive(self.settings.batch_size - len(batch)))
            self._queues.wait(self.settings.queue_arn, since, min(remaining, 0.1))
        return batch

    def _receive(self, count: int) -> list[Received]:
        if self._stopping.is_set():
            return []
        return self._queues.receive(self.settings.queue_arn, min(count, _RECEIVE_AT_ONCE))

    def _process(self, batch: list[Received]) -> None:
        try:
            self._invoke_batch(batch)
        except Exception:
            _log.exception("a batch for %s failed in the local cloud itself", self.settings.function)
        finally:
            self._slots.release()

    def _invoke_batch(self, batch: list[Received]) -> None:
        payload = json.dumps({"Records": [self._record(message) for message in batch]}).encode()
        outcome = self._invoke_patiently(payload)
        if outcome is None:
            return
        failed = self._failed_ids(outcome, batch)
        self.last_result = "OK" if not failed else "PROBLEM: Function call failed"
        for message in batch:
            if message.message_id not in failed:
                self._queues.delete(self.settings.queue_arn, message.receipt_handle)

    def _invoke_patiently(self, payload: bytes) -> Outcome | None:
        """Invoke, waiting while the function is throttled; None when there is nobody to wait for any more."""
        while not self._stopping.is_set():
            try:
                return self._invoke(self.settings.function, payload)[0]
            except ThrottledError:
                self._stopping.wait(_THROTTLE_PAUSE)
            except AwsError as error:
                self.last_result = f"PROBLEM: {error.message}"
                return None
        return None

    def _failed_ids(self, outcome: Outcome, batch: list[Received]) -> set[str]:
        """Return the ids of the messages that stay in the queue, to come back after their visibility time-out."""
        everything = {message.message_id for message in batch}
        if outcome.error is not None:
            return everything
        if not self.settings.report_failures:
            return set()
        return _reported_failures(outcome.payload, everything)

    def _record(self, message: Received) -> dict[str, Any]:
        return {
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": message.attributes,
            "messageAttributes": message.message_attributes,
            "md5OfBody": message.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.settings.queue_arn,
            "awsRegion": self.settings.queue_arn.split(":")[3],
        }


def _reported_failures(payload: bytes, everything: set[str]) -> set[str]:
    """Return the failed items of a partial batch response; one that Lambda cannot read fails the whole batch."""
    try:
        answer = json.loads(payload)
        failures = (answer or {}).get("batchItemFailures") or []
        failed = {item["itemIdentifier"] for item in failures}
    except (ValueError, AttributeError, KeyError, TypeError):
        return everything
    return failed if failed <= everything else everything
