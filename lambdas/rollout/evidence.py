"""What a version must have answered at a weight before it may go on.

An alarm says OK for a while after the last requests it saw, and those may have been answered by the slot's previous
tenant, or at a smaller weight. So a step asks for requests that CloudWatch has counted since its weight was verified.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

LONGEST_LOOK = 3600.0
"""Seconds that are looked back at most; CloudWatch keeps periods below a minute for three hours."""


class EvidenceError(ValueError):
    """Evidence that cannot be asked for."""


@dataclass(frozen=True)
class Evidence:
    """What is asked of a step: as many whole periods, each with as many requests, as its alarms look at.

    Parameters
    ----------
    periods
        How many periods.
    period_seconds
        Length of a period in seconds: that of the endpoint's metrics.
    min_requests
        Requests that a period must hold to count.
    error_rate_percent
        Share of 5xx answers above which the version is at fault, whatever its alarms say.
    """

    periods: int
    period_seconds: int
    min_requests: int
    error_rate_percent: float

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Evidence":
        """Read the JSON form.

        Raises
        ------
        EvidenceError
            When a field is missing or out of bounds.
        """
        for name in ("periods", "period_seconds", "min_requests"):
            if not isinstance(data.get(name), int) or data[name] < 1:
                raise EvidenceError(f"evidence.{name}: {data.get(name)!r} is not a whole number of at least 1")
        percent = data.get("error_rate_percent")
        if not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise EvidenceError(f"evidence.error_rate_percent: {percent!r} is not a number from 0 to 100")
        return cls(**{field.name: data[field.name] for field in fields(cls)})

    def span(self, since: float, now: float) -> tuple[float, float]:
        """Return start and end of the whole periods between two times; equal when there is none."""
        start = -(-max(since, now - LONGEST_LOOK) // self.period_seconds) * self.period_seconds
        return start, max(start, now // self.period_seconds * self.period_seconds)


@dataclass(frozen=True)
class Period:
    """What a slot answered in the period that began at `at` (epoch seconds).

    `errors` counts the 5xx answers; `p99_ms` is the 99th percentile of ModelLatency in milliseconds, if asked for.
    """

    at: float
    requests: int
    errors: int
    p99_ms: float | None = None


@dataclass(frozen=True)
class Answered:
    """What a slot answered, period by period, since a weight was verified."""

    periods: tuple[Period, ...] = ()

    @property
    def requests(self) -> int:
        """Requests in all."""
        return sum(period.requests for period in self.periods)

    @property
    def errors(self) -> int:
        """Answers with 5xx in all."""
        return sum(period.errors for period in self.periods)

    def lacks(self, asked: Evidence) -> str:
        """Return what is missing to the evidence asked for, in words; empty when nothing is.

        The periods must follow one another: metrics that come once a minute where every 10 s were declared would leave
        gaps, and alarms on them would be blind.
        """
        full = self._longest_run(asked)
        if full >= asked.periods:
            return ""
        return (
            f"{full} of {asked.periods} successive periods of {asked.period_seconds} s with at least "
            f"{asked.min_requests} requests have been seen at this weight"
        )

    def exceeds(self, asked: Evidence, error_rate_percent: float) -> bool:
        """Return whether too many of at least as many requests as the alarms look at were answered with 5xx."""
        enough = self.requests >= asked.min_requests * asked.periods
        return enough and 100 * self.errors > error_rate_percent * self.requests

    def slowness(self, asked: Evidence, limit_ms: float) -> float | None:
        """Return the lowest of the latest percentiles if all of them are above `limit_ms`.

        These are as many as the alarms look at; a percentile of too few requests means nothing and is passed over.
        """
        told = [period.p99_ms for period in self.periods if period.requests >= asked.min_requests]
        latest = [each for each in told if each is not None][-asked.periods :]
        lowest = min(latest) if len(latest) == asked.periods else 0.0
        return lowest if lowest > limit_ms else None

    def _longest_run(self, asked: Evidence) -> int:
        longest, run, expected = 0, 0, 0.0
        for period in self.periods:
            if period.requests < asked.min_requests:
                run = 0
            else:
                run = run + 1 if period.at == expected else 1
            expected = period.at + asked.period_seconds
            longest = max(longest, run)
        return longest

    def __str__(self) -> str:
        """Say how many requests failed."""
        return f"{self.errors:,} of {self.requests:,} requests failed"
