"""What a judge is told: how much worse than the live version a new one may be, and what to do while that is open."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from lambdas.rollout.judge.judgement import Limits
from lambdas.rollout.policy.checks import MAX_SECONDS, PolicyError, number, one_of, whole

ASK: Final = "ask"
EXTEND: Final = "extend"
RAISE: Final = "raise"
Inconclusive = Literal["ask", "extend", "raise"]

LEAST_MARGIN, MOST_MARGIN = 1.05, 10.0
LEAST_PERCENT, MOST_PERCENT = 0.01, 50.0
MAX_FIELD = 100
MAX_TOLERANCE = 1e12
MAX_SAMPLE = 1000


@dataclass(frozen=True)
class Answers:
    """What the new version answers to captured requests, beside what the live one answered to the same.

    Parameters
    ----------
    tolerated_percent
        Share of the answers that may differ: a step passes below it, and what is above it is rolled back.
    field
        Key or column of the answer that is compared, such as ``rain``; left out, all of the answer.
    tolerance
        Numbers that are no further apart than this are the same.
    sample
        Captured requests of each file that are put to the new version.
    """

    tolerated_percent: float
    field: str = ""
    tolerance: float = 0.0
    sample: int = 50

    def __post_init__(self) -> None:
        number("tolerated_percent", self.tolerated_percent, LEAST_PERCENT, MOST_PERCENT)
        if not isinstance(self.field, str) or len(self.field) > MAX_FIELD:
            reason = f"it must be a text of at most {MAX_FIELD} characters"
            raise PolicyError("field", self.field, reason, "write the name of a key or column of the answer")
        number("tolerance", self.tolerance, 0, MAX_TOLERANCE)
        whole("sample", self.sample, 1, MAX_SAMPLE)


@dataclass(frozen=True)
class Judging:
    """How the new version is compared with the live one while both take traffic.

    A step then passes only once there is evidence that the new version is not worse than is allowed here. Evidence that
    it fails, or is slow, more often than the live version at all rolls it back, whatever is allowed here and whatever
    the alarms say. How often that is looked at makes no difference.

    Parameters
    ----------
    margin
        How many times as often as the live version's the new one's requests may fail, or be slow, for a step to pass.
    tolerated_error_percent
        Share of 5xx answers below which a step may pass, however few the live version gives.
    tolerated_slow_percent
        The same for requests that take longer than the live version's 99th percentile was before the rollout.
    answers
        What is compared of the answers themselves; left out, nothing is. Needs fleet.capture.
    horizon_seconds
        How long a step waits for evidence.
    inconclusive
        What happens then: ``ask`` waits for a person (`approve --step`, or `abort`), ``extend`` for evidence until the
        progress deadline rolls it back, ``raise`` takes the next step, where there is more traffic to judge by; it asks
        instead before the step to all of it, where something was not counted at all, and at any evidence of harm.
    """

    margin: float = 1.5
    tolerated_error_percent: float = 1.0
    tolerated_slow_percent: float = 3.0
    answers: Answers | None = None
    horizon_seconds: int = 3600
    inconclusive: Inconclusive = "ask"

    def __post_init__(self) -> None:
        number("margin", self.margin, LEAST_MARGIN, MOST_MARGIN)
        number("tolerated_error_percent", self.tolerated_error_percent, LEAST_PERCENT, MOST_PERCENT)
        number("tolerated_slow_percent", self.tolerated_slow_percent, LEAST_PERCENT, MOST_PERCENT)
        whole("horizon_seconds", self.horizon_seconds, 1, MAX_SECONDS)
        one_of("inconclusive", self.inconclusive, get_args(Inconclusive))

    @property
    def limits(self) -> Limits:
        """The same as the judge takes it: shares from 0 to 1."""
        return Limits(
            margin=self.margin,
            tolerated_error=self.tolerated_error_percent / 100,
            tolerated_slow=self.tolerated_slow_percent / 100,
            tolerated_difference=self.answers.tolerated_percent / 100 if self.answers else None,
            compared_field=self.answers.field if self.answers else "",
        )
