"""The metric store: every sample, exact; by the second for as long as CloudWatch does so, then by the minute."""

import math
import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from localcloud.clock import Clock
from localcloud.physics.cloudwatch.samples import Samples, StatisticSet

KEEP_SECONDS = 3 * 3600
"""How long samples are told apart by the second."""

KEEP_MINUTES_SECONDS = 15 * 24 * 3600
"""How long they are kept by the minute."""

_MINUTE = 60
_PUTS_BETWEEN_CLEANINGS = 20_000


class MetricKey(NamedTuple):
    """A metric: its namespace, name and exact dimensions."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "MetricKey":
        """Return the key, whatever the order of the dimensions."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))


class MetricStore:
    """Samples by metric and second.

    Parameters
    ----------
    clock
        Gives samples without a timestamp theirs.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._series: dict[MetricKey, dict[int, Samples]] = {}
        self._units: dict[MetricKey, str] = {}
        self._puts = 0

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        value: float,
        unit: str = "None",
        timestamp: float | None = None,
        count: float = 1.0,
    ) -> None:
        """Record `count` samples of `value`."""
        second = int(self._clock.now() if timestamp is None else timestamp)
        with self._lock:
            self._at(MetricKey.of(namespace, name, dimensions), second, unit).add(value, count)

    def put_set(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        values: StatisticSet,
        unit: str,
        timestamp: float,
    ) -> None:
        """Record samples that a client aggregated itself."""
        with self._lock:
            self._at(MetricKey.of(namespace, name, dimensions), int(timestamp), unit).sets.append(values)

    def between(self, key: MetricKey, start: float, end: float) -> Samples:
        """Return the samples from `start` to before `end`."""
        merged = Samples()
        if end - start < _MINUTE and start < self._clock.now() - KEEP_SECONDS:
            return merged  # what is shorter than a minute is forgotten, whether it has been cleared away yet or not
        with self._lock:
            seconds = self._series.get(key, {})
            for second in _span(seconds, start, end):
                merged.merge(seconds[second])
        return merged

    def unit(self, key: MetricKey) -> str:
        """Return the unit that the metric was last put with."""
        with self._lock:
            return self._units.get(key, "None")

    def metrics(self) -> list[MetricKey]:
        """Return all metrics that have samples."""
        with self._lock:
            return sorted(self._series)

    def _at(self, key: MetricKey, second: int, unit: str) -> Samples:
        self._clean_now_and_then()
        self._units[key] = unit
        seconds = self._series.setdefault(key, {})
        if second not in seconds:
            seconds[second] = Samples()
        return seconds[second]

    def _clean_now_and_then(self) -> None:
        self._puts += 1
        if self._puts % _PUTS_BETWEEN_CLEANINGS:
            return
        now = self._clock.now()
        for key, seconds in list(self._series.items()):
            kept = _aged(seconds, now)
            if kept:
                self._series[key] = kept
            else:
                del self._series[key], self._units[key]


def _aged(seconds: Mapping[int, Samples], now: float) -> dict[int, Samples]:
    """Return the samples that are still kept, old ones by the minute."""
    kept: dict[int, Samples] = {}
    for second, samples in seconds.items():
        if second >= now - KEEP_SECONDS:
            kept[second] = samples
        elif second >= now - KEEP_MINUTES_SECONDS:
            kept.setdefault(second // _MINUTE * _MINUTE, Samples()).merge(samples)
    return kept


def _span(seconds: dict[int, Samples], start: float, end: float) -> Iterable[int]:
    """Return the recorded seconds of a span, the quicker way of the two."""
    first, last = math.ceil(start), math.ceil(end)
    if last - first < len(seconds):
        return [second for second in range(first, last) if second in seconds]
    return [second for second in seconds if first <= second < last]
