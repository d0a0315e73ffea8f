"""The pictures of docs/judge.md, one an idea: ``python -m bench.judge.pictures [FOLDER]``.

Drawn from simulated traffic with fixed seeds by the judge itself; a test holds the files against this.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from math import exp
from pathlib import Path

import numpy as np

from bench.judge import panels, peers, product
from bench.judge.panels import AMBER, GREY, RED, TEAL, Axis, Panel, odds_axis
from bench.judge.traffic import Counts, Traffic, draw
from lambdas.rollout.judge import Limits, Stratum, Tally
from lambdas.rollout.judge.beside import Beside
from lambdas.rollout.judge.counts import added
from lambdas.rollout.judge.finding import Finding
from lambdas.rollout.judge.judgement import ERRORS, condemns, vouches
from lambdas.rollout.judge.rates import Rates
from stacks.config import ROOT
from tidegate.svg import Point

FOLDER = ROOT / "docs" / "judge"
LIMITS = Limits()

CANDIDATES = 20
"""Good versions of which the unluckiest is shown."""

RUNS = 1000
"""Good versions that are looked at again and again."""

_PERCENT = 100.0
_ROLLS_BACK, _PROMOTES = f"{LIMITS.level:g}:1 rolls back", f"{LIMITS.level:g}:1 promotes"
_MINUTES = [(float(minute), str(minute)) for minute in range(0, 61, 10)]
_AN_HOUR = Axis(0, 60, _MINUTES, caption="minutes")
_UP_TO_4_PERCENT = Axis(0, 4, [(float(each), f"{each} %") for each in range(5)])


def main(folder: Path) -> None:
    """Draw all of them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawn in PICTURES.items():
        (folder / name).write_text(drawn(), encoding="utf-8")


def counts_not_minutes() -> str:
    """Draw the evidence of a bad, an unlucky and a good version over the requests that each has answered."""
    good, bad = Traffic(per_second=20, minutes=150), Traffic(per_second=20, minutes=150, ratio=2)
    ticks = [(float(each), f"{each:,}") for each in range(0, 6001, 1500)]
    across = Axis(0, 6000, ticks, caption="requests that the new version answered")
    harm = Panel(0, "Evidence that it is worse", across, odds_axis(-3, 3))
    assurance = Panel(1, "Evidence that it is not worse", across, odds_axis(-3, 3))
    harm.bound(LIMITS.level, _ROLLS_BACK)
    assurance.bound(LIMITS.level, _PROMOTES)
    unlucky = _unluckiest(_strata(good, 10, CANDIDATES))
    for periods, colour in ((_strata(bad, 12)[0], RED), (unlucky, AMBER), (_strata(good, 11)[0], TEAL)):
        findings = _until_decided(_looks(periods))
        harm.curve([(0, 1), *((one.new.total, exp(one.harm)) for one in findings)], colour)
        assurance.curve([(0, 1), *((one.new.total, exp(one.assurance)) for one in findings)], colour)
        last, decided = findings[-1], harm if condemns(findings[-1], LIMITS) else assurance
        decided.dots([(last.new.total, exp(max(last.harm, last.assurance)))], colour)
    legend = (
        ("bad: errors 2 % instead of 1 %", RED),
        (f"the unluckiest of {CANDIDATES} good ones", AMBER),
        ("another good one", TEAL),
    )
    label = "Evidence over the requests that a bad, an unlucky and a good version answered"
    return panels.picture(label, legend, (harm, assurance))


def looking_often() -> str:
    """Draw how many good versions have been rolled back after how many looks, by chi-square and by evidence."""
    traffic = Traffic()
    counts = _drawn(traffic, 21, RUNS)
    by_chi_square = peers.first(peers.chi_square(counts)).tolist()
    by_evidence = [_first(_untempered(product.strata(counts, run, traffic))) for run in range(RUNS)]
    across = Axis(0, traffic.looks, _MINUTES, caption="looks, one a minute")
    down = Axis(0, 0.4, [(share / _PERCENT, f"{share} %") for share in range(0, 41, 10)])
    panel = Panel(None, "Good versions rolled back so far", across, down)
    panel.bound(1 / LIMITS.level, "1 in 20: Ville's bound, however many looks")
    panel.curve(_share_by(by_chi_square, traffic.looks), GREY)
    panel.curve(_share_by(by_evidence, traffic.looks), TEAL)
    legend = (("chi-square at each look, at 5 %", GREY), ("evidence of 20:1 at any look, untempered", TEAL))
    return panels.picture("Good versions rolled back over the number of looks", legend, (panel,))


def within_a_period() -> str:
    """Draw how sums mislead when weights and the errors of both versions rise together, and periods do not."""
    periods = _strata(Traffic(weights=(0.05, 0.25, 0.5), rising=3), 31)[0]
    new, live = [one.new for one in periods], [one.live for one in periods]
    rates = Panel(0, "Errors", _AN_HOUR, _UP_TO_4_PERCENT)
    for tallies, colour in ((new, RED), (live, GREY)):
        rates.dots(_by_minute(map(_share, tallies)), colour, 0.35)
        rates.curve(_by_minute(map(_share, _sums(tallies))), colour)
    evidence = Panel(1, "Evidence that the new version is worse", _AN_HOUR, odds_axis(-3, 6))
    evidence.bound(LIMITS.level, _ROLLS_BACK)
    sums = [Stratum(0, *both) for both in zip(_sums(new), _sums(live), strict=True)]
    evidence.curve(_odds(_untempered([one])[0] for one in sums), AMBER)
    evidence.curve(_odds(one.harm for one in _looks(periods)), TEAL)
    legend = (
        ("new version (dots: a minute; line: since the start)", RED),
        ("live one", GREY),
        ("evidence from sums", AMBER),
        ("within periods", TEAL),
    )
    return panels.picture("Sums over a ramp mislead, counts within periods do not", legend, (rates, evidence))


