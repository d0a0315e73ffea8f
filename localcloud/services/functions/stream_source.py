"""One Kinesis event source: the shards of a stream become invocations of a function, in order."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.errors import AwsError
from localcloud.services.data_streams.data_stream import DataStream, DataStreams
from localcloud.services.data_streams.shard import Record, Shard, hash_key
from localcloud.services.functions.invocation import Outcome
from localcloud.services.functions.pool import ThrottledError
from localcloud.services.functions.stream_batch import Batch, Policy
from localcloud.services.functions.stream_events import EXHAUSTED, TOO_OLD, event, given_up, size_in_event

_log = logging.getLogger(__name__)
_MOST_BYTES = 6 * 1024 * 1024 - 64 * 1024
_READ_AT_ONCE = 1000
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_THROTTLE_PAUSE = 0.25


@dataclass(frozen=True)
class StreamSettings:
    """What decides how records are gathered and what failures mean."""

    function: str
    batch_size: int
    window_seconds: float
    lanes: int
    policy: Policy


@dataclass(frozen=True)
class Surroundings:
    """What a source needs of the cloud.

    Parameters
    ----------
    streams
        Where records come from.
    invoke
        Runs the function, by ARN, and returns the outcome and the request's id.
    refusal
        Returns why the function's role may not read the stream; None if it may.
    role
        Returns the function's role.
    discard
        Sends the record of a batch that was given up to where the mapping says.
    age
        Takes the age in seconds of the last record of a batch that was read.
    """

    streams: DataStreams
    invoke: Callable[[str, bytes], tuple[Outcome, str]]
    refusal: Callable[[], str | None]
    role: Callable[[], str]
    discard: Callable[[str], None]
    age: Callable[[float], None]


class Places:
    """How far each lane of each shard has come; they outlive the source, as a mapping can be disabled and changed."""

    def __init__(self, starts: dict[str, int]) -> None:
        self._lock = threading.Lock()
        self._starts = starts
        self._reached: dict[tuple[str, int, int], int] = {}

    def of(self, shard_id: str, lane: int, lanes: int) -> int:
        """Return where a lane goes on; with another number of lanes, where the slowest one was."""
        with self._lock:
            known = self._reached.get((shard_id, lane, lanes))
            if known is not None:
                return known
            earlier = [place for (shard, _, _), place in self._reached.items() if shard == shard_id]
            return min(earlier, default=self._starts.get(shard_id, 0))

    def reach(self, shard_id: str, lane: int, lanes: int, place: int) -> None:
        """Note how far a lane has come, and forget what other numbers of lanes had reached."""
        with self._lock:
            others = [key for key in self._reached if key[0] == shard_id and key[2] != lanes]
            slowest = min((self._reached.pop(key) for key in others), default=-1)
            for each in range(lanes if others else 0):
                self._reached.setdefault((shard_id, each, lanes), slowest)
            self._reached[shard_id, lane, lanes] = place


class StreamSource:
    """Polls a stream for a function: a thread for each lane of each shard.

    Parameters
    ----------
    stream
        The stream.
    settings
        How to batch.
    surroundings
        The cloud.
    places
        How far the mapping has come.
    """

    def __init__(
        self, stream: DataStream, settings: StreamSettings, surroundings: Surroundings, places: Places
    ) -> None:
        self.last_result = "No records processed"
        self.stopping = threading.Event()
        self._streams = surroundings.streams
        lanes = [
            _Lane(self, stream, shard, lane, settings, surroundings, places)
            for shard in stream.shards
            for lane in range(settings.lanes)
        ]
        self._threads = [threading.Thread(target=lane.run, name="localcloud-source", daemon=True) for lane in lanes]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop polling; batches under way end."""
        self.stopping.set()
        self._streams.wake()

    def join(self, timeout: float) -> None:
        """Wait for the pollers' end."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))


class _Lane:
    """Reads the records of a shard whose partition keys are its own, one batch at a time."""

    def __init__(
        self,
        source: StreamSource,
        stream: DataStream,
        shard: Shard,
        lane: int,
        settings: StreamSettings,
        surroundings: Surroundings,
        places: Places,
    ) -> None:
        self._source = source
        self._stream = stream
        self._shard = shard
        self._settings = settings
        self._cloud = surroundings
        self._places = places
        self._key = (shard.shard_id, lane, settings.lanes)
        self._lane = lane
        self._last: tuple[Outcome, str] | None = None

    def run(self) -> None:
        """Poll until the source is stopped."""
        while not self._source.stopping.is_set():
            try:
                self._poll()
            except Exception:
                _log.exception("polling %s for %s failed", self._stream.name, self._settings.function)
                self._source.stopping.wait(1)

    def _poll(self) -> None:
        refusal = self._cloud.refusal()
        if refusal is not None:
            self._source.last_result = f"PROBLEM: {refusal}"
            self._source.stopping.wait(1)
            return
        records, after = self._gather()
        if self._source.stopping.is_set():
            return  # what was gathered comes again: the place is not moved
        if not records or self._work_off(records):
            self._places.reach(*self._key, after)

    def _gather(self) -> tuple[list[Record], int]:
        """Return the next batch and the place behind it, waiting for more as long as the window says."""
        place, records = self._places.of(*self._key), list[Record]()
        deadline: float | None = None
        while not self._source.stopping.is_set():
            since = self._cloud.streams.changes
            place, full = self._take(records, place)
            if records and deadline is None:
                deadline = time.monotonic() + self._settings.window_seconds
            left = None if deadline is None else deadline - time.monotonic()
            if full or (left is not None and left <= 0):
                break
            self._cloud.streams.wait(since, 0.5 if left is None else min(left, 0.5))
            if not records:
                break  # nothing yet: the caller looks again, at the role's permissions too
        return records, place

    def _take(self, records: list[Record], place: int) -> tuple[int, bool]:
        """Add this lane's records up to the bounds of a batch; return the place behind, and whether it is full."""
        size = sum(map(size_in_event, records))
        while True:
            found, after = self._cloud.streams.read(self._stream, self._shard, place, _READ_AT_ONCE)
            place = after - len(found)
            for record in found:
                if self._is_mine(record):
                    size += size_in_event(record)
                    if records and size > _MOST_BYTES:
                        return place, True
                    records.append(record)
                place += 1
                if len(records) >= self._settings.batch_size:
                    return place, True
            if len(found) < _READ_AT_ONCE:
                return place, False

    def _is_mine(self, record: Record) -> bool:
        return hash_key(record.partition_key) % self._settings.lanes == self._lane

    def _work_off(self, records: list[Record]) -> bool:
        """Work on a batch until nothing is left of it; False if the source was stopped before."""
        self._cloud.age(time.time() - records[-1].arrived_at)
        waiting = deque([Batch(tuple(records))])
        while waiting:
            batch = self._without_aged(waiting.popleft())
            if not batch.records:
                continue
            outcome = self._invoke_patiently(batch)
            if outcome is None:
                if self._source.stopping.is_set():
                    return False
                waiting.appendleft(batch)
                continue
            waiting.extendleft(reversed(self._remains(batch, outcome)))
        return True

    def _remains(self, batch: Batch, outcome: Outcome) -> list[Batch]:
        left, hopeless = self._settings.policy.after(batch, outcome)
        self._source.last_result = "PROBLEM: Function call failed" if left else "OK"
        if hopeless:
            self._give_up(left[0], EXHAUSTED)
            return []
        if left and left[0].failures > batch.failures:
            pause = min(_FIRST_PAUSE * 2 ** (left[0].failures - 1), _LONGEST_PAUSE)
            self._source.stopping.wait(pause)
        return left

    def _without_aged(self, batch: Batch) -> Batch:
        longest = self._settings.policy.longest_age
        if longest < 0:
            return batch
        aged, rest = batch.split(batch.aged(time.time() - longest))
        if aged.records:
            self._give_up(aged, TOO_OLD)
        return rest

    def _give_up(self, batch: Batch, condition: str) -> None:
        arn, stream, shard = self._settings.function, self._stream.arn, self._shard.shard_id
        last = self._last if batch.failures else None
        self._cloud.discard(given_up(batch.records, shard, stream, arn, condition, batch.failures, last))

    def _invoke_patiently(self, batch: Batch) -> Outcome | None:
        """Invoke; None when there was no answer to be had, and the batch must be looked at again."""
        payload = event(batch.records, self._shard.shard_id, self._stream.arn, self._cloud.role())
        try:
            self._last = self._cloud.invoke(self._settings.function, payload)
        except ThrottledError:
            self._source.stopping.wait(_THROTTLE_PAUSE)
            return None
        except AwsError as error:
            self._source.last_result = f"PROBLEM: {error.message}"
            self._source.stopping.wait(1)
            return None
        return self._last[0]
