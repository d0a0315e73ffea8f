"""The strategies, and what each needs to be told beyond the steps that all of them come down to."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from lambdas.rollout.policy.checks import MAX_SECONDS, PolicyError, number, one_of, whole
from lambdas.rollout.policy.step import FULL_SHARE, MAX_REQUESTS, Step

CANARY: Final = "canary"
LINEAR: Final = "linear"
BLUE_GREEN: Final = "blue-green"
ALL_AT_ONCE: Final = "all-at-once"
AB_TEST: Final = "ab-test"
SHADOW: Final = "shadow"
Shifting = Literal["canary", "linear", "blue-green", "all-at-once", "ab-test"]
"""Those that shift traffic; `SHADOW` copies it first and then shifts it by one of these."""

Strategy = Literal["canary", "linear", "blue-green", "all-at-once", "ab-test", "shadow"]
SHIFTING: tuple[str, ...] = get_args(Shifting)
STRATEGIES: tuple[str, ...] = get_args(Strategy)

ERROR_RATE: Final = "error-rate"
MANUAL: Final = "manual"
EVIDENCE: Final = "evidence"
Winner = Literal["error-rate", "latency", "evidence", "manual"]

LEAST_STEP_WEIGHT = 5
"""Smaller ones would make more steps than a rollout may have."""


@dataclass(frozen=True)
class Linear:
    """Equal steps at equal intervals.

    Parameters
    ----------
    step_weight
        Percentage of the traffic by which each step raises the new version's share, from 5; smaller ones make a canary.
    interval_seconds
        How long each share is watched.
    """

    step_weight: int
    interval_seconds: int

    def __post_init__(self) -> None:
        whole("step_weight", self.step_weight, LEAST_STEP_WEIGHT, FULL_SHARE - 1)
        whole("interval_seconds", self.interval_seconds, 0, MAX_SECONDS)

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that this comes down to."""
        weights = range(self.step_weight, FULL_SHARE, self.step_weight)
        return (*(Step(weight, self.interval_seconds) for weight in weights), Step(FULL_SHARE))


@dataclass(frozen=True)
class Shadow:
    """Copies of live requests that the new version answers, to nobody, before it takes traffic.

    Parameters
    ----------
    seconds
        How long requests are copied.
    traffic_percent
        Percentage of the live requests that is copied.
    min_requests
        Copies that it must have answered, beside those that the alarms need.
    error_rate_points
        Percentage points by which its share of 5xx answers may exceed the live version's in the same time.
    latency_percent
        Percentage by which its mean ModelLatency may exceed the live version's in the same time.
    """

    seconds: int
    traffic_percent: int = FULL_SHARE
    min_requests: int = 0
    error_rate_points: float = 1.0
    latency_percent: float = 50.0

    def __post_init__(self) -> None:
        whole("seconds", self.seconds, 1, MAX_SECONDS)
        whole("traffic_percent", self.traffic_percent, 1, FULL_SHARE)
        whole("min_requests", self.min_requests, 0, MAX_REQUESTS)
        number("error_rate_points", self.error_rate_points, 0, 100)
        number("latency_percent", self.latency_percent, 0, 10_000)


@dataclass(frozen=True)
class AbTest:
    """A split of the traffic that is held until one of the two versions is chosen.

    A choice by ``error-rate`` or ``latency`` compares plain numbers over the whole test and knows no significance: give
    it enough requests. One by ``evidence`` is made as soon as there is enough; if there never is, the live one stays.

    Parameters
    ----------
    weight
        Percentage of the traffic that the new version takes meanwhile.
    seconds
        How long the split is held; either this or `requests`.
    requests
        Requests that each of the two must have answered; either this or `seconds`.
    winner
        What decides: the smaller share of 5xx answers, the smaller mean ModelLatency, evidence that one of the two is
        better (which needs `judge`), or a person (`manual`).
    tolerance_percent
        Percentage by which the new version's number may be worse and it is still chosen.
    """

    weight: int = 50
    seconds: int | None = None
    requests: int | None = None
    winner: Winner = MANUAL
    tolerance_percent: float = 0.0

    def __post_init__(self) -> None:
        whole("weight", self.weight, 1, FULL_SHARE - 1)
        self._check_end()
        if self.seconds is not None:
            whole("seconds", self.seconds, 1, MAX_SECONDS)
        if self.requests is not None:
            whole("requests", self.requests, 1, MAX_REQUESTS)
        one_of("winner", self.winner, get_args(Winner))
        number("tolerance_percent", self.tolerance_percent, 0, 1000)

    def _check_end(self) -> None:
        if self.seconds is None and self.requests is None:
            raise PolicyError("seconds", None, "an A/B test ends after a time or a number of requests", "add seconds:")
        if self.seconds is not None and self.requests is not None:
            reason = f"an A/B test ends after a time or after requests ({self.requests}), not both"
            raise PolicyError("seconds", self.seconds, reason, "remove seconds: or requests:")

    def steps(self) -> tuple[Step, ...]:
        """Return the steps that this comes down to."""
        held = Step(self.weight, self.seconds or 0, self.requests or 0, approval=self.winner == MANUAL)
        return held, Step(FULL_SHARE)
