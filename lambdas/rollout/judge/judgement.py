"""The verdict on a new version.

Roll back on any metric's evidence of harm; promote on every metric's evidence that there is none; else hold. Evidence
of 20:1 is reached by a version that is not worse with probability 1/20 at most, per metric, however often one looks
(Ville 1939): exactly so for untempered evidence under equal rates within each period, and by calibration for tempered
evidence, which is what decides (``make bench-judge`` measures well below 1/20).

A healthy service may have no errors at all, and then no ratio says anything, for ever. So "inferior" means *margin
times as bad as the live version, and above the share that is tolerated*. Under it two processes are bets that lose:
that the ratio is below the margin (:mod:`lambdas.rollout.judge.rates`), and that the new version's own share is below
what is tolerated (:mod:`lambdas.rollout.judge.pairs`). Assurance is their mean, an e-process again.

Labels come late, or never. They can condemn a version; no step waits for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log

from lambdas.rollout.judge.beside import compared
from lambdas.rollout.judge.counts import Series, Tally, added
from lambdas.rollout.judge.dispersion import UNMEASURED
from lambdas.rollout.judge.finding import Finding, odds
from lambdas.rollout.judge.incomparable import obstacle
from lambdas.rollout.judge.onsets import onsets
from lambdas.rollout.judge.pairs import Share

ERRORS = "5xx"
LATENCY = "latency"
ANSWERS = "answers"
LABELS = "labels"

# Of the inputs that exactly one version gets right, as many are the live one's when neither is better.
EVEN = 0.5


class Verdict(StrEnum):
    """What to do with the new version."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Limits:
    """What is asked of a version. Shares are fractions.

    Parameters
    ----------
    margin
        How many times as bad as the live version is inferior; more than 1.
    tolerated_error
        Share of answers with 5xx below which a step may pass, however good the live one is; it excuses no harm.
    tolerated_slow
        The same for requests slower than the threshold.
    tolerated_difference
        Share of answers that may differ from the live version's; None: answers are not judged.
    compared_field
        What of answers is compared, as it is called; empty: all of them.
    level
        Evidence that decides, as odds.
    breaker
        Evidence that decides before `least_looks`, while nothing is known of how noisy the service is: as odds, after
        dividing its logarithm by the 4 that the noise is then taken to be.
    least_looks
        Minutes (for answers and labels: groups) after which `level` rolls back. The bench fixes it: with fewer a noisy
        service cries wolf, with more it is late.
    """

    margin: float = 1.5
    tolerated_error: float = 0.01
    tolerated_slow: float = 0.03
    tolerated_difference: float | None = None
    compared_field: str = ""
    level: float = 20
    breaker: float = 1e4
    least_looks: int = 6

    def __post_init__(self) -> None:
        if self.margin <= 1:
            raise ValueError(f"margin: {self.margin:g} is not more than 1")
        for name in ("tolerated_error", "tolerated_slow", "tolerated_difference"):
            share = getattr(self, name)
            if share is not None and not 0 < share < 1:
                raise ValueError(f"{name}: {share:g} is not a share between 0 and 1")


