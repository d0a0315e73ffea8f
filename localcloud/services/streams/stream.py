"""A delivery stream: records wait in a buffer until it is old or large enough, and are then stored together."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.services.streams.conversion import Conversion, SchemaError
from localcloud.services.streams.destination import DeliveryFailedError, Destination
from localcloud.services.streams.processing import FAILED, Processing, ProcessingError

_log = logging.getLogger(__name__)
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Buffering:
    """When a buffer is stored: so many seconds after its first record, or at so many bytes."""

    seconds: float
    size: int

    @classmethod
    def of(cls, hints: Mapping[str, Any] | None, longest_seconds: float, megabytes: int = 5) -> "Buffering":
        """Read BufferingHints; `longest_seconds` bounds what is waited here, `megabytes` is the default."""
        given = hints or {}
        seconds = min(float(given.get("IntervalInSeconds", 300)), longest_seconds)
        return cls(seconds, int(given.get("SizeInMBs", megabytes)) * _MEGABYTE)


@dataclass
class _Batch:
    since: float
    records: list[bytes] = field(default_factory=list)
    size: int = 0


class DeliveryStream:
    """Buffers, processes and stores records, in a thread of its own.

    Parameters
    ----------
    described
        What describing the stream returns.
    buffering, processing
        When it stores records, and what it does to them before.
    destination
        Where they go.
    retry_seconds
        Pause after a delivery that failed; none is given up.
    conversion
        What turns records into another format; None for none.
    now
        Time in epoch seconds.
    """

    def __init__(
        self,
        described: dict[str, Any],
        buffering: Buffering,
        processing: Processing,
        destination: Destination,
        retry_seconds: float,
        conversion: Conversion | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.described = described
        self._buffering = buffering
        self._processing = processing
        self._destination = destination
        self._retry_seconds = retry_seconds
        self._conversion = conversion
        self._now = now
        self._changed = threading.Condition()
        self._waiting: _Batch | None = None
        self._closing = False
        name = f"stream {described['DeliveryStreamName']}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, record: bytes) -> None:
        """Take a record."""
        with self._changed:
            if self._waiting is None:
                self._waiting = _Batch(self._now())
                self._changed.notify()
            self._waiting.records.append(record)
            self._waiting.size += len(record)
            if self._waiting.size >= self._buffering.size:
                self._changed.notify()

    def close(self) -> None:
        """Store what is there, if that succeeds at once, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(10)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            while not self._stored(batch):
                with self._changed:
                    if self._closing or self._changed.wait_for(lambda: self._closing, self._retry_seconds):
                        return

    def _next(self) -> _Batch | None:
        """Wait for a batch that is due; None at the end."""
        with self._changed:
            while True:
                batch = self._waiting
                wait = None if batch is None else batch.since + self._buffering.seconds - self._now()
                is_due = batch is not None and (
                    self._closing or batch.size >= self._buffering.size or (wait is not None and wait <= 0)
                )
                if is_due:
                    self._waiting = None
                    return batch
                if self._closing:
                    return None
                self._changed.wait(wait)

    def _stored(self, batch: _Batch) -> bool:
        """Store a batch; records that are stored already are not in it any more."""
        done, failed = list[tuple[bytes, bytes]](), list[tuple[bytes, str]]()
        for record in batch.records:
            try:
                done.append((record, self._processing.run(record)))
            except ProcessingError as error:
                failed.append((record, str(error)))
        try:
            if done:
                self._store(done, batch.since)
            batch.records = [record for record, _ in failed]
            if failed:
                self._destination.store_failed(failed, batch.since, FAILED)
        except DeliveryFailedError:
            return False
        except Exception:  # of this batch nothing can be made; the next one may be another matter
            _log.exception("records of %s were lost", self.described["DeliveryStreamName"])
        return True

    def _store(self, done: Sequence[tuple[bytes, bytes]], since: float) -> None:
        """Store processed records, beside what they came as: that is what is kept of those that cannot be converted."""
        processed = [record for _, record in done]
        if self._conversion is None:
            self._destination.store(b"".join(processed), since)
            return
        try:
            body, misfits = self._conversion.run(processed)
        except SchemaError as error:
            self._destination.tell(str(error))
            raise DeliveryFailedError(str(error)) from error
        if misfits:
            raw = [(done[place][0], why) for place, why in misfits.items()]
            self._destination.store_unconverted(raw, since, self._conversion.schema.described())
        if body:
            self._destination.store(body, since)
