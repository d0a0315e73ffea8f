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
    """

    periods: int
    period_seconds: int
    min_requests: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Evidence":
        """Read the JSON form.

        Raises
        ------
        EvidenceError
            When a field is missing or not a whole number of at least 1.
        """
        names = [field.name for field in fields(cls)]
        for name in names:
            if not isinstance(data.get(name), int) or data[name] < 1:
                raise EvidenceError(f"evidence.{name}: {data.get(name)!r} is not a whole number of at least 1")
        return cls(**{name: data[name] for name in names})

    def span(self, since: float, now: float) -> tuple[float, float]:
        """Return start and end of the whole periods between two times; equal when there is none."""
        start = -(-max(since, now - LONGEST_LOOK) // self.period_seconds) * self.period_seconds
        return start, max(start, now // self.period_seconds * self.period_seconds)


@dataclass(frozen=True)
class Period:
    """What a slot answered in one period; `errors` counts the 5xx answers."""

    requests: int
    errors: int


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
        """Return what is missing to the evidence asked for, in words; empty when nothing is."""
        full = sum(period.requests >= asked.min_requests for period in self.periods)
        if full >= asked.periods:
            return ""
        return (
            f"{full} of {asked.periods} periods of {asked.period_seconds} s with at least {asked.min_requests} "
            "requests have been seen at this weight"
        )

    def __str__(self) -> str:
        """Say how many requests failed."""
        return f"{self.errors:,} of {self.requests:,} requests failed"
