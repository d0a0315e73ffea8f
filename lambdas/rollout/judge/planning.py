"""How long evidence takes at a given traffic, before a rollout starts.

If the new version is psi times as bad, log evidence of harm grows on average (Wald 1945), per second, by::

    n p [q psi ln(psi) - (q psi + 1 - q) ln(q psi + 1 - q)]

with n requests a second, a share p of them bad and a share q answered by the new version. For a small q that is
lambda_c (psi ln psi - psi + 1), where lambda_c = n p q: the bad requests that a good new version would have answered.
What must be gathered is ln(level), and ln(6) for not knowing psi, of which six are tried.
"""

from dataclasses import dataclass
from math import ceil, inf, log

from lambdas.rollout.judge.dispersion import BURST_SECONDS, UNMEASURED
from lambdas.rollout.judge.judgement import Limits
from lambdas.rollout.judge.mixtures import AS_GOOD, BELOW, WORSE

# Assurance is the mean of two processes.
PROCESSES = 2


@dataclass(frozen=True)
class Traffic:
    """What an endpoint answers while a step is watched.

    Parameters
    ----------
    per_second
        Requests, of both versions.
    bad_share
        Share of them that is bad while all is well, as a fraction.
    new_share
        Share of them that the new version answers, as a fraction.
    """

    per_second: float
    bad_share: float
    new_share: float


def seconds_to_see(traffic: Traffic, ratio: float, limits: Limits, period_seconds: int = 0) -> float:
    """Return the seconds until a version that is `ratio` times as bad is rolled back, on average.

    Parameters
    ----------
    period_seconds
        Length of a period. Whole ones are looked at, and until the noise has been measured for `least_looks` minutes
        it takes the evidence of the breaker; 0 leaves that out.
    """
    per_second, mixing = _harm_per_second(traffic, ratio), log(len(WORSE))
    seconds = _whole(_over(log(limits.level) + mixing, per_second), period_seconds)
    measured = limits.least_looks * max(period_seconds, BURST_SECONDS) if period_seconds else 0
    if seconds >= measured:
        return seconds
    return min(measured, _whole(_over(UNMEASURED * log(limits.breaker) + mixing, per_second), period_seconds))


def seconds_to_trust(traffic: Traffic, limits: Limits, tolerated: float, period_seconds: int = 0) -> float:
    """Return the seconds until a version as good as the live one is known not to be inferior, on average.

    Parameters
    ----------
    tolerated
        Share of bad requests that is tolerated, as a fraction.
    """
    by_ratio = _over(_asked(limits, len(AS_GOOD)), _ratio_per_second(traffic, limits.margin))
    by_share = _over(_asked(limits, len(BELOW)), _share_per_second(traffic, tolerated))
    return _whole(min(by_ratio, by_share), period_seconds)


def _harm_per_second(traffic: Traffic, ratio: float) -> float:
    share = traffic.new_share
    mixed = share * ratio + 1 - share
    return traffic.per_second * traffic.bad_share * (share * ratio * log(ratio) - mixed * log(mixed))


def _ratio_per_second(traffic: Traffic, margin: float) -> float:
    share = traffic.new_share
    return traffic.per_second * traffic.bad_share * (log(share * margin + 1 - share) - share * log(margin))


def _share_per_second(traffic: Traffic, tolerated: float) -> float:
    best = max(_per_request(traffic.bad_share, tolerated * part, tolerated) for part in BELOW)
    return traffic.per_second * traffic.new_share * best


def _per_request(bad: float, share: float, bound: float) -> float:
    if bad and not share:
        return -inf
    worse = bad * log(share / bound) if bad else 0.0
    return worse + (1 - bad) * log((1 - share) / (1 - bound))


def _asked(limits: Limits, alternatives: int) -> float:
    return log(limits.level) + log(PROCESSES * alternatives)


def _over(evidence: float, per_second: float) -> float:
    return evidence / per_second if per_second > 0 else inf


def _whole(seconds: float, period_seconds: int) -> float:
    if not period_seconds or seconds == inf:
        return seconds
    return ceil(seconds / period_seconds) * period_seconds
