"""Which of two versions is better, over several metrics, at any time.

For each metric there are two hypotheses: *the new version is not better* and *the live version is not better*, each
with the e-process of :mod:`lambdas.rollout.judge.rates`, the first with the versions' places changed. Of K e-values,
e-BH (Wang and Ramdas 2022) rejects the k largest, for the largest k such that the k-th is at least K / (alpha k). Of
what it rejects, alpha at most is wrong on average, whatever the e-values have to do with each other, which is just as
well, for errors and latency have much to do with each other. And since e-processes may be stopped at any time, so may
the test.

A version wins when it is better in some metric and is known not to be inferior in the others. There is no difference
when each is known to be less than the margin times as bad as the other in every metric; that both are below what is
tolerated is no reason to stop looking for the better one. All of these must hold, so no correction is needed (Berger
1982).

Evidence is tempered as in a rollout, so the level is calibrated; untempered, with equal rates within each period, it
would be exact.

References
----------
R. Wang and A. Ramdas (2022), False discovery rate control with e-values. R. L. Berger (1982), Multiparameter hypothesis
testing and acceptance sampling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log

from lambdas.rollout.judge.beside import compared
from lambdas.rollout.judge.counts import Series, Stratum
from lambdas.rollout.judge.finding import Finding, odds
from lambdas.rollout.judge.judgement import ERRORS, LATENCY, Limits, vouches


class Winner(StrEnum):
    """How a test between two versions stands."""

    NEW = "new"
    LIVE = "live"
    NEITHER = "no difference"
    UNDECIDED = "keep going"


@dataclass(frozen=True)
class Duel:
    """One metric, seen from both sides.

    Parameters
    ----------
    new
        The new version held against the live one: its harm is evidence that the live version is better.
    live
        The live version held against the new one.
    alike
        Log evidence that neither is the margin times as bad as the other, tempered.
    """

    new: Finding
    live: Finding
    alike: float

    @property
    def numbers(self) -> dict[str, object]:
        """The duel in plain form."""
        return {"new": self.new.numbers, "live": self.live.numbers, "log_alike": round(self.alike, 3)}


@dataclass(frozen=True)
class Contest:
    """How a test stands, and why."""

    winner: Winner
    duels: tuple[Duel, ...]
    reason: str

    @property
    def numbers(self) -> dict[str, object]:
        """The contest in plain form, for an audit entry."""
        return {
            "winner": str(self.winner),
            "reason": self.reason,
            "duels": [duel.numbers for duel in self.duels],
        }


def contest(series: Series, settings: Limits) -> Contest:
    """Return which version is better, so far."""
    duels = tuple(_duels(series, settings))
    live_better, new_better = _discoveries(duels, settings)
    if live_better and new_better:
        reason = f"the live version is better in {_names(live_better)}, the new one in {_names(new_better)}"
        return Contest(Winner.UNDECIDED, duels, reason)
    if new_better and _vouched([duel.new for duel in duels if duel not in new_better], settings):
        return Contest(Winner.NEW, duels, "; ".join(_better("new", duel.live) for duel in new_better))
    if live_better and _vouched([duel.live for duel in duels if duel not in live_better], settings):
        return Contest(Winner.LIVE, duels, "; ".join(_better("live", duel.new) for duel in live_better))
    if all(duel.alike >= log(settings.level) for duel in duels):
        return Contest(Winner.NEITHER, duels, "; ".join(_alike(duel) for duel in duels))
    return Contest(Winner.UNDECIDED, duels, "; ".join(str(duel.new) for duel in duels))


def discovered(evidence: Sequence[float], level: float) -> set[int]:
    """Return which hypotheses e-BH rejects.

    Parameters
    ----------
    evidence
        Logarithms of their e-values.
    level
        1 / alpha.
    """
    order = sorted(range(len(evidence)), key=lambda index: -evidence[index])
    for count in range(len(order), 0, -1):
        if evidence[order[count - 1]] >= log(level * len(order) / count):
            return set(order[:count])
    return set()


def _duels(series: Series, limits: Limits) -> list[Duel]:
    duels = [_duel(ERRORS, series.errors, limits.margin, limits.tolerated_error)]
    if series.threshold_ms is not None:
        duels.append(_duel(LATENCY, series.latency, limits.margin, limits.tolerated_slow))
    return duels


def _duel(metric: str, strata: Sequence[Stratum], margin: float, tolerated: float) -> Duel:
    turned = tuple(Stratum(one.at, one.live, one.new) for one in strata)
    new, live = (compared(metric, side, margin, tolerated) for side in (strata, turned))
    return Duel(new, live, min(compared(metric, side, margin).assurance for side in (strata, turned)))


def _discoveries(duels: Sequence[Duel], limits: Limits) -> tuple[list[Duel], list[Duel]]:
    """Return in which metrics the live version is better, and in which the new one is."""
    sides = [side for duel in duels for side in (duel.new, duel.live)]
    found = discovered([_harm(side, limits) for side in sides], limits.level)
    return [duels[i // 2] for i in sorted(found) if i % 2 == 0], [duels[i // 2] for i in sorted(found) if i % 2]


def _harm(finding: Finding, limits: Limits) -> float:
    """Return the log evidence that counts: none before the noise has been measured."""
    return finding.harm if finding.looks >= limits.least_looks else 0.0


def _vouched(findings: Sequence[Finding], limits: Limits) -> bool:
    return all(vouches(finding, limits) for finding in findings)


def _names(duels: Sequence[Duel]) -> str:
    return " and ".join(duel.new.metric for duel in duels)


def _better(which: str, loser: Finding) -> str:
    return f"the {which} version is better: {loser.against}"


def _alike(duel: Duel) -> str:
    return f"{duel.new.counts}, evidence that neither is much worse {odds(duel.alike)}"