def noisy_service() -> str:
    """Draw the evidence against a good version of a service whose errors come in bursts, tempered and not."""
    periods = _unluckiest(_strata(Traffic(noise=1), 41, CANDIDATES))
    findings = _looks(periods)
    rates = Panel(0, "Errors, minute by minute", _AN_HOUR, _UP_TO_4_PERCENT)
    rates.curve(_by_minute(_share(one.live) for one in periods), GREY)
    rates.curve(_by_minute(_share(one.new) for one in periods), RED)
    evidence = Panel(1, "Evidence that the new version is worse", _AN_HOUR, odds_axis(-3, 6))
    evidence.bound(LIMITS.level, _ROLLS_BACK)
    evidence.curve(_odds(one.untempered for one in findings), AMBER)
    evidence.curve(_odds(one.harm for one in findings), TEAL)
    legend = (
        ("new version, as good as", RED),
        ("the live one", GREY),
        ("untempered evidence", AMBER),
        (f"tempered (in the end by {findings[-1].dispersion:.1f})", TEAL),
    )
    return panels.picture("Noise looks like evidence until it is tempered", legend, (rates, evidence))


def without_errors() -> str:
    """Draw how fast requests without an error prove that a version is below what is tolerated."""
    none = [Stratum(60.0 * minute, Tally(0, 300), Tally(0, 5700)) for minute in range(20)]
    caption = "minutes of 300 requests to the new version and 5,700 to the live one, none of which fails"
    across = Axis(0, 20, [(float(each), str(each)) for each in range(0, 21, 5)], caption=caption)
    panel = Panel(None, "Evidence that it is not worse", across, odds_axis(0, 4))
    panel.bound(LIMITS.level, _PROMOTES)
    for share, colour in ((None, GREY), (0.0025, RED), (0.005, AMBER), (0.01, TEAL)):
        panel.curve(_odds(one.assurance for one in _looks(none, share)), colour)
    legend = (("tolerated: 1 %", TEAL), ("0.5 %", AMBER), ("0.25 %", RED), ("nothing: the ratio alone", GREY))
    return panels.picture("What a service without errors proves, by the share that is tolerated", legend, (panel,))


PICTURES: dict[str, Callable[[], str]] = {
    "counts.svg": counts_not_minutes,
    "looks.svg": looking_often,
    "periods.svg": within_a_period,
    "noise.svg": noisy_service,
    "tolerated.svg": without_errors,
}


def _strata(traffic: Traffic, seed: int, runs: int = 1) -> list[Sequence[Stratum]]:
    """Return the periods of some runs of the traffic."""
    counts = _drawn(traffic, seed, runs)
    return [product.strata(counts, run, traffic) for run in range(runs)]


def _drawn(traffic: Traffic, seed: int, runs: int) -> Counts:
    return draw(traffic, runs, np.random.default_rng(seed))["errors"]


def _looks(periods: Sequence[Stratum], tolerated: float | None = LIMITS.tolerated_error) -> list[Finding]:
    """Return what the judge finds at each look."""
    beside, findings = Beside(ERRORS, LIMITS.margin, tolerated), []
    for period in periods:
        beside.add(period)
        findings.append(beside.finding)
    return findings


def _untempered(periods: Sequence[Stratum]) -> list[float]:
    """Return the exact evidence that the new version is worse, at each look; its logarithm."""
    rates, logs = Rates(LIMITS.margin), []
    for period in periods:
        rates.add(period)
        logs.append(rates.harm)
    return logs


def _unluckiest(runs: Sequence[Sequence[Stratum]]) -> Sequence[Stratum]:
    """Return the run with more evidence against the new version, at some look, than any other has at any."""
    return max(runs, key=lambda periods: max(_untempered(periods)))


def _until_decided(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return the looks up to that at which the version is rolled back or promoted."""
    decided = (look for look, one in enumerate(findings, 1) if condemns(one, LIMITS) or vouches(one, LIMITS))
    return findings[: next(decided, len(findings))]


def _first(logs: Sequence[float]) -> int:
    """Return the first look at which there is evidence enough; 0 is never."""
    return next((look for look, log in enumerate(logs, 1) if exp(log) >= LIMITS.level), 0)


def _share_by(looks: Sequence[int], last: int) -> list[Point]:
    """Return the share of runs that ended at each look, or before."""
    return [(look, sum(0 < each <= look for each in looks) / len(looks)) for look in range(last + 1)]


def _share(tally: Tally) -> float:
    return _PERCENT * tally.events / max(tally.total, 1)


def _sums(tallies: Sequence[Tally]) -> list[Tally]:
    return list(accumulate(tallies, lambda one, other: added((one, other))))


def _by_minute(values: Iterable[float]) -> list[Point]:
    return [(minute, value) for minute, value in enumerate(values, 1)]


def _odds(logs: Iterable[float]) -> list[Point]:
    """Return evidence by minute, from none."""
    return [(0, 1), *_by_minute(map(exp, logs))]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