@dataclass(frozen=True)
class Judgement:
    """A verdict, what it rests on, and why."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    reason: str

    @property
    def asked(self) -> list[Finding]:
        """What a step waits for: all but labels."""
        return _asked(self.findings)

    @property
    def obstacle(self) -> str:
        """Why something that a step waits for is not counted, which waiting does not change; mostly empty."""
        return next((each.obstacle.cause for each in self.asked if each.obstacle is not None), "")

    @property
    def numbers(self) -> dict[str, object]:
        """The judgement in plain form, for an audit entry."""
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "findings": [finding.numbers for finding in self.findings],
        }


def judge(series: Series, settings: Limits, step_since: float | None = None) -> Judgement:
    """Return the verdict on a new version.

    Parameters
    ----------
    series
        All that was counted since it first took traffic.
    settings
        What is asked of it.
    step_since
        When the present weight was verified. Only what was counted since then speaks for the version: another weight is
        another load. Left out, all of it does. Harm is counted since the first traffic, and anew since the step's and
        the latest hours' beginning, see :mod:`lambdas.rollout.judge.onsets`.
    """
    findings = tuple(_findings(series, settings))
    if condemned := _condemned(findings, settings):
        return condemned
    if step_since is not None:
        for counted, caution in onsets(series, step_since):
            cautious = replace(settings, level=settings.level * caution, breaker=settings.breaker * caution)
            if condemned := _condemned(tuple(_findings(counted, settings)), cautious):
                return condemned
        lately = series.since(step_since)
        findings = findings if lately == series else tuple(_findings(lately, settings))
    asked = _asked(findings)
    lacking = [one for one in asked if not vouches(one, settings)]
    if lacking:
        return Judgement(Verdict.HOLD, findings, _lack(lacking, settings))
    return Judgement(Verdict.PROMOTE, findings, "; ".join(one.in_favour for one in asked) + _left_out(series))


def _condemned(findings: tuple[Finding, ...], limits: Limits) -> Judgement | None:
    worse = [one for one in findings if condemns(one, limits)]
    return Judgement(Verdict.ROLLBACK, findings, max(worse, key=lambda one: one.harm).against) if worse else None


def _asked(findings: Iterable[Finding]) -> list[Finding]:
    return [one for one in findings if one.metric != LABELS]


def condemns(finding: Finding, limits: Limits) -> bool:
    """Return whether the new version is worse beyond doubt.

    Until the noise has been measured it is taken to be large, so that a bad first minute of a noisy service is no
    verdict, and one that answers nothing but errors is.
    """
    if finding.looks >= limits.least_looks:
        return finding.harm >= log(limits.level)
    return finding.untempered / UNMEASURED >= log(limits.breaker)


def vouches(finding: Finding, limits: Limits) -> bool:
    """Return whether it is beyond doubt that the new version is not inferior."""
    return finding.assurance >= log(limits.level)


def _lack(lacking: Sequence[Finding], limits: Limits) -> str:
    for finding in lacking:
        if finding.obstacle is not None:
            return f"{finding.metric}: {finding.obstacle}"
    for finding in lacking:
        if not finding.new.total:
            return f"{finding.metric}: nothing has been counted yet"
    least = min(lacking, key=lambda one: one.assurance)
    if least.harm >= log(limits.level):
        return f"{least.against}, which is to be seen in {limits.least_looks} looks; this is {least.looks}"
    return f"{least}; {odds(log(limits.level))} that it is not worse is needed"


def _left_out(series: Series) -> str:
    return "" if series.threshold_ms else "; latency is not judged, for there is no threshold"


def _findings(series: Series, limits: Limits) -> Iterator[Finding]:
    yield compared(ERRORS, series.errors, limits.margin, limits.tolerated_error)
    if series.threshold_ms is not None:
        yield compared(LATENCY, series.latency, limits.margin, limits.tolerated_slow)
    if limits.tolerated_difference is not None:
        yield _answers(series, limits, Share(limits.tolerated_difference))
    if series.labels:
        losses = (Tally(one.live_only_right, one.live_only_right + one.new_only_right) for one in series.labels)
        yield _shared(LABELS, losses, Share(EVEN, limits.margin / (1 + limits.margin)))


def _answers(series: Series, limits: Limits, share: Share) -> Finding:
    found = _shared(ANSWERS, (Tally(pair.differed, pair.compared) for pair in series.answers), share)
    return found if found.new.total else replace(found, obstacle=obstacle(series.incomparable, limits.compared_field))


def _shared(metric: str, groups: Iterable[Tally], share: Share) -> Finding:
    every = tuple(groups)
    for group in every:
        share.add(group)
    dispersion = share.dispersion
    return Finding(
        metric=metric,
        new=added(every),
        live=None,
        looks=share.looks,
        harm=share.harm / dispersion,
        untempered=share.harm,
        assurance=share.assurance / dispersion,
        dispersion=dispersion,
    )
