"""Steady traffic, and how each version answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.contract import SLOTS, other_slot
from lambdas.rollout.comparison import Totals
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.evidence import Answered, Evidence, Period
from lambdas.rollout.judge import Series, Stratum, Tally
from localcloud.simulation.cloud import Cloud

REQUESTS_PER_SECOND = 40.0


@dataclass(frozen=True)
class Answers:
    """How a version answers: the share of 5xx, how long it takes, and whether that can be compared with the live one.

    `slow_percent` is the share of its requests that take longer than the live version's 99th percentile.
    """

    error_percent: float = 0.0
    latency_ms: float = 20.0
    slow_percent: float = 1.0
    comparable: bool = True


_WELL = Answers()


@dataclass
class SteadyTraffic:
    """Counts of a steady stream of requests, of which a slot gets its share, and which its version answers its way."""

    cloud: Cloud
    answers: Mapping[str, Answers]
    _requests: dict[float, dict[str, int]] = field(default_factory=dict)
    """What each slot answered in a period, as it was when that was first looked at."""

    def answered(
        self,
        name: str,  # noqa: ARG002 - the port's
        slot: str,
        asked: Evidence,
        since: float,
        now: float,
        *,
        p99: bool = False,
    ) -> Answered:
        """Count a slot's answers in the whole periods between two times."""
        start, end = asked.span(since, now)
        requests, how = self._count(slot, asked.period_seconds), self._how(slot)
        count, latency = int((end - start) / asked.period_seconds), how.latency_ms if p99 else None
        errors = int(requests * how.error_percent / 100)
        return Answered(
            tuple(Period(start + n * asked.period_seconds, requests, errors, latency) for n in range(count))
        )

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> dict[str, Totals]:  # noqa: ARG002
        """Add up both slots' answers in the whole periods between two times."""
        start, end = asked.span(since, now)
        return {slot: self._total(self._count(slot, end - start), self._how(slot)) for slot in SLOTS}

    def baseline_p99(self, name: str, slot: str, now: float) -> float | None:  # noqa: ARG002 - the port's
        """Return the 99th percentile of a slot's latency."""
        return 2 * self._how(slot).latency_ms

    def series(
        self,
        name: str,  # noqa: ARG002 - the port's
        slot: str,
        asked: Evidence,
        since: float,
        now: float,
        threshold_ms: float | None,
    ) -> Series:
        """Count errors and slow answers of a new version and of the live one."""
        if not self._how(slot).comparable:
            raise RetryableError("CloudWatch has not given all of the metrics")
        start, end = asked.span(since, now - asked.period_seconds)
        count = int((end - start) / asked.period_seconds)
        times = [start + n * asked.period_seconds for n in range(count)]
        errors = tuple(self._stratum(at, slot, asked, "error_percent") for at in times)
        slow = tuple(self._stratum(at, slot, asked, "slow_percent") for at in times)
        return Series(asked.period_seconds, errors, slow if threshold_ms else (), threshold_ms)

    def _stratum(self, at: float, slot: str, asked: Evidence, bad: str) -> Stratum:
        seen = self._requests.get(at)
        if seen is None:
            seen = self._requests[at] = {each: self._count(each, asked.period_seconds) for each in SLOTS}
        return Stratum(at, *(_tally(seen[each], getattr(self._how(each), bad)) for each in (slot, other_slot(slot))))

    def _count(self, slot: str, seconds: float) -> int:
        return int(REQUESTS_PER_SECOND * self.cloud.answers(slot) / 100 * seconds)

    def _how(self, slot: str) -> Answers:
        url = self.cloud.artefact(slot) if self.answers else ""
        return next((answers for version, answers in self.answers.items() if f"/{version}/" in url), _WELL)

    @staticmethod
    def _total(requests: int, how: Answers) -> Totals:
        return Totals(requests, int(requests * how.error_percent / 100), requests * how.latency_ms)


def _tally(requests: int, bad_percent: float) -> Tally:
    return Tally(int(requests * bad_percent / 100), requests)
