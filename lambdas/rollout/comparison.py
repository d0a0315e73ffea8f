"""Comparing what the new and the live version answered in the same time. Pure."""

from dataclasses import dataclass

from lambdas.rollout.policy import AbTest, Shadow
from lambdas.rollout.policy.strategies import ERROR_RATE


@dataclass(frozen=True)
class Totals:
    """What a slot answered since a time: requests, answers with 5xx, and ModelLatency in milliseconds, added up."""

    requests: int = 0
    errors: int = 0
    latency_ms: float = 0.0

    @property
    def error_percent(self) -> float:
        """Share of answers with 5xx, in percent."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def mean_ms(self) -> float:
        """Mean ModelLatency in milliseconds."""
        return self.latency_ms / self.requests if self.requests else 0.0

    def __str__(self) -> str:
        """Say how many requests failed, and how long they took."""
        return f"{self.errors:,} of {self.requests:,} requests failed, {self.mean_ms:.1f} ms on average"


@dataclass(frozen=True)
class Compared:
    """The new and the live version over the same time."""

    new: Totals
    live: Totals

    def objection(self, shadow: Shadow) -> str:
        """Return why the new version's answers to copied requests are not good enough; empty when they are."""
        if self.new.error_percent > self.live.error_percent + shadow.error_rate_points:
            return (
                f"{self}: the failures are more than {shadow.error_rate_points:g} percentage points above the live ones"
            )
        if self.new.mean_ms > self.live.mean_ms * (1 + shadow.latency_percent / 100):
            return f"{self}: more than {shadow.latency_percent:g} % slower than the live version"
        return ""

    def prefers_new(self, test: AbTest) -> bool:
        """Return whether the new version wins; a draw goes to it, for it is what was wanted."""
        if test.winner == ERROR_RATE:
            new, live = self.new.error_percent, self.live.error_percent
        else:
            new, live = self.new.mean_ms, self.live.mean_ms
        return new <= live * (1 + test.tolerance_percent / 100)

    def __str__(self) -> str:
        """Say what both answered."""
        return f"new: {self.new}; live: {self.live}"
